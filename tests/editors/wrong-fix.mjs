// A server that lies: it passes everything on between the client and the real server, and writes 89 where a fix of
// the real one writes 90. A test that passes with it looks at nothing.
//
//   node wrong-fix.mjs SERVER [ARGUMENT…]
import { spawn } from 'node:child_process';

const [command, ...args] = process.argv.slice(2);
const server = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
process.stdin.pipe(server.stdin);
server.on('exit', code => process.exit(code ?? 1));

function falsify(value) {
  if (Array.isArray(value)) return value.map(falsify);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === 'newText' ? inner.replace(/\b90\b/, '89') : falsify(inner),
    ]),
  );
}

let pending = Buffer.alloc(0);
server.stdout.on('data', chunk => {
  pending = Buffer.concat([pending, chunk]);
  for (;;) {
    const head = pending.indexOf('\r\n\r\n');
    if (head < 0) return;
    const length = Number(/Content-Length: (\d+)/i.exec(pending.subarray(0, head).toString())[1]);
    const end = head + 4 + length;
    if (pending.length < end) return;
    const body = Buffer.from(JSON.stringify(falsify(JSON.parse(pending.subarray(head + 4, end).toString()))));
    pending = pending.subarray(end);
    process.stdout.write(`Content-Length: ${body.length}\r\n\r\n`);
    process.stdout.write(body);
  }
});
