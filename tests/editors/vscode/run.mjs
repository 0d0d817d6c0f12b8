// Drives the extension in VS Code's workbench.
//
//   node run.mjs E2E-FOLDER VSIX SERVER [SCENARIO…]
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { scenarios } from './scenarios.mjs';
import { Workbench } from './workbench.mjs';

// Whoever ends the run, or stops reading it, ends the workbench too.
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
process.stdout.on('error', () => process.exit(1));

const [e2e, vsix, server] = process.argv.slice(2, 5).map(argument => path.resolve(argument));
const named = process.argv.slice(5);
for (const name of named) if (!(name in scenarios)) throw new Error(`there is no scenario ${name}`);
const pictures = path.join(e2e, 'pictures');
fs.mkdirSync(pictures, { recursive: true });
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'auditlint-vscode-'));
let passed = 0;
let failed = 0;

async function run(name, workbench, scenario) {
  const began = Date.now();
  const took = () => `${((Date.now() - began) / 1000).toFixed(1)} s`;
  const picture = path.join(pictures, `vscode-${name}.png`);
  fs.rmSync(picture, { force: true });
  let window;
  try {
    const folder = path.join(root, name);
    fs.mkdirSync(folder);
    const file = scenario.prepare({ folder, server, root });
    window = await workbench.open(folder, file);
    await scenario.drive(window);
    passed += 1;
    console.log(`ok      vscode: ${name} (${took()})`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  vscode: ${name} (${took()}), see ${picture}`);
    console.log(error.stack);
  }
  try {
    await window?.page.screenshot({ path: picture });
    await window?.page.close();
  } catch (error) {
    console.log(`no picture of ${name}: ${error.message}`);
  }
}

for (const trust of [false, true]) {
  const wanted = Object.entries(scenarios).filter(
    ([name, scenario]) => (scenario.trust ?? false) === trust && (named.length === 0 || named.includes(name)),
  );
  if (wanted.length === 0) continue;
  const scratch = path.join(root, trust ? 'with-trust' : 'without-trust');
  const settings = { 'auditlint.server.path': server };
  let workbench;
  try {
    workbench = await Workbench.start({ e2e, scratch, vsix, settings, trust });
    for (const [name, scenario] of wanted) await run(name, workbench, scenario);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  vscode: the workbench\n${error.stack}`);
  }
  await workbench?.stop();
}

if (failed === 0) fs.rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
else console.log(`kept ${root}`);
console.log(`vscode: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
