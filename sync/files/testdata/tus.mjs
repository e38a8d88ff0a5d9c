// Uploads by tus-js-client: whole, with data in the creation, over a cable that
// breaks, and one that is terminated. Each request is signed as docs/PROTOCOL.md
// says.
import assert from 'node:assert';
import { createHash, createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as tus from 'tus-js-client';

const { PLAIN, BREAKING, PHONE, SEED } = process.env;
const key = createPrivateKey({ key: Buffer.from('302e020100300506032b657004220420' + SEED, 'hex'), format: 'der', type: 'pkcs8' });

function authorize(req) {
  const path = new URL(req.getURL()).pathname;
  const signed = ['Upload-Length', 'Upload-Metadata', 'Upload-Offset', 'Upload-Checksum'].map(name => req.getHeader(name) ?? '').join('\n');
  const sig = sign(null, Buffer.from('langso1\n' + req.getMethod() + ' ' + path + '\n' + signed), key);
  req.setHeader('Authorization', 'Phone ' + PHONE + '.' + sig.toString('base64url'));
}

/** Begins an upload; what becomes of it is the promise. */
function send(name, base, more = {}) {
  const bytes = readFileSync(name);
  const metadata = { sha256: createHash('sha256').update(bytes).digest('hex') };
  const seen = { requests: [], sum: metadata.sha256 };
  const done = new Promise((yes, no) => {
    seen.upload = new tus.Upload(bytes, {
      endpoint: base + '/api/files/uploads', metadata, retryDelays: [0, 10, 50, 100, 200], storeFingerprintForResuming: false,
      onBeforeRequest: req => { seen.requests.push(req.getMethod()); authorize(req); }, onSuccess: yes, onError: no, ...more,
    });
    seen.upload.start();
  });
  return { seen, done };
}

{ // In one piece.
  const { seen, done } = send('0.jpg', PLAIN);
  await done;
  assert.deepEqual(seen.requests, ['POST', 'PATCH']);
}
{ // The first piece goes with the creation; pieces of 100 kB.
  const { seen, done } = send('1.jpg', PLAIN, { uploadDataDuringCreation: true, chunkSize: 100_000 });
  await done;
  assert.equal(seen.requests[0], 'POST');
  assert.ok(seen.requests.filter(m => m === 'PATCH').length >= 2, seen.requests.join());
}
{ // The cable breaks in the middle: it asks how far it came and goes on.
  const { seen, done } = send('2.jpg', BREAKING);
  await done;
  assert.ok(seen.requests.includes('HEAD'), seen.requests.join());
}
{ // Another program asks for the offset of an upload, goes on with it, and it is terminated.
  let stopped;
  const halted = new Promise(yes => { stopped = yes; });
  const { seen } = send('3.jpg', PLAIN, { chunkSize: 50_000, onChunkComplete: async (_, at) => { if (at >= 100_000) { await seen.upload.abort(); stopped(); } } });
  await halted;
  const url = seen.upload.url;
  const again = send('3.jpg', PLAIN, { uploadUrl: url, chunkSize: 50_000, onChunkComplete: async () => { await again.seen.upload.abort(true); again.over(); } });
  await new Promise(yes => { again.over = yes; });
  assert.equal(again.seen.requests[0], 'HEAD');
  assert.equal(again.seen.requests.at(-1), 'DELETE');
  const gone = { getMethod: () => 'HEAD', getURL: () => url, getHeader: () => undefined, headers: { 'Tus-Resumable': '1.0.0' }, setHeader(n, v) { this.headers[n] = v; } };
  authorize(gone);
  assert.equal((await fetch(url, { method: 'HEAD', headers: gone.headers })).status, 404);
}
console.log('tus-js-client passes');
