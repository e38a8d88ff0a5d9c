// The vectors of docs/protocol, run by the app's own modules.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Client } from '../../pb_public/sync/client.js';
import { Writes, ask, standingHash } from '../../pb_public/sync/exchange.js';
import { takeSnapshot } from '../../pb_public/sync/later/snapshot.js';
import { authorization, base64url, newKey, signingBytes, unbase64url, verify } from '../../pb_public/sync/keys.js';
import { overlay } from '../../pb_public/sync/overlay.js';
import { MemoryStore } from '../../pb_public/sync/store.js';
import { feed, phone, unzero, wire, written } from './phone.mjs';
import { content, crc32c, packNumbers, part, place, show } from '../../pb_public/sync/sums.js';
import { circleSums, total } from '../../pb_public/sync/compare.js';

const read = name => JSON.parse(readFileSync(new URL('../../docs/protocol/' + name, import.meta.url), 'utf8'));
const bytes = hex => Uint8Array.from(Buffer.from(hex, 'hex'));

const signed = read('sign.json');
for (const c of signed.cases) {
  test('sign: ' + c.name, async () => {
    const body = bytes(c.body_hex);
    assert.equal(Buffer.from(signingBytes(c.method, c.path, body)).toString('hex'), c.bytes_hex);
    const [phoneId, sig] = c.authorization.slice('Phone '.length).split('.');
    assert.equal(phoneId, c.phone);
    assert.equal(await verify(c.key, sig, signingBytes(c.method, c.path, body)) ?? false, c.good);
    if (!c.good || !c.key.startsWith('ed25519:')) return;
    const pkcs8 = Buffer.concat([bytes('302e020100300506032b657004220420'), bytes(signed.seed_hex)]);
    const privateKey = await crypto.subtle.importKey('pkcs8', pkcs8, { name: 'Ed25519' }, false, ['sign']);
    assert.equal(await authorization({ kind: 'ed25519', pair: { privateKey }, text: c.key }, c.phone, c.method, c.path, body), c.authorization);
    assert.equal(base64url(unbase64url(sig)), sig);
  });
}

for (const c of read('standing.json').cases) test('standing: ' + c.name, async () => assert.equal(await standingHash(c.circles), c.hash));

for (const c of read('ask.json').cases) {
  test('ask: ' + c.name, () => assert.deepEqual(ask(phone(c.phone), { app: c.app, want: c.want, clock: new Date(c.clock ?? 0) }), c.ask));
}

for (const c of read('overlay.json').cases) {
  test('overlay: ' + c.name, () => {
    const s = phone({ records: Object.fromEntries(Object.entries(c.records).map(([coll, of]) => [coll, Object.fromEntries(Object.entries(of).map(([id, set]) => [id, { seq: 1, in: ['commune'], set }]))])), edits: c.edits });
    const seen = overlay(s.records.get(c.coll), [...s.edits.values()].sort((a, b) => a.edit.n - b.edit.n), c.coll);
    assert.deepEqual(Object.fromEntries([...seen].map(([id, { id: _, $waits, ...fields }]) => [id, unzero(fields)])), c.sees);
    assert.deepEqual([...seen.values()].filter(v => v.$waits).map(v => v.id).sort(), c.waits);
  });
}

for (const c of read('answer.json').cases) {
  test('answer: ' + c.name, async () => {
    const s = phone(c.before);
    const a = await feed(s, wire(c.answer, c.tail));
    assert.deepEqual(written(s), written(phone(c.after)));
    assert.equal(a.ended || 'cut', c.ended);
    assert.equal(a.retryIn, c.retry_in ?? 0);
  });
}

// An answer cut at any byte, and then given whole, leaves the phone as if it had never been cut.
for (const c of read('answer.json').cases.filter(c => c.ended === 'complete' && !c.tail)) {
  test('answer cut anywhere and repeated: ' + c.name, async () => {
    const raw = wire(c.answer);
    const once = phone(c.before);
    await feed(once, raw);
    for (let cut = 0; cut < raw.length; cut++) {
      const s = phone(c.before), a = await feed(s, raw.subarray(0, cut));
      if (a.ended) break;
      assert.equal(s.place.cursor === (c.before.cursor ?? 0) || s.place.cursor === 0, true);
      await feed(s, raw);
      assert.deepEqual(written(s), written(once), 'cut at byte ' + cut);
    }
  });
}

for (const c of read('snapshot.json').cases) {
  test('snapshot: ' + c.name, () => {
    const s = phone({});
    assert.equal(Boolean(takeSnapshot(s, c.lines)), Boolean(c.records));
    assert.deepEqual(written(s).records, written(phone({ records: c.records })).records);
  });
}

for (const c of read('compare.json').cases) {
  test('compare: ' + c.name, async () => {
    const store = new MemoryStore(), asks = [], s = phone(c.before);
    await store.move({ phone: 'phone0000000001', person: { id: 'lan000000000000', name: 'Lan' }, label: '', key: await newKey() });
    const all = new Writes();
    all.place = true;
    for (const [coll, of] of s.records) for (const r of of.values()) all.put(coll, r.id, r);
    await store.write(all, s);
    const client = new Client(store, { fetch: async (_, { body }) => {
      asks.push(JSON.parse(new TextDecoder().decode(body)).check);
      return new Response(wire(c.meeting[asks.length - 1].answer), { headers: { 'Content-Type': 'application/x-ndjson' } });
    } });
    await client.reload();
    await client.sync();
    assert.deepEqual(asks, c.meeting.map(m => m.check));
    assert.equal(client.state.place.mismatches, c.mismatches ?? 0);
    assert.equal(client.state.place.check, '');
  });
}

const sums = read('sums.json');
for (const c of sums.crc) test('crc: ' + c.text, () => assert.equal(crc32c([new TextEncoder().encode(c.text)]), c.crc));
for (const c of sums.cases) {
  test('sum: ' + c.name, () => {
    assert.equal(show(content(c.set)), c.content);
    assert.equal(show(place(c.circle, c.coll, c.id, c.seq)), c.sum);
    assert.equal(show(place(c.circle, c.coll, c.id, c.seq, content(c.set))), c.deep);
    assert.equal(part(c.coll, c.id, 6), c.part);
  });
}
test('sum of a phone', () => {
  const s = phone(sums.phone.before);
  assert.equal(total(s), sums.phone.sum);
  assert.deepEqual(circleSums(s, false).sums, sums.phone.circles);
  assert.equal(packNumbers(sums.numbers.list), sums.numbers.text);
});
