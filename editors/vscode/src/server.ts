import * as vscode from 'vscode';
import { LanguageClient, RevealOutputChannelOn, State } from 'vscode-languageclient/node';

import { locate } from './locate';
import { documentSelector } from './selector';

/** The language server of this window: started, stopped and started again, one step after the other. */
export class Server implements vscode.Disposable {
  private client: LanguageClient | undefined;
  private status: vscode.LanguageStatusItem | undefined;
  /** The step that is under way; the next one waits for it. */
  private step: Promise<void> = Promise.resolve();

  constructor(
    private readonly extension: string,
    private readonly output: vscode.LogOutputChannel,
  ) {}

  /** Stops the server if it runs, and starts it with the settings of now. */
  restart(): Promise<void> {
    return this.then(async () => {
      await this.halt();
      await this.start();
    });
  }

  stop(): Promise<void> {
    return this.then(() => this.halt());
  }

  dispose(): void {
    this.status?.dispose();
  }

  private then(step: () => Promise<void>): Promise<void> {
    // A step that failed has told its own caller; it does not keep the next from being tried.
    this.step = this.step.then(step, step);
    return this.step;
  }

  private async halt(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    try {
      await client?.dispose();
    } catch (error) {
      // It is gone, or it will not go; either way the next one does not wait for it.
      this.output.warn(`The server did not stop in order: ${text(error)}`);
    }
  }

  private async start(): Promise<void> {
    const settings = vscode.workspace.getConfiguration('auditlint');
    const selector = documentSelector(settings.get<string[]>('policyFiles', []));
    this.status?.dispose();
    const status = vscode.languages.createLanguageStatusItem('auditlint.server', selector);
    this.status = status;
    status.name = 'auditlint';

    const located = locate({
      setting: settings.get<string>('server.path', ''),
      extension: this.extension,
      workspace: vscode.workspace.workspaceFolders?.[0]?.uri.fsPath,
      searchPath: process.env.PATH ?? '',
      platform: process.platform,
    });
    if (located.kind === 'missing') {
      this.fail(status, located.reason);
      return;
    }

    const args = ['lsp', ...settings.get<string[]>('server.args', [])];
    this.output.info(`Starting ${located.command} ${args.join(' ')} (from: ${located.origin})`);
    const client = new LanguageClient(
      'auditlint',
      'auditlint',
      { command: located.command, args },
      {
        documentSelector: selector,
        outputChannel: this.output,
        traceOutputChannel: this.output,
        revealOutputChannelOn: RevealOutputChannelOn.Never,
        // The message below says more than the client's own, which would come on top of it.
        initializationFailedHandler: () => false,
      },
    );
    this.client = client;
    client.onDidChangeState(event => {
      // The client starts a server that crashed again by itself, a few times.
      if (this.client === client) show(status, event.newState, located.command, client);
    });
    try {
      await client.start();
    } catch (error) {
      this.fail(status, `The server ${located.command} could not be started: ${text(error)}`);
    }
  }

  /** Says why nothing is checked, with a way out. */
  private fail(status: vscode.LanguageStatusItem, reason: string): void {
    this.output.error(reason);
    status.text = 'auditlint: not running';
    status.detail = reason;
    status.busy = false;
    status.severity = vscode.LanguageStatusSeverity.Error;
    status.command = { command: 'auditlint.restartServer', title: 'Restart' };
    const [settings, output] = ['Open Settings', 'Show Output'];
    // Not awaited: the message may stand there for as long as the window is open.
    void vscode.window.showErrorMessage(`${reason} Nothing is checked.`, settings, output).then(chosen => {
      if (chosen === settings) {
        // In a remote window the settings of the machine stand on a page of their own.
        const page = vscode.env.remoteName === undefined ? 'openSettings' : 'openRemoteSettings';
        return vscode.commands.executeCommand(`workbench.action.${page}`, { query: 'auditlint.server' });
      }
      if (chosen === output) this.output.show();
      return undefined;
    });
  }
}

function show(status: vscode.LanguageStatusItem, state: State, command: string, client: LanguageClient): void {
  status.detail = command;
  status.busy = state === State.Starting;
  status.severity =
    state === State.Stopped ? vscode.LanguageStatusSeverity.Error : vscode.LanguageStatusSeverity.Information;
  if (state === State.Running) {
    const version = client.initializeResult?.serverInfo?.version;
    status.text = version === undefined ? 'auditlint' : `auditlint ${version}`;
    status.command = { command: 'auditlint.showOutput', title: 'Show Output' };
  } else {
    status.text = state === State.Starting ? 'auditlint: starting' : 'auditlint: stopped';
    status.command = { command: 'auditlint.restartServer', title: 'Restart' };
  }
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
