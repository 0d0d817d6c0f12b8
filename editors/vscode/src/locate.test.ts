import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';

import { locate, type Places } from './locate';

/** A folder with an extension, a workspace and a folder of binaries, in which `files` can be run. */
function scene(files: readonly string[]): { readonly root: string; readonly places: Places } {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'auditlint-locate-'));
  after(() => {
    fs.rmSync(root, { recursive: true });
  });
  for (const folder of ['extension/server', 'workspace', 'bin', 'home']) {
    fs.mkdirSync(path.join(root, folder), { recursive: true });
  }
  for (const file of files) fs.writeFileSync(path.join(root, file), '', { mode: 0o755 });
  const places: Places = {
    setting: '',
    extension: path.join(root, 'extension'),
    workspace: path.join(root, 'workspace'),
    searchPath: path.join(root, 'bin'),
    platform: 'linux',
  };
  return { root, places };
}

test('the binary inside of the extension goes before PATH', () => {
  const { root, places } = scene(['extension/server/auditlint', 'bin/auditlint']);
  assert.deepEqual(locate(places), {
    kind: 'found',
    command: path.join(root, 'extension/server/auditlint'),
    origin: 'bundled',
  });
});

test('PATH is the last resort', () => {
  const { root, places } = scene(['bin/auditlint']);
  assert.deepEqual(locate(places), { kind: 'found', command: path.join(root, 'bin/auditlint'), origin: 'PATH' });
});

test('the setting goes before everything, in each of its forms', () => {
  const { root, places } = scene([
    'extension/server/auditlint',
    'bin/auditlint',
    'bin/auditlint-next',
    'workspace/auditlint',
  ]);
  const forms = [
    [path.join(root, 'bin/auditlint-next'), 'bin/auditlint-next'],
    ['auditlint-next', 'bin/auditlint-next'],
    ['./auditlint', 'workspace/auditlint'],
  ] as const;
  for (const [setting, file] of forms) {
    const found = locate({ ...places, setting });
    assert.deepEqual(found, { kind: 'found', command: path.join(root, file), origin: 'setting' });
  }
});

test('a setting that names nothing is an error, though another binary is there', () => {
  const { places } = scene(['extension/server/auditlint', 'bin/auditlint']);
  for (const setting of ['/nowhere/auditlint', 'no-such-name', 'tools/auditlint', '~/no/such/file']) {
    const found = locate({ ...places, setting });
    assert.equal(found.kind, 'missing', setting);
    assert.match(found.reason, /auditlint\.server\.path/);
  }
  assert.equal(locate({ ...places, setting: './auditlint', workspace: undefined }).kind, 'missing');
});

test('a file that cannot be run, or a folder of the name, is not the server', () => {
  const { root, places } = scene([]);
  fs.writeFileSync(path.join(root, 'bin/auditlint'), '', { mode: 0o644 });
  fs.mkdirSync(path.join(root, 'extension/server/auditlint'));
  assert.equal(locate(places).kind, 'missing');
});

test('an entry of PATH that is relative is never looked into', () => {
  const { root, places } = scene(['workspace/auditlint']);
  const before = process.cwd();
  process.chdir(path.join(root, 'workspace'));
  try {
    assert.equal(locate({ ...places, searchPath: '.::' }).kind, 'missing');
  } finally {
    process.chdir(before);
  }
});

test('on Windows the binary has its extension', () => {
  const { root, places } = scene(['extension/server/auditlint.exe']);
  assert.deepEqual(locate({ ...places, platform: 'win32' }), {
    kind: 'found',
    command: path.join(root, 'extension/server/auditlint.exe'),
    origin: 'bundled',
  });
});
