// Bundles the extension into one file, or with `--tests` its unit tests.
import { build } from 'esbuild';
import fs from 'node:fs';

const tests = process.argv.includes('--tests');
const out = tests ? 'dist-test' : 'dist';
fs.rmSync(out, { recursive: true, force: true });
await build({
  entryPoints: tests ? fs.readdirSync('src').filter(name => name.endsWith('.test.ts')).map(name => `src/${name}`) : ['src/extension.ts'],
  outdir: out,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  external: ['vscode'],
  minify: !tests,
  logLevel: 'warning',
});
