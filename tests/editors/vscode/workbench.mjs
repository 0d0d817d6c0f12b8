// VS Code's workbench and extension host, served to a headless browser, with the packaged extension installed.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';

const PATIENCE = 30_000;

/** A started workbench. `folders` of scenarios are opened in it one after the other. */
export class Workbench {
  /**
   * @param e2e the folder with what tests/setup installed
   * @param scratch an empty folder of this workbench's own
   * @param settings the user's settings
   * @param trust whether the workbench asks for workspace trust (and has not been given it)
   */
  static async start({ e2e, scratch, vsix, settings, trust = false }) {
    const main = path.join(e2e, 'vscode/node_modules/code-server/lib/vscode/out/server-main.js');
    const data = path.join(scratch, 'data');
    for (const folder of ['Machine', 'User', 'data/Machine', 'data/User']) {
      fs.mkdirSync(path.join(data, folder), { recursive: true });
      fs.writeFileSync(path.join(data, folder, 'settings.json'), JSON.stringify({ ...QUIET, ...settings }));
    }
    // The profile of whoever runs the tests is neither read nor written, and nothing is asked of a gallery.
    const env = { ...process.env, EXTENSIONS_GALLERY: JSON.stringify({ serviceUrl: '' }) };
    for (const [name, folder] of Object.entries(PROFILE)) {
      env[name] = path.join(scratch, folder);
      fs.mkdirSync(env[name], { recursive: true });
    }
    const common = [main, '--accept-server-license-terms', '--telemetry-level', 'off'];
    common.push('--server-data-dir', data, '--extensions-dir', path.join(scratch, 'extensions'));
    const quiet = { env, stdio: ['ignore', 'pipe', 'pipe'] };
    execFileSync(process.execPath, [...common, '--install-extension', vsix, '--force'], quiet);

    const workbench = new Workbench();
    workbench.port = await freePort();
    workbench.log = path.join(scratch, 'server.log');
    const log = fs.openSync(workbench.log, 'w');
    const args = ['--host', '127.0.0.1', '--port', String(workbench.port), '--without-connection-token'];
    if (!trust) args.push('--disable-workspace-trust');
    // A group of its own, with which the extension host and the language server go as well.
    const options = { env, stdio: ['ignore', log, log], detached: true };
    workbench.server = spawn(process.execPath, [...common, ...args], options);
    process.once('exit', () => workbench.signal('SIGKILL'));
    try {
      await workbench.answers();
      const { chromium } = createRequire(path.join(e2e, 'browser/'))('playwright-core');
      workbench.browser = await chromium.launchPersistentContext(path.join(scratch, 'profile'), {
        executablePath: '/usr/bin/chromium',
        headless: true,
        viewport: { width: 1280, height: 800 },
        args: FLAGS,
        env,
      });
    } catch (error) {
      await workbench.stop();
      throw error;
    }
    return workbench;
  }

  async answers() {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      try {
        if ((await fetch(`http://127.0.0.1:${this.port}/version`)).ok) return;
      } catch {
        // Not yet.
      }
      if (Date.now() > deadline) throw new Error(`the workbench did not start:\n${fs.readFileSync(this.log, 'utf8')}`);
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  }

  /** Opens a folder and a file of it. */
  async open(folder, file) {
    const page = await this.browser.newPage();
    page.setDefaultTimeout(PATIENCE);
    const here = url => !/^(https?|wss?):$/.test(url.protocol) || url.hostname === '127.0.0.1';
    await page.route(url => !here(url), route => route.abort());
    const origin = `127.0.0.1:${this.port}`;
    const payload = JSON.stringify([['openFile', `vscode-remote://${origin}${path.join(folder, file)}`]]);
    const query = `folder=${encodeURIComponent(folder)}&payload=${encodeURIComponent(payload)}`;
    await page.goto(`http://${origin}/?${query}`);
    const window = new Window(page, folder);
    await window.shows(file);
    return window;
  }

  async stop() {
    await this.browser?.close();
    this.signal('SIGTERM');
    const deadline = Date.now() + 10_000;
    while (this.signal(0)) {
      if (Date.now() > deadline) this.signal('SIGKILL');
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  }

  /** Sends a signal to whatever is left of the workbench; false when nothing is. */
  signal(signal) {
    try {
      return process.kill(-this.server.pid, signal);
    } catch {
      return false;
    }
  }
}

const SQUIGGLE = '.squiggly-error, .squiggly-warning, .squiggly-info';

/** One window of the workbench, in the words of somebody who sits before it. */
export class Window {
  constructor(page, folder) {
    this.page = page;
    this.folder = folder;
    this.editor = page.locator('.editor-instance .monaco-editor').first();
  }

  async shows(file) {
    await this.page.locator('.tab.active', { hasText: file }).waitFor();
    await this.editor.locator('.view-line').first().waitFor();
  }

  async squiggle() {
    await this.editor.locator(SQUIGGLE).first().waitFor({ state: 'attached' });
  }

  async clickSquiggle() {
    // The squiggle lies below the text, which takes the click.
    const box = await this.editor.locator(SQUIGGLE).first().boundingBox();
    await this.page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  }

  async noSquiggle() {
    await this.page.waitForFunction(
      selector => document.querySelectorAll(`.monaco-editor :is(${selector})`).length === 0,
      SQUIGGLE,
    );
  }

  /** Moves the caret to the end of a line, counted from 1. */
  async caret(line) {
    await this.editor.locator('.view-line').first().click({ position: { x: 40, y: 8 } });
    await this.press('Control+Home');
    for (let n = 1; n < line; n++) await this.press('ArrowDown');
    await this.press('End');
  }

  async press(...keys) {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  async type(text) {
    await this.page.keyboard.type(text);
  }

  /** Runs a command by its title. */
  async command(title) {
    await this.press('F1');
    await this.page.locator('.quick-input-widget input').waitFor();
    await this.type(title);
    await this.page.locator('.quick-input-list .monaco-list-row.focused', { hasText: title }).waitFor();
    await this.press('Enter');
  }

  /** Opens another file of the folder. */
  async go(file) {
    await this.press('Control+KeyP');
    await this.page.locator('.quick-input-widget input').waitFor();
    await this.type(file);
    await this.page.locator('.quick-input-list .monaco-list-row.focused', { hasText: file }).waitFor();
    await this.press('Enter');
    await this.shows(file);
  }

  /** The text of the row of the Problems view that holds `text`: message, source, rule and place, as words. */
  async problem(text) {
    await this.openProblems();
    const row = this.page.locator('.markers-panel .monaco-list-row', { hasText: text }).first();
    await row.waitFor();
    return (await row.innerText()).replace(/\s+/g, ' ');
  }

  async noProblems() {
    await this.openProblems();
    await this.page.locator('.markers-panel', { hasText: 'No problems have been detected' }).waitFor();
  }

  async openProblems() {
    if (!(await this.page.locator('.markers-panel').isVisible())) await this.press('Control+Shift+KeyM');
    await this.page.locator('.markers-panel').waitFor();
  }

  /** Opens the menu of the light bulb of the caret's line, and takes the entry that stands first in it. */
  async takeFirstQuickFix(title) {
    // The Problems view has light bulbs of its own.
    const bulb = this.editor.locator('.lightBulbWidget');
    await bulb.waitFor();
    await bulb.click();
    await this.page.locator('.action-widget .monaco-list-row.focused', { hasText: title }).waitFor();
    // A click on the entry would be caught by the layer behind the menu.
    await this.press('Enter');
    await this.page.locator('.action-widget').waitFor({ state: 'hidden' });
  }

  /** Saves the file, and waits until the workbench has written it. */
  async save() {
    await this.page.locator('.tab.active.dirty').waitFor();
    await this.press('Control+KeyS');
    await this.page.locator('.tab.active:not(.dirty)').waitFor();
  }

  /** What is on disk, one character for each byte. */
  bytes(file) {
    return fs.readFileSync(path.join(this.folder, file), 'latin1');
  }
}

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

const PROFILE = {
  HOME: 'home',
  XDG_CONFIG_HOME: 'home/.config',
  XDG_CACHE_HOME: 'home/.cache',
  XDG_DATA_HOME: 'home/.local/share',
  XDG_STATE_HOME: 'home/.local/state',
};

const QUIET = {
  'chat.commandCenter.enabled': false,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'files.autoSave': 'off',
  'security.workspace.trust.startupPrompt': 'never',
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
};

async function freePort() {
  return new Promise(resolve => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
