// The client against a server in a few lines: what is stored, sent, repeated and kept.
import assert from 'node:assert/strict';
import { gunzipSync } from 'node:zlib';
import { test } from 'node:test';
import { Client } from '../../pb_public/sync/client.js';
import { compose, newId, renumber, spent, takeUp, write } from '../../pb_public/sync/edits.js';
import { maxEdits, ask } from '../../pb_public/sync/exchange.js';
import { total } from '../../pb_public/sync/compare.js';
import { content, packNumbers, part, place, unpackNumbers } from '../../pb_public/sync/sums.js';
import { newKey, signingBytes, verify } from '../../pb_public/sync/keys.js';
import { MemoryStore } from '../../pb_public/sync/store.js';
import { feed, phone, wire } from './phone.mjs';

const at = new Date('2026-11-24T06:10:00Z');
/** An answer in which each line but changes is a chunk of its own. */
const nd = (...objects) => new Response(wire(chunked(objects)), { headers: { 'Content-Type': 'application/x-ndjson' } });
function chunked(objects) {
  let open = false;
  return objects.flatMap(o => {
    if (o.changes) { open = true; return [o]; }
    const ends = o.complete || o.more || o.retry_in, lines = ends ? [open ? { ...o, crc: '*' } : o] : [o, { mark: '', crc: '*' }];
    open = false;
    return lines;
  });
}
const json = (o, status = 200, headers = {}) => new Response(JSON.stringify(o), { status, headers: { 'Content-Type': 'application/json', ...headers } });

/** A client signed in as Lan, over a store in memory; answer decides what the server says to each ask. */
async function lan(answer, store = new MemoryStore()) {
  const asks = [];
  const c = new Client(store, {
    now: () => at,
    fetch: async (to, { headers, body }) => {
      if (to !== '/api/sync') return answer({ to, body: JSON.parse(new TextDecoder().decode(body)) });
      const sig = headers.Authorization.split('.')[1];
      assert.equal(await verify(c.account.key.text, sig, signingBytes('POST', to, body)), true);
      const plain = headers['Content-Encoding'] === 'gzip' ? gunzipSync(body) : body;
      const got = { ...JSON.parse(new TextDecoder().decode(plain)), packed: headers['Content-Encoding'] };
      asks.push(got);
      return answer(got, asks.length);
    },
  });
  if (!(await store.load()).account) await store.move({ phone: 'ph', person: { id: 'lan', name: 'Lan' }, label: 'máy', key: await newKey() });
  await c.reload();
  return { c, asks, store };
}

const done = { complete: { cursor: 10, epoch: 'e' } };
const take = edits => ({ verdicts: edits.map(e => ({ n: e.n, is: 'taken' })), acked: edits.at(-1).n });

test('an edit is on the disk before the person sees it as done', async () => {
  const { c, store } = await lan(() => { throw new TypeError('no network'); });
  await c.edit({ coll: 'drafts', id: newId(), create: { note: 'a' } });
  const other = new Client(store);
  await other.reload();
  assert.equal(other.waiting.length, 1);
  await c.sync();
  assert.equal(c.mood, 'offline');
  assert.equal(c.waiting.length, 1);
});

test('edits go up in order, once', async () => {
  const { c, asks } = await lan(a => nd(...(a.edits ? [take(a.edits)] : []), done));
  for (const note of ['a', 'b', 'c']) await c.edit({ coll: 'drafts', id: newId(), create: { note } });
  await c.sync();
  await c.sync();
  assert.deepEqual(asks.map(a => a.edits?.map(e => e.n)), [[1, 2, 3], undefined]);
  assert.equal(asks[1].confirmed, 3);
  assert.equal(c.mood, 'idle');
});

test('a lost answer: the same edits go again under the same numbers', async () => {
  const { c, asks } = await lan((a, i) => { if (i === 1) throw new TypeError('reset'); return nd(take(a.edits), done); });
  await c.edit({ coll: 'drafts', id: newId(), create: { note: 'a' } });
  await c.sync();
  await c.sync();
  assert.deepEqual(asks[0].edits, asks[1].edits);
  assert.equal(c.waiting.length, 0);
});

test('a taken edit shows until its record has come', async () => {
  let cut = true;
  const { c } = await lan(a => nd({ standing: { hash: 'h', circles: ['commune'] } }, ...(a.edits ? [take(a.edits)] : []),
    ...(cut ? [] : [{ changes: { coll: 'drafts', ids: ['d1'], seq: [9], whole: true, in: [[0]], set: { note: ['a'] } } }, done])));
  await c.edit({ coll: 'drafts', id: 'd1', create: { note: 'a' } });
  await c.sync();
  assert.equal(c.waiting.length, 0);
  assert.equal(c.get('drafts', 'd1').note, 'a');
  cut = false;
  await c.sync();
  assert.equal(c.get('drafts', 'd1').note, 'a');
  assert.equal(c.get('drafts', 'd1').$waits, undefined);
});

test('a difference is not counted twice when its record comes', async () => {
  const row = stock => ({ changes: { coll: 'products', ids: ['p'], seq: [9], whole: true, in: [[0]], set: { stock: [stock] } } });
  const { c } = await lan((a, i) => nd(...(i === 1 ? [{ standing: { hash: 'h', circles: ['market'] } }, row(10), done] : [take(a.edits), row(8), done])));
  await c.sync();
  await c.edit({ coll: 'products', id: 'p', add: { stock: -2 } });
  assert.equal(c.get('products', 'p').stock, 8);
  await c.sync();
  assert.equal(c.get('products', 'p').stock, 8);
});

test('more and resume until complete, in one meeting', async () => {
  const { c, asks } = await lan((a, i) => nd(i < 3 ? { more: 'r' + i } : done));
  await c.sync();
  assert.deepEqual(asks.map(a => a.resume), [undefined, 'r1', 'r2']);
  assert.equal(c.state.place.cursor, 10);
});

test('a standing whose answer was cut is told in the next ask, also by an app that was closed between', async () => {
  const village = { standing: { hash: 'hv', circles: ['commune', 'village:v'] } }, commune = { standing: { hash: 'hc', circles: ['commune'] } };
  const row = { changes: { coll: 'orders', ids: ['o'], seq: [9], whole: true, in: [[1]], set: { state: ['packed'] } } };
  const answers = [[village, row, done], [commune], [village, row, done], [done]];
  const { c, asks, store } = await lan((a, i) => nd(...answers[i - 1]));
  await c.sync();
  await c.sync();
  assert.deepEqual([c.mood, c.all('orders').length], ['offline', 0]);
  const again = await lan(a => nd(...answers[a.told ? 2 : 3]), store);
  await again.c.sync();
  await again.c.sync();
  assert.deepEqual([...asks, ...again.asks].map(a => [a.standing, a.told]), [[undefined, undefined], ['hv', undefined], ['hv', 'hc'], ['hv', undefined]]);
  assert.equal(again.c.all('orders').length, 1);
});

test('over a road that breaks each answer goes on from the last chunk that came', async () => {
  const row = (id, seq) => ({ changes: { coll: 'orders', ids: [id], seq: [seq], whole: true, in: [[0]], set: { state: ['packed'] } } });
  const says = [
    [{ standing: { hash: 'h', circles: ['commune'] } }, { mark: '', crc: '*' }, { complete: { cursor: 5, epoch: 'e' } }],
    [row('o1', 6), { mark: 'r1', crc: '*' }, row('o2', 7)],
    [row('o2', 7), { mark: 'r2', crc: '*' }, row('o3', 8), { complete: { cursor: 9, epoch: 'e' }, crc: '00000000' }],
    [row('o3', 8), { complete: { cursor: 9, epoch: 'e' }, crc: '*' }],
  ];
  const answer = () => new Response(wire(says.shift()), { headers: { 'Content-Type': 'application/x-ndjson' } });
  const { c, asks, store } = await lan(answer);
  await c.sync();
  await c.sync();
  assert.equal(c.mood, 'offline');
  assert.equal(c.all('orders').length, 0, 'rows show together, with complete');
  const again = await lan(answer, store); // the app was closed meanwhile
  await again.c.sync();
  await again.c.sync();
  assert.deepEqual([...asks, ...again.asks].map(a => a.resume), [undefined, undefined, 'r1', 'r2']);
  assert.deepEqual(again.c.all('orders').map(o => o.id), ['o1', 'o2', 'o3']);
});

test('a phone that lost a record finds out which, and only that comes', async () => {
  const rows = (...ids) => ({ changes: { coll: 'orders', ids, seq: ids.map((_, i) => (i ? 0 : 6)), whole: true, in: [[0]], set: { state: ids.map(() => 'packed') } } });
  const all = ['o1', 'o2', 'o3'], right = total(phone({ records: { orders: Object.fromEntries(all.map(id => [id, { seq: 6, in: ['commune'], set: {} }])) } }));
  const parts = deep => {
    const list = [0, 0, 0, 0];
    for (const id of all) list[part('orders', id, 2)] += place('commune', 'orders', id, 6, deep ? content({ state: 'packed' }) : undefined)[0];
    return packNumbers(list.map(n => n >>> 0));
  };
  const complete = { complete: { cursor: 9, epoch: 'e', sum: right } };
  const { c, asks } = await lan((a, i) => {
    if (i === 1) return nd({ standing: { hash: 'h', circles: ['commune'] } }, rows(...all), complete);
    if (a.check?.sums) return nd({ sums: { in: 'commune', bits: 2, list: parts(a.check.deep) } }, complete);
    if (a.check?.lists) return nd(rows('o2'), complete);
    return nd(complete);
  });
  await c.sync();
  assert.equal(asks.length, 1);
  c.state.records.get('orders').delete('o2');
  c.state.place.sum = '';
  await c.sync();
  assert.deepEqual(asks.slice(1).map(a => Object.keys(a.check ?? {})), [[], ['sums'], ['lists']]);
  assert.deepEqual(unpackNumbers(asks[3].check.lists[0].has).length < 3, true);
  assert.deepEqual(c.all('orders').map(o => o.id).sort(), all);
  assert.equal(c.state.place.mismatches, 1);
  await c.sync();
  assert.equal(asks.length, 5);
});

const octets = body => new Response(body, { headers: { 'Content-Type': 'application/octet-stream' } });
const hex = async text => Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))).toString('hex');

/** A server with a snapshot file of some 80 kB, on a road of which `carries` decides, and the phone that begins. */
async function beginning(carries) {
  const rows = Array.from({ length: 1000 }, (_, i) => i);
  const file = [{ snapshot: { v: 2, epoch: 'e', circles: ['market'], seq: 1000 } }, { packed: { coll: 'products', ids: rows.map(i => 'p' + i), seq: rows.map(() => 1), in: [[0]], set: { name: rows.map(i => 'Vải thiều Phúc Hòa, hái buổi sáng, số ' + i * 7919) } } }].map(o => JSON.stringify(o) + '\n').join('');
  const name = await hex(file), bytes = new TextEncoder().encode(file), store = new MemoryStore(), road = { asked: [], heard: [], without: 0, sent: 0, size: bytes.length };
  const load = [{ circles: ['market'], seq: 1000, name, bytes: 9 }];
  const fetch = async (to, { body }) => {
    if (to.startsWith('/api/snapshots/')) {
      const from = Number(new URL('http://x' + to).searchParams.get('from') ?? 0);
      road.asked.push(from);
      road.heard.push('file');
      return carries(bytes.slice(from), road);
    }
    const ask = JSON.parse(new TextDecoder().decode(body));
    if (to === '/api/phones/sign-in') return json({ phone: 'ph', person: { id: 'lan', name: 'Lan' }, load });
    road.heard.push('ask');
    if (!ask.snapshots) road.without++;
    const says = ask.edits ? [take(ask.edits)] : [];
    return ask.loaded || !ask.snapshots ? nd(...says, { standing: { hash: 'h', circles: ['market'] } }, { complete: { cursor: 1000, epoch: 'e' } }) : nd(...says, { load });
  };
  await store.move({ phone: 'ph', person: { id: 'lan', name: 'Lan' }, label: 'máy', key: await newKey() });
  /** As an app that is opened. */
  const open = async () => { const c = new Client(store, { now: () => at, fetch }); await c.reload(); return c; };
  return { open, road };
}

/** A stream that breaks after so many bytes. */
function cut(bytes, after, road) {
  let at = 0;
  return octets(new ReadableStream({ pull(c) {
    if (at >= bytes.length) return c.close();
    if (at >= after) return c.error(new TypeError('cut'));
    c.enqueue(bytes.slice(at, at += 1000));
    road.sent += 1000;
  } }));
}

test('a snapshot file goes on where it was cut, also in an app that was closed: a cut costs a piece at most', async () => {
  const { open, road } = await beginning((bytes, road) => cut(bytes, 30_000, road));
  let c, cuts = -1;
  do { c = await open(); await c.sync(); cuts++; } while (c.mood !== 'idle' && cuts < 20);
  assert.equal(c.all('products').length, 1000);
  assert.equal(road.without, 0);
  assert.ok(cuts > 1 && road.asked.every((from, i) => from % 8192 === 0 && (i === 0 || from > road.asked[i - 1])), String(road.asked));
  assert.ok(road.sent <= road.size + 8192 * cuts + 1000, road.sent + ' bytes for ' + road.size);
});

test('files that the answer to a sign-in names are got first: one ask; what is to be sent waits for none', async () => {
  for (const edits of [0, 1]) {
    const { open, road } = await beginning(octets);
    const c = await open();
    if (edits) await c.edit({ coll: 'drafts', id: 'd1', create: { note: 'a' } });
    await c.signIn({ number: '0912345678', code: '123456' }, 'máy');
    while (c.mood !== 'idle' || !c.notes.synced) await new Promise(r => setTimeout(r, 1));
    assert.deepEqual(road.heard, edits ? ['ask', 'file', 'ask'] : ['file', 'ask']);
    assert.equal(c.all('products').length, 1000);
  }
});

test('a file that was replaced, or is damaged, is done without; a portal is no road', async () => {
  for (const [who, answer, mood, without] of [
    ['replaced', () => new Response('', { status: 404 }), 'idle', 1],
    ['damaged', bytes => { bytes[bytes.length - 9] ^= 1; return octets(bytes); }, 'idle', 1],
    ['cut, and the browser does not notice', bytes => octets(bytes.slice(0, -9)), 'offline', 0],
    ['a portal', () => new Response('<html>Wi-Fi</html>', { headers: { 'Content-Type': 'text/html' } }), 'offline', 0],
    ['the server is busy', () => new Response('', { status: 503 }), 'offline', 0],
  ]) {
    const { open, road } = await beginning(answer);
    const c = await open();
    await c.sync();
    assert.deepEqual([c.mood, road.without], [mood, without], who);
  }
});

test('damaged pieces are not gone on with twice', async () => {
  let broken = true;
  const { open, road } = await beginning((bytes, road) => { if (broken) { bytes[100] ^= 1; return cut(bytes, 40_000, road); } return octets(bytes); });
  for (const cut of [true, false]) { broken = cut; await (await open()).sync(); }
  assert.deepEqual([road.asked, road.without], [[0, 32768], 1]);
});

test('a phone is bound to the account of a token, once; without an account it is told why', async () => {
  const heard = [];
  const c = new Client(new MemoryStore(), { now: () => at, fetch: async (to, { headers, body }) => {
    heard.push([to, headers.Authorization]);
    if (to === '/api/sync') return nd(done);
    if (headers.Authorization !== 'token') return json({ status: 401, message: 'The request requires valid record authorization token.', data: {} }, 401);
    assert.match(JSON.parse(new TextDecoder().decode(body)).key, /^(ed25519|p256):/);
    return json({ phone: 'ph1', person: 'user00000000001' });
  } });
  await c.reload();
  await assert.rejects(c.bind('old'), /requires valid/);
  assert.equal(c.account, undefined);
  await c.bind('token', { name: 'Ann' });
  assert.deepEqual([c.account.phone, c.account.person, c.me], ['ph1', { id: 'user00000000001', name: 'Ann' }, 'user00000000001']);
  while (heard.at(-1)[0] !== '/api/sync') await new Promise(r => setTimeout(r, 1)); // it meets the server by itself
  assert.match(heard.at(-1)[1], /^Phone ph1\./);
});

test('a new phone begins with the snapshot file', async () => {
  const file = [{ snapshot: { v: 2, epoch: 'e', circles: ['market'], seq: 7 } }, { packed: { coll: 'products', ids: ['p1', 'p2'], seq: [3, 2], in: [[0]], set: { name: ['Vải', 'Ổi'] } } }].map(o => JSON.stringify(o) + '\n').join('');
  const name = Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(file))).toString('hex');
  const store = new MemoryStore(), asks = [];
  const c = new Client(store, {
    now: () => at,
    fetch: async (to, { body }) => {
      if (to === '/api/snapshots/' + name) return octets(file);
      const ask = JSON.parse(new TextDecoder().decode(body));
      asks.push(ask);
      return ask.loaded ? nd({ standing: { hash: 'h', circles: ['commune', 'market'] } }, { gone: { products: ['p2'] } }, { complete: { cursor: 9, epoch: 'e' } })
        : nd({ load: [{ circles: ['market'], seq: 7, name, bytes: 9 }] });
    },
  });
  await store.move({ phone: 'ph', person: { id: 'lan', name: 'Lan' }, label: 'máy', key: await newKey() });
  await c.reload();
  await c.sync();
  assert.deepEqual(asks.map(a => [a.snapshots, a.loaded]), [[true, undefined], [true, { market: 7 }]]);
  assert.deepEqual(c.all('products').map(p => [p.id, p.name]), [['p1', 'Vải']]);
  assert.deepEqual(c.state.records.get('products').get('p1').in, ['market']);
  assert.equal(c.state.place.cursor, 9);
});

/** Refuses what makes d1, parks what waits for it, takes the rest. */
const picky = edits => ({ verdicts: edits.map(e => ({ n: e.n, ...(e.create && e.id === 'd1' ? { is: 'refused', code: 'x', say: 'Sai.' } : e.after?.some(n => n < 4) ? { is: 'parked', code: 'waits_for', say: 'Chờ.' } : { is: 'taken' }) })), acked: edits.at(-1).n });

test('a repair, what it replaces and what waited for it are stored at once', async () => {
  const { c, asks, store } = await lan(a => nd(...(a.edits ? [picky(a.edits)] : []), done));
  await c.edit({ coll: 'drafts', id: 'd1', create: { note: 'sai' } });
  await c.edit({ coll: 'drafts', id: 'd1', change: { note: 'x' } });
  await c.edit({ do: 'publicservice.submit', args: { id: 's1', draft: 'd1' } });
  await c.edit({ do: 'publicservice.step', args: { dossier: 's1', to: 7 } });
  await c.sync();
  assert.deepEqual(c.unsettled.map(k => [k.edit.n, k.verdict.is]), [[4, 'parked'], [3, 'parked'], [2, 'parked'], [1, 'refused']]);

  const append = store.append.bind(store);
  store.append = () => Promise.reject(new Error('disk full'));
  await assert.rejects(c.edit({ coll: 'drafts', id: 'd2', create: { note: 'đúng' }, fixes: 1 }));
  assert.equal(c.unsettled.length, 4);
  Object.assign(store, { append, settle: () => Promise.reject(new Error('power cut')) });
  const kept = await c.edit({ coll: 'drafts', id: 'd2', create: { note: 'đúng' }, fixes: 1 });
  assert.equal(kept.edit.create.note, 'đúng');

  const other = new Client(store);
  await other.reload();
  assert.deepEqual(other.unsettled, []);
  assert.deepEqual(other.waiting.map(({ edit: { n, base, at: _, ...e } }) => ({ n, ...e })), [
    { n: 5, coll: 'drafts', id: 'd2', create: { note: 'đúng' }, fixes: 1 },
    { n: 6, coll: 'drafts', id: 'd2', change: { note: 'x' }, after: [5], fixes: 2 },
    { n: 7, do: 'publicservice.submit', args: { id: 's1', draft: 'd2' }, after: [5], fixes: 3 },
    { n: 8, do: 'publicservice.step', args: { dossier: 's1', to: 7 }, after: [7], fixes: 4 }]);
  assert.equal(c.get('drafts', 'd2').note, 'x');
  await c.sync();
  assert.deepEqual(asks.map(a => a.edits?.map(e => e.n)), [[1, 2, 3, 4], [5, 6, 7, 8]]);
});

test('what was typed between a refusal and its repair goes again when it comes back parked', async () => {
  const { c, asks } = await lan(a => nd(...(a.edits ? [picky(a.edits)] : []), done));
  await c.edit({ coll: 'drafts', id: 'd1', create: {} });
  await c.sync();
  await c.edit({ coll: 'drafts', id: 'd1', change: { note: 'x' } });
  await c.edit({ coll: 'drafts', id: 'd2', create: {}, fixes: 1 });
  await c.sync();
  assert.deepEqual(asks.map(a => a.edits?.map(e => [e.n, e.id, e.after])), [[[1, 'd1', undefined]], [[2, 'd1', [1]], [3, 'd2', undefined]], [[4, 'd2', undefined]]]);
  assert.deepEqual([c.unsettled, c.waiting], [[], []]);
});

test('a repaired difference stays a difference', () => {
  const kept = [{ edit: { n: 1, coll: 'products', id: 'p', add: { stock: -20 } }, verdict: { is: 'refused', code: 'stock_short' } }];
  const [old, now] = write({ coll: 'products', id: 'p', change: { stock: -2, price: 5 }, fixes: 1 }, 2, 0, at, kept);
  assert.equal(old.dismissed, true);
  assert.deepEqual([now.edit.add, now.edit.change], [{ stock: -2 }, { price: 5 }]);
});

test('a repair of what is done already settles nothing', () => {
  assert.deepEqual(write({ do: 'x', fixes: 1 }, 2, 0, at, [{ edit: { n: 1, do: 'x' }, verdict: { is: 'taken' } }]).map(k => k.edit.n), [2]);
});

test('a server that went back is not asked again for what the person gave up', async () => {
  const { c, asks } = await lan((a, i) => nd(...(i === 2 ? [{ send_from: 1, acked: 0 }] : a.edits ? [picky(a.edits)] : []), done));
  await c.edit({ coll: 'drafts', id: 'd1', create: {} });
  await c.sync();
  await c.dismiss(c.unsettled[0]);
  await c.edit({ coll: 'drafts', id: 'd3', create: {} });
  await c.sync();
  assert.deepEqual(asks.map(a => a.edits?.map(e => e.do ?? e.id)), [['d1'], ['d3'], ['phone.forgotten', 'd3']]);
  assert.deepEqual(c.unsettled, []);
});

test('a captive portal means nothing', async () => {
  const { c } = await lan(() => new Response('<html>', { headers: { 'Content-Type': 'text/html' } }));
  await c.edit({ coll: 'drafts', id: newId(), create: {} });
  await c.sync();
  assert.equal(c.mood, 'offline');
  assert.equal(c.waiting.length, 1);
});

test('a blocked phone keeps only what the server has not done', async () => {
  const village = { changes: { coll: 'villages', ids: ['v'], seq: [1], whole: true, in: [[0]], set: { name: ['x'] } } };
  const say = { 1: 'taken', 2: 'merged', 3: 'refused', 4: 'refused', 5: 'parked' };
  const { c, store } = await lan((a, i) => (i === 1 ? nd({ standing: { hash: 'h', circles: ['commune'] } }, { verdicts: a.edits.map(e => ({ n: e.n, is: say[e.n] })), acked: 5 }, village, done) : json({ code: 'phone_blocked', say: 'Máy bị chặn.', wipe: true }, 403)));
  for (let i = 0; i < 5; i++) await c.edit({ coll: 'drafts', id: newId(), create: {} });
  await c.sync();
  assert.equal(c.all('villages').length, 1);
  await c.dismiss(c.unsettled.find(k => k.edit.n === 3));
  await c.edit({ coll: 'drafts', id: newId(), create: {} });
  await c.sync();
  assert.equal(c.mood, 'blocked');
  const { state } = await store.load();
  assert.deepEqual([state.records.size, state.place.cursor, state.n, [...state.edits.keys()]], [0, 0, 6, [4, 5, 6]]);
});

test('a blocked phone whose answers were lost is told what was judged before', async () => {
  const { c } = await lan(() => json({ code: 'phone_blocked', say: 'Máy bị chặn.', wipe: true, acked: 4, verdicts: [{ n: 1, is: 'taken' }, { n: 2, is: 'merged' }, { n: 3, is: 'refused' }] }, 403));
  for (let i = 0; i < 5; i++) await c.edit({ coll: 'drafts', id: newId(), create: {} });
  await c.sync();
  assert.deepEqual([...c.state.edits.values()].map(k => [k.edit.n, k.verdict?.is]), [[3, 'refused'], [4, 'parked'], [5, undefined]]);
});

test('who must sign in again keeps what waits, in order, under new numbers', async () => {
  const { c } = await lan(a => (a.to ? json({ phone: 'ph2', person: { id: 'lan', name: 'Lan' } }) : json({ code: 'unknown_phone', say: 'Đăng nhập lại.' }, 401)));
  await c.edit({ coll: 'drafts', id: 'd1', create: {} });
  await c.edit({ coll: 'drafts', id: 'd1', change: { note: 'x' } });
  await c.sync();
  assert.equal(c.mood, 'signed-out');
  await c.signIn({ number: '0912345678', code: '123456' }, 'máy');
  assert.deepEqual(c.waiting.map(k => k.edit.n), [1, 2]);
  assert.deepEqual(c.waiting[1].edit.after, [1]);
});

test('another person who signs in sees nothing of the first', async () => {
  const { c, store } = await lan(a => (a.to ? json({ phone: 'ph2', person: { id: 'hoa', name: 'Hòa' } }) : nd({ standing: { hash: 'h', circles: ['commune'] } }, { changes: { coll: 'villages', ids: ['v'], seq: [1], whole: true, in: [[0]] } }, done)));
  await c.sync();
  c.fetch = (f => async (to, o) => (to === '/api/sync' ? Promise.reject(new TypeError('no network')) : f(to, o)))(c.fetch);
  await c.signIn({ number: '0912345678', code: '123456' }, 'máy');
  const { state, account } = await store.load();
  assert.deepEqual([state.records.size, state.n, state.place.cursor, account.person.id], [0, 0, 0, 'hoa']);
});

test('a large ask is compressed and signed as sent', async () => {
  const { c, asks } = await lan(a => nd(...(a.edits ? [take(a.edits)] : []), done));
  await c.edit({ coll: 'drafts', id: newId(), create: { note: 'Kính gửi. '.repeat(200) } });
  await c.sync();
  assert.equal(asks[0].packed, 'gzip');
});

test('too many for the server: fewer the next time, none lost', async () => {
  const sent = [];
  const { c } = await lan(a => { const n = a.edits?.length ?? 0; sent.push(n); return n > 3 ? json({ code: 'too_big', say: '', limit: 3 }, 413) : nd(...(n ? [take(a.edits)] : []), done); });
  for (let i = 0; i < 10; i++) await c.edit({ coll: 'drafts', id: newId(), create: {} });
  for (let i = 0; i < 4; i++) await c.sync();
  assert.deepEqual(sent.slice(0, 3), [10, 5, 2]);
  assert.equal(c.waiting.length, 0);
});

test('an ask holds at most so many edits and tells how many are left', () => {
  const s = phone({ n: 501, edits: Array.from({ length: 501 }, (_, i) => ({ edit: { n: i + 1, do: 'x', args: {} } })) });
  const a = ask(s, { clock: at });
  assert.deepEqual([a.edits.length, a.waiting, a.confirmed], [maxEdits, 1, undefined]);
});

test('a server that went back behind what is kept: an empty edit holds each lost place', async () => {
  const s = phone({ epoch: 'e', cursor: 5, n: 8, edits: [{ edit: { n: 8, do: 'x', args: {} }, verdict: { n: 8, is: 'taken' } }] });
  await feed(s, wire([{ send_from: 6 }, { mark: '', crc: '*' }]));
  assert.deepEqual(ask(s, { clock: at }).edits.map(e => [e.n, e.do]), [[6, 'phone.forgotten'], [7, 'phone.forgotten'], [8, 'x']]);
});

test('an edit names the untaken edit that made its record', () => {
  const kept = [{ edit: { n: 1, coll: 'drafts', id: 'd', create: {} } }, { edit: { n: 2, coll: 'drafts', id: 'e', create: {} }, verdict: { is: 'taken' } }];
  assert.deepEqual(compose({ coll: 'drafts', id: 'd', change: {} }, 3, 0, at, kept).after, [1]);
  assert.equal(compose({ coll: 'drafts', id: 'e', change: {} }, 3, 0, at, kept).after, undefined);
});

test('refused edits of the old phone stay to be read and are never sent', () => {
  const { edits, n } = renumber([{ edit: { n: 4, do: 'a' }, verdict: { n: 4, is: 'refused' } }, { edit: { n: 6, do: 'b', after: [4, 7] } }, { edit: { n: 7, do: 'c' } }]);
  assert.deepEqual(edits.map(k => k.edit), [{ n: 1, do: 'b', after: [2] }, { n: 2, do: 'c' }, { n: -4, do: 'a' }]);
  assert.equal(n, 2);
});

test('what was held for a person comes back after their own', () => {
  const { edits, n } = takeUp([{ edit: { n: 6, do: 'b' } }], [{ n: 2, do: 'x' }, { n: 3, do: 'y', after: [2] }]);
  assert.deepEqual(edits.map(k => k.edit), [{ n: 1, do: 'b' }, { n: 2, do: 'x' }, { n: 3, do: 'y', after: [2] }]);
  assert.equal(n, 3);
});

test('another person signs in: what the first has not sent is held, and sent when they are back', async () => {
  const people = { 1: { id: 'tu', name: 'Tư' }, 2: { id: 'lan', name: 'Lan' } };
  let times = 0;
  const { c, asks } = await lan(got => got.to === '/api/phones/sign-in' ? json({ phone: 'ph' + ++times, person: people[times] }) : json({ code: 'busy', say: 'Bận.' }, 503));
  await c.edit({ coll: 'drafts', id: 'd00000000000001', create: { note: 'của Lan' } });
  await c.signIn({ number: '1', code: '1' });
  assert.equal(c.account.person.id, 'tu');
  assert.equal(c.waiting.length, 0);
  assert.equal(c.notes.held.length, 1);
  assert.ok(asks.filter(a => a.edits?.length).length <= 1, 'nothing of Lan is sent as Tư');
  await c.signIn({ number: '2', code: '2' });
  assert.deepEqual(c.waiting.map(k => [k.edit.n, k.edit.create?.note]), [[1, 'của Lan']]);
  assert.equal(c.notes.held.length, 0);
});

test('taken edits are kept for a week, refused ones until the person is done', () => {
  const week = new Date(at.getTime() - 8 * 24 * 3600_000).toISOString();
  const k = (n, is, more) => ({ edit: { n }, verdict: { is }, heard: week, ...more });
  assert.deepEqual(spent([k(1, 'taken'), k(2, 'taken', { heard: at.toISOString() }), k(3, 'refused'), k(4, 'refused', { dismissed: true }), { edit: { n: 5 } }], at), [1, 4]);
});

test('ids are 15 letters and digits', () => {
  for (let i = 0; i < 200; i++) assert.match(newId(), /^[a-z0-9]{15}$/);
});

// Two windows, and people who come and go while an answer is on its way.

const secret = { changes: { coll: 'orders', ids: ['o1'], seq: [9], whole: true, in: [[0]], set: { state: ['họp kín'] } } };
const tu = { phone: 'ph2', person: { id: 'tu', name: 'Tú' }, label: 'máy' };

/** An answer in two halves; between says what happens between them. */
function halves(first, between, second) {
  const [a, b] = [wire(first), wire(second)];
  let at = 0;
  return new Response(new ReadableStream({ async pull(c) {
    if (at === 0) c.enqueue(a);
    if (at === 1) { await between(); c.enqueue(b); }
    if (at++ === 2) c.close();
  } }), { headers: { 'Content-Type': 'application/x-ndjson' } });
}

for (const [what, act] of Object.entries({
  'who signs out': c => c.signOut(),
  'another who signs in': c => c.enter({ ...tu, key: c.account.key }),
  'another who signs in, in another window': async (c, store) => { const other = new Client(store, { fetch: async () => { throw new TypeError('no network'); } }); await other.reload(); await other.enter({ ...tu, key: c.account.key }); },
})) {
  test(what + ' while an answer comes: nothing of it is kept', async () => {
    let c, store, times = 0;
    ({ c, store } = await lan(({ to }) => {
      if (to) return json({});
      if (times++) throw new TypeError('no network');
      return halves([{ standing: { hash: 'h', circles: ['commune'] } }, { mark: 'r1', crc: '*' }], () => act(c, store), [secret, { complete: { cursor: 9, epoch: 'e' }, crc: '*' }]);
    }));
    await c.sync();
    const { state, account } = await store.load();
    assert.deepEqual([[...state.records.values()].flatMap(of => [...of.keys()]), state.place.cursor, state.kept], [[], 0, []]);
    assert.equal(c.all('orders').length, 0);
    assert.notEqual(account?.person.id, 'lan');
  });
}

test('a refusal that was said to the account before does not sign the new one out', async () => {
  let c, times = 0;
  ({ c } = await lan(async () => {
    if (times++) return nd(done);
    await c.enter({ ...tu, key: c.account.key });
    return json({ code: 'unknown_phone', say: '' }, 401);
  }));
  await c.sync();
  assert.deepEqual([c.mood, c.me, times], ['idle', 'tu', 2]);
});

test('what is typed in a window whose person has left is nobody else\'s', async () => {
  const { c, store } = await lan(() => { throw new TypeError('no network'); });
  const other = new Client(store, { fetch: async () => { throw new TypeError('no network'); } });
  await other.reload();
  await other.enter({ ...tu, key: c.account.key });
  await assert.rejects(c.edit({ coll: 'drafts', id: newId(), create: { note: 'của Lan' } }), /đổi người dùng/);
  assert.equal((await store.load()).state.edits.size, 0);
});

test('what another window typed is held for its person, too, once', async () => {
  const { c, store } = await lan(() => { throw new TypeError('no network'); });
  const other = new Client(store, { fetch: async () => { throw new TypeError('no network'); } });
  await other.reload();
  await c.edit({ coll: 'drafts', id: newId(), create: { note: 'của Lan' } }); // the other window has not read it
  const lans = { ...c.account };
  await other.enter({ ...tu, key: c.account.key });
  assert.deepEqual(other.notes.held.map(h => [h.person, h.edit.create.note]), [['lan', 'của Lan']]);
  await other.enter({ ...lans, phone: 'ph3' });
  assert.deepEqual(other.waiting.map(k => [k.edit.n, k.edit.create.note]), [[1, 'của Lan']]);
  assert.deepEqual(other.notes.held, []);
});

test('a full disk while a file is stored: memory knows no more than the disk', async () => {
  const { open } = await beginning(bytes => octets(bytes)), c = await open(), write = c.store.write.bind(c.store);
  c.store.write = async (w, s) => { if (w.records.size) throw new DOMException('full', 'QuotaExceededError'); return write(w, s); };
  await c.sync();
  assert.deepEqual([c.mood, c.all('products').length, c.state.place.loaded], ['offline', 0, {}]);
  c.store.write = write;
  await c.sync();
  assert.equal(c.all('products').length, 1000);
});

test('a store that cannot be reached ends a meeting, and the next one is as ever', async () => {
  const { c } = await lan(a => nd(...(a.edits ? [take(a.edits)] : []), done)), changed = c.store.changed;
  const navigator = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { locks: { request: (_, o, work) => (work ?? o)({}) } } });
  try {
    c.store.changed = async () => { throw new DOMException('closed', 'InvalidStateError'); };
    await c.sync();
    assert.equal(c.mood, 'offline');
    c.store.changed = changed;
    await c.sync();
    assert.equal(c.mood, 'idle');
  } finally { if (navigator) Object.defineProperty(globalThis, 'navigator', navigator); else delete globalThis.navigator; }
});

test('a worker says no program: the phone is what its app said last', async () => {
  const { c, asks, store } = await lan(() => nd(done));
  await c.sync();
  const worker = new Client(store, { app: '', now: () => at, fetch: c.fetch });
  await worker.reload();
  await worker.sync();
  assert.deepEqual(asks.map(a => a.app), ['web/dev', undefined]);
});

test('a server that has no word for an edit is not asked for ever', async () => {
  const { c, asks } = await lan(() => nd(done));
  await c.edit({ coll: 'drafts', id: newId(), create: { note: 'a' } });
  await c.sync();
  assert.equal(c.waiting.length, 1);
  assert.ok(asks.length < 5, asks.length + ' asks');
});

test('a blocked phone on a full disk marks and wipes in one step, or not at all', async () => {
  const { c, store } = await lan(() => json({ code: 'phone_blocked', say: 'x', wipe: true, acked: 1 }, 403));
  await c.edit({ coll: 'drafts', id: newId(), create: { note: 'a' } });
  const wipe = store.wipe.bind(store);
  store.wipe = async () => { throw new DOMException('full', 'QuotaExceededError'); };
  await c.sync();
  assert.deepEqual([...(await store.load()).state.edits.values()].map(k => k.verdict?.is), [undefined]);
  assert.equal(c.waiting.length, 1, 'memory knows no more than the disk');
  store.wipe = wipe;
  await c.sync();
  assert.deepEqual([c.mood, c.unsettled.length], ['blocked', 1]);
});
