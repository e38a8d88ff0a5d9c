// The courier: the vectors that Go sealed, and two phones with a carrier over a server in a few lines.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Client } from '../../pb_public/sync/client.js';
import { newId } from '../../pb_public/sync/edits.js';
import { newKey, unbase64url } from '../../pb_public/sync/keys.js';
import { MemoryStore } from '../../pb_public/sync/store.js';
import { Courier, Full, MemoryShelf, openAnswer, parse, sealBundle } from '../../pb_public/sync/later/courier.js';
import { join, newPair, open, rawKey, seal } from '../../pb_public/sync/later/hpke.js';
import { Collector, base45, parts, unbase45 } from '../../pb_public/sync/later/parts.js';

const v = JSON.parse(readFileSync(new URL('../../docs/protocol/courier.json', import.meta.url), 'utf8'));
const bytes = hex => Uint8Array.from(Buffer.from(hex, 'hex')), hexOf = b => Buffer.from(b).toString('hex');
const sha = async b => new Uint8Array(await crypto.subtle.digest('SHA-256', b));
const text = b => new TextDecoder().decode(b);

/** A pair from the bytes of its halves. */
async function pair(privateHex, publicHex) {
  const b64 = b => Buffer.from(b).toString('base64url'), pub = bytes(publicHex), how = { name: 'ECDH', namedCurve: 'P-256' };
  const jwk = { kty: 'EC', crv: 'P-256', x: b64(pub.subarray(1, 33)), y: b64(pub.subarray(33)) };
  return { publicKey: await crypto.subtle.importKey('raw', pub, how, true, []), privateKey: await crypto.subtle.importKey('jwk', { ...jwk, d: b64(bytes(privateHex)) }, how, false, ['deriveBits']) };
}
const server = await pair(v.server.private_hex, hexOf(unbase64url(v.server.key.slice(5))));

test('HPKE is that of RFC 9180', async () => {
  const r = v.rfc9180;
  assert.equal(hexOf(await open(await pair(r.private, r.public), bytes(r.info), bytes(r.enc + r.ciphertext), bytes(r.aad))), r.plain);
});

test('what is sealed here is opened here, and by nobody else', async () => {
  const mine = await newPair(), other = await newPair(), box = await seal(await rawKey(mine.publicKey), bytes('01'), bytes('0203'));
  assert.equal(hexOf(await open(mine, bytes('01'), box)), '0203');
  await assert.rejects(open(other, bytes('01'), box));
  await assert.rejects(open(mine, bytes('02'), box));
  for (let i = 0; i < box.length; i++) { const bad = box.slice(); bad[i] ^= 1; await assert.rejects(open(mine, bytes('01'), bad)); }
});

/** What the server does: opens a bundle. */
async function opened(e) {
  const plain = await open(server, join('langso courier ask', e.raw.subarray(0, 25)), e.box), n = plain[0];
  const at = 1 + n, size = new DataView(plain.buffer).getUint32(at + 64 + 65 + 1), body = plain.slice(at + 134, at + 134 + size);
  const ask = plain[at + 129] ? new Uint8Array(await new Response(new Blob([body]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer()) : body;
  return { phone: text(plain.slice(1, at)), reply: plain.slice(at + 64, at + 129), ask: JSON.parse(text(ask)), raw: text(ask) };
}

async function answered(e, reply, status, body) {
  const plain = join(status >> 8, status & 255, 0, new Uint8Array(new Uint32Array([0]).buffer), body), size = text => new TextEncoder().encode(text).length;
  new DataView(plain.buffer).setUint32(3, size(body));
  const to = (await sha(reply)).slice(0, 8), head = join('LSC1', 'A', bytes(e.id), to, new Uint8Array(4));
  new DataView(head.buffer).setUint32(21, plain.length + 81);
  return join(head, await seal(reply, join('langso courier answer', await sha(e.raw), head), plain));
}

for (const c of v.bundles.filter(c => c.opens === 'yes')) {
  test('bundle: ' + c.name, async () => {
    const got = await opened(parse(bytes(c.bundle_hex)).all[0]);
    assert.deepEqual([got.phone, got.raw], [c.phone, c.ask]);
  });
}
for (const c of v.bundles.filter(c => c.opens === 'bad')) test('bundle: ' + c.name, () => assert.rejects(opened(parse(bytes(c.bundle_hex)).all[0])));

for (const c of v.answers) {
  test('answer: ' + c.name, async () => {
    const sent = { reply: await pair(c.reply_private_hex, c.reply_public_hex), box: await sha(bytes(c.bundle_hex)) }, e = parse(bytes(c.answer_hex)).all[0];
    if (c.opens !== 'yes') return assert.rejects(openAnswer(sent, e));
    const got = await openAnswer(sent, e);
    assert.deepEqual([got.status, text(got.body)], [c.status, c.body]);
  });
}

for (const c of v.parts) {
  test('parts: ' + c.name, async () => {
    assert.deepEqual(await parts(bytes(c.file_hex)), c.texts);
    const all = new Collector();
    let file;
    for (const [i, t] of c.texts.toReversed().entries()) { assert.equal(all.have, i); file = await all.add(t); }
    assert.equal(hexOf(file), c.file_hex);
  });
}

test('parts: of another file, cut, twice, wrong', async () => {
  const four = v.parts.find(c => c.texts.length > 2).texts, one = v.parts.find(c => c.texts.length === 1).texts, all = new Collector();
  await all.add(four[1]);
  await all.add(four[1]);
  assert.deepEqual([all.of, all.have], [four.length, 1]);
  for (const bad of [one[0], four[0].slice(0, -1), four[0].toLowerCase(), 'https://x', four[0].replace('1-', '9-')]) await assert.rejects(all.add(bad));
  assert.equal(unbase45(base45(bytes('00ff01'))).join(), '0,255,1');
  for (const bad of ['GGW0', ':::', '::', 'a00']) assert.equal(unbase45(bad), undefined);
});

const at = new Date('2026-11-24T06:10:00Z');

/** A phone of Lan's without a network, and the courier in it. */
async function lan() {
  const c = new Client(new MemoryStore(), { now: () => at, fetch: async () => { throw new TypeError('no network'); } });
  await c.store.move({ phone: 'ph', person: { id: 'lan', name: 'Lan' }, label: 'máy', key: await newKey() });
  await c.store.note({ seal: v.server.key });
  await c.reload();
  return { c, courier: new Courier(c, new MemoryShelf()) };
}

/** A neighbour's phone; what the server answers to each ask is decided by answer. */
async function neighbour(answer) {
  const asks = [];
  const c = new Client(new MemoryStore(), {
    now: () => at,
    fetch: async (to, { body }) => {
      assert.equal(to, '/api/sync/courier');
      const out = [];
      for (const e of parse(body).all) {
        const got = await opened(e);
        asks.push(got.ask);
        const [status, lines] = answer(got.ask, asks.length);
        out.push(await answered(e, got.reply, status, lines.map(l => JSON.stringify(l) + '\n').join('')));
      }
      return new Response(join(...out), { headers: { 'Content-Type': 'application/x-langso' } });
    },
  });
  return { courier: new Courier(c, new MemoryShelf()), asks };
}

test('a neighbour delivers, and verdicts come home', async () => {
  const { c, courier } = await lan(), { courier: bay, asks } = await neighbour(a => [200, [{ retry_in: 5 }]]);
  await c.edit({ coll: 'drafts', id: newId(), create: { note: 'riêng của Lan' } });
  const { file, edits, left } = await courier.pack();
  assert.deepEqual([edits, left, file.length % 256], [1, 0, 0]);
  assert.equal(text(file).includes('riêng'), false);
  assert.equal(await bay.carry(file), 1);
  await bay.carry(file);
  assert.deepEqual(await bay.carried(), { waiting: 1, answered: 0 });
  assert.equal(await bay.deliver(), 1);
  assert.deepEqual(await bay.carried(), { waiting: 0, answered: 1 });
  assert.deepEqual([asks[0].clock, asks[0].snapshots, asks[0].edits.length], [undefined, undefined, 1]);
  const got = await courier.unpack(await bay.answers());
  assert.deepEqual([got.answers, got.damaged, got.others], [1, 0, 0]);
  await bay.givenBack();
  assert.deepEqual(await bay.carried(), { waiting: 0, answered: 0 });
});

const { crc32c } = await import('../../pb_public/sync/sums.js');
/** Lines as one chunk. */
const chunk = (...lines) => [...lines.slice(0, -1), { ...lines.at(-1), crc: crc32c(lines.slice(0, -1).map(l => new TextEncoder().encode(JSON.stringify(l) + '\n'))) }];
const takes = a => [200, chunk({ verdicts: a.edits.map(e => ({ n: e.n, is: 'taken' })), acked: a.edits.at(-1).n }, { complete: { cursor: 10, epoch: 'e', sum: '0000000000000000' } })];

test('an answer counts whole when nothing newer was heard', async () => {
  const { c, courier } = await lan(), { courier: bay } = await neighbour(takes);
  await c.edit({ coll: 'drafts', id: 'd1', create: {} });
  await bay.carry((await courier.pack()).file);
  await c.edit({ coll: 'drafts', id: 'd2', create: {} });
  await bay.deliver();
  const got = await courier.unpack(await bay.answers());
  assert.deepEqual([got.late, got.verdicts.length, c.state.place.cursor, c.waiting.length], [0, 1, 10, 1]);
  assert.equal((await courier.unpack(await bay.answers())).others, 1);
});

test('a late answer takes verdicts only, and only of the history and the edits it was carried with', async () => {
  for (const [what, change, waiting] of [
    ['the cursor moved', c => { c.state.place.cursor = 20; }, 0],
    ['another history', c => { Object.assign(c.state.place, { epoch: 'f', cursor: 20 }); }, 1],
    ['the number is another edit\'s', c => { c.state.place.cursor = 20; c.state.edits.get(1).edit.id = 'dx'; }, 1],
  ]) {
    const { c, courier } = await lan(), { courier: bay } = await neighbour(takes);
    await c.edit({ coll: 'drafts', id: 'd1', create: {} });
    await bay.carry((await courier.pack()).file);
    await bay.deliver();
    change(c);
    const got = await courier.unpack(await bay.answers());
    assert.deepEqual([got.late, c.waiting.length, c.state.place.cursor], [1, waiting, 20], what);
  }
});

test('a blocked phone is wiped by its own answer, not by an old one', async () => {
  for (const late of [false, true]) {
    const { c, courier } = await lan(), { courier: bay } = await neighbour(() => [403, [{ code: 'phone_blocked', say: 'Máy bị chặn.', wipe: true }]]);
    c.state.records.set('villages', new Map([['v', { id: 'v', seq: 1, in: ['commune'], set: {} }]]));
    await c.edit({ coll: 'drafts', id: 'd1', create: {} });
    await bay.carry((await courier.pack()).file);
    await bay.deliver();
    if (late) c.state.place.cursor = 20;
    const got = await courier.unpack(await bay.answers());
    assert.deepEqual([got.refused[0].code, c.waiting.length, c.all('villages').length], ['phone_blocked', 1, late ? 1 : 0]);
  }
});

test('damaged answers, others\' answers, and too many bundles', async () => {
  const { c, courier } = await lan(), other = await lan(), { courier: bay } = await neighbour(takes);
  await c.edit({ coll: 'drafts', id: 'd1', create: {} });
  await bay.carry((await courier.pack()).file);
  await bay.deliver();
  const answers = await bay.answers(), bad = answers.slice();
  bad[bad.length - 1] ^= 1;
  assert.equal((await courier.unpack(bad)).damaged, 1);
  assert.equal((await other.courier.unpack(answers)).others, 1);
  assert.equal(c.waiting.length, 1);
  for (let i = 0; i < 19; i++) await bay.carry((await courier.pack()).file);
  await assert.rejects(bay.carry((await courier.pack()).file), Full);
  await assert.rejects(bay.carry(new TextEncoder().encode('ảnh')));
});

test('a phone that never met the server says so', async () => {
  const { c, courier } = await lan();
  await c.note({ seal: undefined });
  await assert.rejects(courier.pack(), /Lần đầu cần có mạng/);
});

test('a bundle sealed here is 64 kB at most', async () => {
  const noise = Buffer.from(join(crypto.getRandomValues(new Uint8Array(60_000)), crypto.getRandomValues(new Uint8Array(10_000)))).toString('base64');
  assert.equal(await sealBundle(v.server.key, 'ph', async () => new Uint8Array(64), { v: 1, app: noise }), undefined);
});

// SEAL_VECTOR=<file>: seal the vector of the browser anew, for Go to open.
if (process.env.SEAL_VECTOR) {
  const pairKey = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const { signingBytes, base64url } = await import('../../pb_public/sync/keys.js');
  const ask = { v: 1, epoch: 'k3v9', cursor: 120, edits: [{ n: 1, coll: 'drafts', id: 'dr4ft0000000001', create: { note: 'Cháu gửi ạ' } }] };
  const made = await sealBundle(v.server.key, 'ph0ne0000000002', async body => new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pairKey.privateKey, signingBytes('POST', '/api/sync/courier', body))), ask);
  const { writeFileSync } = await import('node:fs');
  writeFileSync(process.env.SEAL_VECTOR, JSON.stringify({ name: 'sealed by a browser, signed by a P-256 key', made: 'javascript', phone_key: 'p256:' + base64url(new Uint8Array(await crypto.subtle.exportKey('raw', pairKey.publicKey))), phone: 'ph0ne0000000002', ask: JSON.stringify(ask), bundle_hex: hexOf(made.file), opens: 'yes' }));
}
