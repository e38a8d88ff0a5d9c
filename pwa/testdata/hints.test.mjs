// The app listens while it is looked at (docs/PROTOCOL.md §12).
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { hints } from '../../pb_public/sync/hints.js';
import { authorization, newKey } from '../../pb_public/sync/keys.js';

const words = new TextEncoder();

/** A client that counts its meetings, before a server that answers as told. */
async function scene(answers) {
  const asked = [];
  let aborted = 0;
  const page = new class extends EventTarget { hidden = false; };
  const client = new class extends EventTarget {
    account = { phone: 'phone0000000001' };
    state = { place: { cursor: 7, epoch: 'k3v9' } };
    meetings = 0;
    base = '';
    async authorized(method, path, body) { return { Authorization: await authorization(this.account.key, this.account.phone, method, path, body) }; }
    sync() { this.meetings++; }
    fetch = async (path, o) => {
      const ask = { path, ...JSON.parse(new TextDecoder().decode(o.body)), authorization: o.headers.Authorization };
      asked.push(ask);
      const answer = answers.shift();
      if (!answer) return new Promise((_, no) => o.signal.addEventListener('abort', () => { aborted++; no(new Error('aborted')); }));
      return answer(o.signal);
    };
  }();
  client.account.key = await newKey();
  const pauses = [];
  const end = hints(client, { page, random: () => 1, pause: async ms => { pauses.push(ms); } });
  return { client, page, asked, pauses, end, aborted: () => aborted };
}

const stream = (...parts) => async () => new Response(new ReadableStream({ start(c) { for (const p of parts) c.enqueue(words.encode(p)); c.close(); } }), { headers: { 'Content-Type': 'text/event-stream' } });
const until = async what => { for (let i = 0; !what() && i < 2000; i++) await new Promise(r => setTimeout(r, 1)); assert.ok(what(), String(what)); };

test('each event is a meeting, also one in pieces; the next ask names the last number', async () => {
  const s = await scene([stream(':\n\n', 'data: {"he', 'ad":9}\n\nda', 'ta: {"head":12}\n\n')]);
  await until(() => s.asked.length === 2);
  assert.equal(s.client.meetings, 2);
  assert.deepEqual([s.asked[0].above, s.asked[0].epoch, s.asked[0].wait, s.asked[1].above], [7, 'k3v9', 0, 12]);
  assert.match(s.asked[0].authorization, /^Phone phone0000000001\./);
  s.end();
});

test('a server that asks for patience gets it, and half more', async () => {
  const s = await scene([async () => new Response('{"code":"too_many_listeners"}', { status: 503, headers: { 'Retry-After': '80' } })]);
  await until(() => s.asked.length === 2);
  assert.deepEqual(s.pauses, [120_000]);
  s.end();
});

test('who is sent away meets the server once and does not ask again, until looked at anew', async () => {
  const blocked = async () => new Response('{"code":"phone_blocked"}', { status: 403 });
  const s = await scene([blocked, blocked]);
  await until(() => s.client.meetings === 1);
  for (let i = 0; i < 5; i++) { s.client.dispatchEvent(new Event('mood')); await new Promise(r => setTimeout(r, 1)); }
  assert.equal(s.asked.length, 1);
  s.page.dispatchEvent(new Event('visibilitychange'));
  await until(() => s.client.meetings === 2);
  s.end();
});

test('who looks away does not listen', async () => {
  const s = await scene([]);
  await until(() => s.asked.length === 1);
  s.page.hidden = true;
  s.page.dispatchEvent(new Event('visibilitychange'));
  await new Promise(r => setTimeout(r, 20));
  assert.equal(s.asked.length, 1);
  s.page.hidden = false;
  s.page.dispatchEvent(new Event('visibilitychange'));
  await until(() => s.asked.length === 2);
  s.end();
});

test('where streams cannot be read it polls', async () => {
  const s = await scene([async () => { const r = new Response(null, { headers: { 'Content-Type': 'text/event-stream' } }); return r; },
    async () => new Response('{"head":20}'), async () => new Response(null, { status: 204 })]);
  await until(() => s.asked.length === 4);
  assert.deepEqual(s.asked.map(a => a.wait), [0, 55, 55, 55]);
  assert.equal(s.asked[2].above, 20);
  assert.equal(s.client.meetings, 1);
  assert.deepEqual(s.pauses, []);
  s.end();
});

test('who signs out listens no more, and the next person of this phone does, as themselves', async () => {
  const s = await scene([]);
  await until(() => s.asked.length === 1);
  const { account } = s.client;
  s.client.account = undefined;
  s.client.dispatchEvent(new Event('change'));
  await until(() => s.aborted() === 1);
  s.client.account = { ...account, phone: 'phone0000000002' };
  s.client.dispatchEvent(new Event('change'));
  await until(() => s.asked.length === 2);
  assert.match(s.asked[1].authorization, /^Phone phone0000000002\./);
  s.client.account = { ...account, phone: 'phone0000000003' };
  for (let i = 0; i < 3; i++) s.client.dispatchEvent(new Event('change'));
  await until(() => s.asked.length === 3 && s.aborted() === 2);
  s.end();
});
