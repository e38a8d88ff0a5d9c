// What every driver here speaks: one command a line on stdin, {"do": name, …}, one
// answer a line on stdout, {…} or {"error": text}. stdout is for answers alone.
import { createInterface } from 'node:readline';
import * as zlib from 'node:zlib';

// What browsers ask for over https; node's own fetch asks for gzip alone.
const accept = 'gzip, deflate, br' + (zlib.createZstdDecompress ? ', zstd' : '');
const plain = globalThis.fetch;
globalThis.fetch = (to, options = {}) => {
  const headers = new Headers(options.headers ?? to.headers);
  headers.set('Accept-Encoding', accept);
  return plain(to, { ...options, headers });
};

const answer = what => process.stdout.write(JSON.stringify(what) + '\n');
for (const quiet of ['log', 'info', 'debug', 'warn']) console[quiet] = console.error;

const optional = { rest() {} };

/** Carries out commands until stdin ends, then the command "close", if there is one. */
export async function serve(commands) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { do: what, ...args } = JSON.parse(line);
    try {
      answer(await (commands[what] ?? optional[what])(args) ?? {});
    } catch (err) {
      answer({ error: String(err?.stack ?? err) });
    }
  }
  await commands.close?.();
  process.exit(0);
}
