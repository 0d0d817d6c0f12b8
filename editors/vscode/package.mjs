// Packages the extension as `auditlint.vsix`, or as the file named on the command line.
//
//   --target PLATFORM --server FILE    for one platform, with the binary for it inside
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  options: { target: { type: 'string' }, server: { type: 'string' } },
  allowPositionals: true,
});
if ((values.target === undefined) !== (values.server === undefined)) {
  throw new Error('--target and --server belong together: a binary runs on one platform only');
}

// What an earlier run left must not slip in: a binary for another platform, say.
fs.rmSync('server', { recursive: true, force: true });
if (values.server !== undefined) {
  const name = values.target.startsWith('win32') ? 'auditlint.exe' : 'auditlint';
  fs.mkdirSync('server');
  fs.copyFileSync(values.server, `server/${name}`);
  fs.chmodSync(`server/${name}`, 0o755);
}

const license = '../../LICENSE';
const licensed = fs.existsSync(license);
if (licensed) fs.copyFileSync(license, 'LICENSE');

const args = ['vsce', 'package', '--no-dependencies', '--out', positionals[0] ?? 'auditlint.vsix'];
if (!licensed) args.push('--skip-license');
if (values.target !== undefined) args.push('--target', values.target);
execFileSync('npx', ['--no-install', ...args], { stdio: 'inherit' });
