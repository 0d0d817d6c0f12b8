import * as vscode from 'vscode';

import { Server } from './server';

let server: Server | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const output = vscode.window.createOutputChannel('auditlint', { log: true });
  const running = new Server(context.extensionPath, output);
  server = running;
  context.subscriptions.push(
    output,
    running,
    vscode.commands.registerCommand('auditlint.restartServer', () => running.restart()),
    vscode.commands.registerCommand('auditlint.showOutput', () => {
      output.show();
    }),
    vscode.workspace.onDidChangeConfiguration(async event => {
      const settings = ['auditlint.server', 'auditlint.policyFiles'];
      if (settings.some(setting => event.affectsConfiguration(setting))) await running.restart();
    }),
    // The settings of the workspace count from now on.
    vscode.workspace.onDidGrantWorkspaceTrust(() => running.restart()),
  );
  await running.restart();
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}
