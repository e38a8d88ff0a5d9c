// A phone that does what it is told: one command a line on stdin, one answer a line on stdout.
import { createInterface } from 'node:readline';
import { total } from '../../pb_public/sync/compare.js';
import { MemoryStore, newKey, open } from '../../pb_public/sync/index.js';

const base = process.argv[2];
let store = new MemoryStore(), client, at = new Date();

/** As an app that is opened: all it knows is in the store. */
async function start() {
  client = await open({ base, store, now: () => at });
  client.soon = () => {}; // it meets the server when it is told to
  client.sync = (sync => async () => { if (told) await sync(); })(client.sync.bind(client));
}
let told = false, key;

const commands = {
  async begin() { store = new MemoryStore(); await start(); key = await newKey(); return { key: key.text }; },
  async enter({ phone, person }) { await client.enter({ phone, person: { id: person, name: '' }, label: '', key }); return {}; },
  /** Of a program that has sync attached: by a token of PocketBase. */
  async bind({ token }) { await commands.begin(); await client.bind(token, { label: 'a browser' }); return { me: client.me }; },
  async restart() { await start(); return {}; },
  async sync({ clock }) { at = new Date(clock); told = true; try { await client.sync(); } finally { told = false; } return { mood: client.mood, ok: client.mood === 'idle' }; },
  async edit({ wish }) { return { n: (await client.edit(wish)).edit.n }; },
  /** A bad memory: a record less, or one that is another. */
  async damage({ at, lose }) {
    const { state } = await store.load(), all = [...state.records].flatMap(([coll, of]) => [...of.values()].map(r => ({ coll, r })));
    if (!all.length) return {};
    const { coll, r } = all[at % all.length];
    const records = new Map([[coll + '/' + r.id, { coll, id: r.id, rec: lose ? null : { ...r, seq: r.seq - 1 } }]]);
    state.place.sum = '';
    await store.write({ place: true, records, edits: new Set(), forget: [], keep: [] }, state);
    await start();
    return {};
  },
  async state() {
    const { state } = await store.load();
    const records = Object.fromEntries([...state.records].sort().filter(([, of]) => of.size).map(([coll, of]) => [coll, Object.fromEntries([...of].sort().map(([id, { seq, in: circles, set }]) => [id, { seq, in: [...circles].sort(), set }]))]));
    return { records, waiting: client.waiting.length, cursor: state.place.cursor, sum: total(state), kept: state.kept.length, mismatches: state.place.mismatches, told: [...state.edits.values()].map(({ edit, verdict }) => ({ add: Boolean(edit.add), is: verdict?.is ?? '', code: verdict?.code ?? '' })) };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: what, ...args } = JSON.parse(line);
  const answer = await commands[what](args).catch(err => ({ error: String(err?.stack ?? err) }));
  process.stdout.write(JSON.stringify(answer) + '\n');
}
