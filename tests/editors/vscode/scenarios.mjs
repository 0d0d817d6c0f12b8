// What somebody does in VS Code, and what must come of it. `prepare` lays a folder out and names the file to open;
// `drive` works in the window.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

const fixture = name => path.join(import.meta.dirname, '../fixtures', name);

/** The bytes of a fixture, one character each. */
const bytes = name => fs.readFileSync(fixture(name), 'latin1');

const RULE = 'aws/cloudwatch/log-group-retention';
const SHORT = 'keeps events for 30 days, the policy asks for 90 days';
const FIX = 'set retention_in_days to 90';

/** A folder with the policy and one file of Terraform, and settings of its own where they are given. */
function folderWith(source, settings) {
  return ({ folder, ...given }) => {
    fs.copyFileSync(fixture('policy.yaml'), path.join(folder, '.auditlint.yaml'));
    fs.copyFileSync(fixture(source), path.join(folder, 'main.tf'));
    if (settings !== undefined) {
      fs.mkdirSync(path.join(folder, '.vscode'));
      const text = JSON.stringify(settings({ folder, ...given }));
      fs.writeFileSync(path.join(folder, '.vscode/settings.json'), text);
    }
    return 'main.tf';
  };
}

/** A program that notes its start and becomes `command`. */
function wrapper(file, command) {
  const note = `${file}.started`;
  fs.writeFileSync(file, `#!/bin/sh\necho $$ >>'${note}'\nexec ${command} "$@"\n`, { mode: 0o755 });
  return { file, starts: () => (fs.existsSync(note) ? fs.readFileSync(note, 'utf8').trim().split('\n') : []) };
}

/** Saw the squiggle and the problem, took the quick fix, saved, and `fixed` must be on disk to the byte. */
function quickFix({ message, rule, fixed }) {
  return async window => {
    await window.squiggle();
    const row = await window.problem(message);
    assert.match(row, new RegExp(` auditlint ${rule} `));
    await window.clickSquiggle();
    await window.takeFirstQuickFix(FIX);
    await window.noSquiggle();
    await window.save();
    assert.equal(window.bytes('main.tf'), bytes(fixed));
    await window.noProblems();
  };
}

const takesTheFix = quickFix({ message: SHORT, rule: RULE, fixed: 'short.fixed.tf' });

let restarts;
let stranger;

export const scenarios = {
  'quick-fix-short': { prepare: folderWith('short.tf'), drive: takesTheFix },

  'quick-fix-missing': {
    prepare: folderWith('missing.tf'),
    drive: quickFix({
      message: 'never expires: nobody decided how long events are kept',
      rule: `${RULE}-unset`,
      fixed: 'missing.fixed.tf',
    }),
  },

  // Columns behind characters of two UTF-16 units, and CRLF.
  'quick-fix-wide': {
    prepare: folderWith('wide.tf'),
    drive: quickFix({ message: SHORT, rule: RULE, fixed: 'wide.fixed.tf' }),
  },

  'wrong-fix-is-noticed': {
    prepare: folderWith('short.tf', ({ root, server }) => {
      const lies = path.join(import.meta.dirname, '../wrong-fix.mjs');
      const { file } = wrapper(path.join(root, 'wrong-fix'), `'${process.execPath}' '${lies}' '${server}'`);
      return { 'auditlint.server.path': file };
    }),
    async drive(window) {
      // The wrong value is a finding of its own, so the squiggle stays; what must be noticed are the bytes.
      const patient = { ...bound(window), noSquiggle: async () => {} };
      await assert.rejects(takesTheFix(patient), error => {
        assert.equal(error.code, 'ERR_ASSERTION');
        assert.equal(error.actual, bytes('short.wrong.tf'));
        return true;
      });
    },
  },

  'unsaved-text': {
    prepare: folderWith('short.fixed.tf'),
    async drive(window) {
      await window.caret(3);
      await window.press('Backspace');
      await window.squiggle();
      await window.problem('keeps events for 9 days');
      await window.caret(3);
      await window.type('0');
      await window.noSquiggle();
      await window.noProblems();
      await window.caret(3);
      await window.press('Backspace');
      await window.squiggle();
      assert.equal(window.bytes('main.tf'), bytes('short.fixed.tf'));
    },
  },

  'unsaved-policy': {
    prepare: folderWith('short.tf'),
    async drive(window) {
      await window.problem(SHORT);
      await window.go('.auditlint.yaml');
      await window.caret(3);
      // 90_days becomes 9_days.
      await window.press('ArrowLeft', 'ArrowLeft', 'ArrowLeft', 'ArrowLeft', 'ArrowLeft', 'Backspace');
      await window.noProblems();
      assert.equal(window.bytes('.auditlint.yaml'), bytes('policy.yaml'));
    },
  },

  'fix-all-on-save': {
    prepare: folderWith('short.tf', () => ({
      'editor.codeActionsOnSave': { 'source.fixAll.auditlint': 'explicit' },
    })),
    async drive(window) {
      await window.problem(SHORT);
      // A workbench that has just opened sometimes saves without asking the server for its actions.
      await window.page.waitForTimeout(3000);
      await window.caret(4);
      await window.press('Enter');
      await window.save();
      assert.equal(window.bytes('main.tf'), `${bytes('short.fixed.tf')}\n`);
      await window.noProblems();
    },
  },

  'restart': {
    prepare: folderWith('short.tf', ({ root, server }) => {
      restarts = wrapper(path.join(root, 'restarted'), `'${server}'`);
      return { 'auditlint.server.path': restarts.file };
    }),
    async drive(window) {
      await window.problem(SHORT);
      const [first] = restarts.starts();
      assert.equal(restarts.starts().length, 1);
      await window.command('auditlint: Restart Server');
      await until(() => restarts.starts().length === 2 && !fs.existsSync(`/proc/${first}`));
      await window.problem(SHORT);
      await window.caret(3);
      await window.press('Backspace');
      await window.problem('keeps events for 3 days');
    },
  },

  'no-server': {
    prepare: folderWith('short.tf', () => ({ 'auditlint.server.path': 'no-such-server' })),
    async drive(window) {
      const text = 'The setting auditlint.server.path names no-such-server, which is not on PATH.';
      const toast = window.page.locator('.notification-toast', { hasText: text });
      await toast.waitFor();
      await toast.locator('.monaco-button', { hasText: 'Open Settings' }).click();
      await window.page.locator('.settings-editor .setting-item-label', { hasText: 'Path' }).first().waitFor();
    },
  },

  // What a stranger's repository names is not run before the workspace is trusted, and the rest works.
  'untrusted': {
    trust: true,
    prepare: folderWith('short.tf', ({ root, server }) => {
      stranger = wrapper(path.join(root, 'stranger'), `'${server}'`);
      return { 'auditlint.server.path': stranger.file };
    }),
    async drive(window) {
      await window.page.locator('.statusbar-item', { hasText: 'Restricted Mode' }).waitFor();
      await window.problem(SHORT);
      assert.deepEqual(stranger.starts(), []);
    },
  },
};

/** The window as an object whose methods can be replaced one by one. */
function bound(window) {
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(window)).filter(name => name !== 'constructor');
  return Object.fromEntries(names.map(name => [name, window[name].bind(window)]));
}

async function until(holds) {
  const deadline = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`did not come true: ${holds}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}
