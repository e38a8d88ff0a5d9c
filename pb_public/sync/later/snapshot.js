// @ts-check
// The files that a new phone begins with (docs/PROTOCOL.md §4.7). What came of a
// file stays on the disk piece by piece, so a road that breaks, or an app that is
// closed, costs one piece at most. Loaded when the server offers a file.

import { rowsOf } from '../chunk.js';
import { NoRoad } from '../client.js';
import { Writes, isObject, isText, need } from '../exchange.js';
import { unpacked } from './packed.js';

/** @typedef {import('../client.js').Client} Client @typedef {import('../store.js').Store} Store @typedef {import('../exchange.js').State} State */

/** Bytes of a piece, unpacked, as the server counts them. */
const size = 8 << 10, patience = 45_000;

/**
 * Brings a file, from where the last attempt ended. @param {Client} client @param {string} name
 * @returns {Promise<any[] | undefined>} its lines; undefined: it is not there any more, or damaged
 */
export async function bring(client, name) {
  const pieces = await keeper(client.store).catch(() => inMemory(client.store)); // a disk that keeps no pieces is no reason to go without
  try {
    const had = await pieces.read(name), all = [...had];
    const res = await ask(client, '/api/snapshots/' + name + (had.length ? '?from=' + had.length * size : ''));
    if (!res) { await pieces.clear(); return undefined; }
    let rest = new Uint8Array(0), keeps = true;
    for await (const more of chunks(res)) {
      const joined = new Uint8Array(rest.length + more.length);
      joined.set(rest); joined.set(more, rest.length);
      let at = 0;
      for (; joined.length - at >= size; at += size) {
        const piece = joined.slice(at, at + size);
        if (keeps) await pieces.add(name, all.length, piece).catch(() => { keeps = false; });
        all.push(piece);
      }
      rest = joined.slice(at);
    }
    const whole = new Uint8Array(await new Blob([...all, rest]).arrayBuffer());
    if (whole.at(-1) !== 10) throw new NoRoad('cut'); // Firefox takes a packed body that was cut for a whole one
    const sum = [...new Uint8Array(await crypto.subtle.digest('SHA-256', whole))].map(b => b.toString(16).padStart(2, '0')).join('');
    if (sum === name) return new TextDecoder().decode(whole).trim().split('\n').map(l => JSON.parse(l));
    await pieces.clear();
    return undefined;
  } finally { pieces.close(); }
}

/** Forgets the pieces: what they held is among the records now. @param {Client} client @returns {Promise<void>} */
export async function forget({ store }) {
  if (store.name) await done(indexedDB.deleteDatabase(store.name + '-snapshot')); else memory.delete(store);
}

/** @param {Client} client @param {string} to @returns {Promise<ReadableStream<Uint8Array> | undefined>} undefined: there is no such file */
async function ask(client, to) {
  const stop = new AbortController(), timer = setTimeout(() => stop.abort(), patience);
  try {
    const res = await client.fetch(client.base + to, { credentials: 'omit', signal: stop.signal });
    if (res.status === 404 || res.status === 410) return undefined;
    if (!res.ok || !res.body || !(res.headers.get('Content-Type') ?? '').startsWith('application/octet-stream')) throw new NoRoad('not our file');
    return res.body;
  } catch (err) { throw err instanceof NoRoad ? err : new NoRoad(String(err)); } finally { clearTimeout(timer); }
}

/** Reads a stream; one that breaks or stays silent is no road. @param {ReadableStream<Uint8Array>} stream @returns {AsyncGenerator<Uint8Array>} */
async function* chunks(stream) {
  const reader = stream.getReader();
  try {
    for (;;) {
      /** @type {any} */
      let timer;
      const late = new Promise((_, no) => { timer = setTimeout(() => no(new NoRoad('silence')), patience); });
      const { done, value } = await Promise.race([reader.read(), late]).catch(err => { throw new NoRoad(String(err)); }).finally(() => clearTimeout(timer));
      if (done) return;
      yield value;
    }
  } finally { reader.cancel().catch(() => {}); }
}

// Pieces lie in a database of their own, which is deleted whole.

/** @typedef {{read: (name: string) => Promise<Uint8Array<ArrayBuffer>[]>, add: (name: string, at: number, piece: Uint8Array) => Promise<void>, clear: () => Promise<void>, close: () => void}} Pieces */

/** Pieces of stores in memory. @type {WeakMap<Store, Map<string, Uint8Array<ArrayBuffer>[]>>} */
const memory = new WeakMap();

/** @param {Store} store @returns {Promise<Pieces>} */
async function keeper(store) {
  if (!store.name) return inMemory(store);
  const name = store.name + '-snapshot';
  /** @type {IDBDatabase} */
  let db;
  const open = async () => {
    const r = indexedDB.open(name);
    r.onupgradeneeded = () => r.result.createObjectStore('pieces');
    db = await done(r);
    db.onversionchange = () => db.close();
  };
  await open();
  const clear = async () => { db.close(); await done(indexedDB.deleteDatabase(name)); await open(); };
  return {
    async read(file) {
      const s = db.transaction('pieces').objectStore('pieces');
      const [keys, values] = await Promise.all([done(s.getAllKeys()), done(s.getAll())]);
      if (keys.every((/** @type {any} */ [of, at], /** @type {number} */ i) => of === file && at === i)) return values;
      await clear(); // of a file that was replaced
      return [];
    },
    async add(file, at, piece) {
      const tx = db.transaction('pieces', 'readwrite', { durability: 'relaxed' });
      tx.objectStore('pieces').put(piece, [file, at]);
      await new Promise((yes, no) => { tx.oncomplete = () => yes(undefined); tx.onabort = () => no(tx.error); });
    },
    clear,
    close() { db.close(); },
  };
}

/** @param {Store} store @returns {Pieces} */
function inMemory(store) {
  const kept = memory.get(store) ?? new Map();
  memory.set(store, kept);
  return {
    async read(file) { for (const of of kept.keys()) if (of !== file) kept.delete(of); return [...kept.get(file) ?? []]; },
    async add(file, at, piece) { kept.set(file, [...(kept.get(file) ?? []).slice(0, at), piece]); },
    async clear() { kept.clear(); },
    close() {},
  };
}

/** @param {IDBRequest} r @returns {Promise<any>} */
const done = r => new Promise((yes, no) => { r.onsuccess = () => yes(r.result); r.onerror = () => no(r.error); });

/**
 * Takes a snapshot file into a phone without records. @param {State} state @param {any[]} lines its lines
 * @returns {Writes | undefined} undefined: it is no such file, or of another history than the files before it
 */
export function takeSnapshot(state, lines) {
  const head = lines[0]?.snapshot, p = state.place;
  if (!isObject(head) || head.v !== 2 || !Array.isArray(head.circles) || !head.circles.length || !(head.seq > 0) || p.cursor || p.resume) return;
  const w = new Writes();
  try {
    const rows = unpacked(lines.slice(1)).flatMap(c => rowsOf(c).map(({ id, seq, in: at = [], set = {} }) => ({ coll: c.coll, rec: { id, seq, in: at.map(i => need(head.circles[i], isText)), set } })));
    if (p.epoch !== head.epoch || !Object.keys(p.loaded).length || head.circles.some((/** @type {string} */ c) => c in p.loaded)) {
      state.records.clear();
      w.clear = true;
      p.loaded = {};
    }
    for (const { coll, rec } of rows) {
      let of = state.records.get(coll);
      if (!of) state.records.set(coll, of = new Map());
      of.set(rec.id, rec);
      w.put(coll, rec.id, rec);
    }
  } catch { return; }
  p.loaded = { ...p.loaded, ...Object.fromEntries(head.circles.map((/** @type {string} */ c) => [c, head.seq])) };
  Object.assign(p, { epoch: String(head.epoch), circles: Object.keys(p.loaded).sort(), sum: '' });
  w.place = true;
  return w;
}
