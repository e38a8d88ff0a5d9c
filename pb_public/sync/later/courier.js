// @ts-check
// The road without a network (docs/PROTOCOL.md, Courier): what waits is sealed
// to the server's key into a file, a neighbour's phone carries it, and the
// answer comes back sealed. A direct meeting may come between, and wins.

import { Answer, Writes, ask } from '../exchange.js';
import { chunksOf } from '../chunk.js';
import { isTaken } from '../edits.js';
import { authorization, unbase64url } from '../keys.js';
import { NoRoad, Refusal } from '../client.js';
import { join, newPair, open, rawKey, seal } from './hpke.js';

/**
 * @typedef {Uint8Array<ArrayBuffer>} Bytes @typedef {import('../client.js').Client} Client
 * @typedef {{kind: string, id: string, to: string, box: Bytes, raw: Bytes}} Envelope kind: B bundle, A answer, R refused; id and to in hex
 * @typedef {{id: string, reply: CryptoKeyPair, box: Bytes, place: string, epoch: string, edits: [number, string][], at: string}} Sent a bundle of this phone, under way
 * @typedef {{id: string, raw: Bytes, answer?: Bytes, at: string}} Carried a neighbour's; id: SHA-256 of the bundle
 * @typedef {{all: (kind: 'sent' | 'carried') => Promise<any[]>, put: (kind: 'sent' | 'carried', value: any) => Promise<void>, drop: (kind: 'sent' | 'carried', id: string) => Promise<void>}} Shelf
 */

export const maxBundle = 64 << 10, maxAnswer = 256 << 10, maxCarried = 20, contentType = 'application/x-langso';
const path = '/api/sync/courier', magic = 'LSC1', head = 25, tag = 65 + 16, block = 256;
const day = 86_400_000, rememberSent = 30 * day, keepCarried = 7 * day, want = 128 << 10, deliverBytes = 128 << 10, patience = 90_000;

const text = new TextEncoder();
const hex = (/** @type {Uint8Array} */ b) => [...b].map(x => x.toString(16).padStart(2, '0')).join('');
const unhex = (/** @type {string} */ s) => Uint8Array.from(s.match(/../g) ?? [], x => parseInt(x, 16));
const sha = async (/** @type {Bytes} */ b) => new Uint8Array(await crypto.subtle.digest('SHA-256', b));
const u32 = (/** @type {number} */ n) => Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n);
const read32 = (/** @type {Uint8Array} */ b, /** @type {number} */ at) => new DataView(b.buffer, b.byteOffset).getUint32(at);

/** The name of a public key: the beginning of its SHA-256. @param {Bytes} raw */
const keyName = async raw => (await sha(raw)).slice(0, 8);

/**
 * Reads the envelopes of a file. @param {Bytes} file
 * @returns {{all: Envelope[], whole: boolean}} whole: nothing of it was cut or something else
 */
export function parse(file) {
  const all = [];
  for (let at = 0; at < file.length;) {
    const kind = String.fromCharCode(file[at + 4]), size = at + head <= file.length ? read32(file, at + 21) : Infinity;
    const most = kind === 'A' ? maxAnswer : kind === 'B' || kind === 'R' ? maxBundle : 0;
    if (new TextDecoder().decode(file.subarray(at, at + 4)) !== magic || size > most - head || at + head + size > file.length) return { all, whole: false };
    all.push({ kind, id: hex(file.subarray(at + 5, at + 13)), to: hex(file.subarray(at + 13, at + 21)), box: file.slice(at + head, at + head + size), raw: file.slice(at, at + head + size) });
    at += head + size;
  }
  return { all, whole: all.length > 0 };
}

/** @param {string} kind @param {Uint8Array} id @param {Uint8Array} to @param {number} size */
const headOf = (kind, id, to, size) => join(magic, kind, id, to, u32(size));

/** @param {Bytes} body @returns {Promise<[number, Bytes]>} */
async function pack(body) {
  if (typeof CompressionStream !== 'function') return [0, body];
  const packed = await through(body, new CompressionStream('gzip'));
  return packed.length < body.length ? [1, packed] : [0, body];
}

/** @param {number} encoding @param {Bytes} body */
function unpack(encoding, body) {
  if (encoding === 0) return body;
  if (encoding !== 1) throw new Error('unknown encoding');
  return through(body, new DecompressionStream('gzip'));
}

/** @param {Bytes} bytes @param {CompressionStream | DecompressionStream} stream @returns {Promise<Bytes>} */
async function through(bytes, stream) { return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer()); }

/**
 * Seals an ask. @param {string} server the key that the server announces, `p256:…` @param {string} phone @param {(body: Bytes) => Promise<Uint8Array>} sign the phone's signature over a body
 * @param {any} says the ask @returns {Promise<{file: Bytes, id: string, reply: CryptoKeyPair, box: Bytes} | undefined>} undefined: it is too large
 */
export async function sealBundle(server, phone, sign, says) {
  const to = unbase64url(server.slice('p256:'.length)), reply = await newPair(), pub = await rawKey(reply.publicKey);
  const id = crypto.getRandomValues(new Uint8Array(8)), name = await keyName(to);
  const [encoding, body] = await pack(text.encode(JSON.stringify(says)));
  const signature = await sign(join(id, name, pub, encoding, body)), owner = text.encode(phone);
  const plain = join(owner.length, owner, signature, pub, encoding, u32(body.length), body);
  const size = Math.ceil((head + tag + plain.length) / block) * block;
  if (size > maxBundle) return;
  const first = headOf('B', id, name, size - head);
  const file = join(first, await seal(to, join('langso courier ask', first), join(plain, new Uint8Array(size - head - tag - plain.length))));
  return { file, id: hex(id), reply, box: await sha(file) };
}

/** Opens an answer. @param {{reply: CryptoKeyPair, box: Bytes}} sent @param {Envelope} e @returns {Promise<{status: number, body: Bytes}>} @throws anything: it is damaged or another's */
export async function openAnswer(sent, e) {
  if (e.kind !== 'A') throw new Error('no answer');
  const plain = await open(sent.reply, join('langso courier answer', sent.box, e.raw.subarray(0, head)), e.box);
  const size = read32(plain, 3);
  if (size > plain.length - 7) throw new Error('cut');
  return { status: plain[0] << 8 | plain[1], body: await unpack(plain[2], plain.slice(7, 7 + size)) };
}

/** Keeps bundles in the browser. @implements {Shelf} */
export class BrowserShelf {
  /** @type {Promise<IDBDatabase> | undefined} */ #db;

  #open() {
    this.#db ??= new Promise((yes, no) => {
      const r = indexedDB.open('langso-courier', 1);
      r.onupgradeneeded = () => { for (const kind of ['sent', 'carried']) r.result.createObjectStore(kind, { keyPath: 'id' }); };
      r.onsuccess = () => { r.result.onversionchange = () => r.result.close(); yes(r.result); };
      r.onerror = () => no(r.error);
    });
    return this.#db;
  }

  /** @param {string} kind @param {IDBTransactionMode} mode @param {(s: IDBObjectStore) => IDBRequest} work @returns {Promise<any>} */
  async #run(kind, mode, work) {
    const db = await this.#open();
    return new Promise((yes, no) => {
      const tx = db.transaction(kind, mode, { durability: 'strict' }), r = work(tx.objectStore(kind));
      tx.oncomplete = () => yes(r.result);
      tx.onabort = tx.onerror = () => no(tx.error ?? new Error('courier: transaction aborted'));
    });
  }

  /** @param {'sent' | 'carried'} kind */ all(kind) { return this.#run(kind, 'readonly', s => s.getAll()); }
  /** @param {'sent' | 'carried'} kind @param {any} value */ put(kind, value) { return this.#run(kind, 'readwrite', s => s.put(value)); }
  /** @param {'sent' | 'carried'} kind @param {string} id */ drop(kind, id) { return this.#run(kind, 'readwrite', s => s.delete(id)); }
}

/** The same in memory. @implements {Shelf} */
export class MemoryShelf {
  #of = { sent: new Map(), carried: new Map() };
  /** @param {'sent' | 'carried'} kind */ async all(kind) { return [...this.#of[kind].values()]; }
  /** @param {'sent' | 'carried'} kind @param {any} value */ async put(kind, value) { this.#of[kind].set(value.id, { ...value }); }
  /** @param {'sent' | 'carried'} kind @param {string} id */ async drop(kind, id) { this.#of[kind].delete(id); }
}

/** Thrown when more is handed over than a phone may carry. */
export class Full extends Error { constructor() { super('Máy này đang mang đủ 20 gói rồi. Xin gửi bớt khi có mạng.'); } }

export class Courier {
  /** @param {Client} client @param {Shelf} [shelf] */
  constructor(client, shelf = new BrowserShelf()) { this.client = client; this.shelf = shelf; }

  /** @param {'sent' | 'carried'} kind @returns {Promise<any[]>} those that are not too old, nor of an earlier sign-in; the others are forgotten */
  async #all(kind) {
    const now = this.client.now().getTime(), life = kind === 'sent' ? rememberSent : keepCarried, out = [];
    for (const x of await this.shelf.all(kind)) if (now - Date.parse(x.at) > life || (kind === 'sent' && x.phone !== this.client.account?.phone)) await this.shelf.drop(kind, x.id); else out.push(x);
    return out.sort((a, b) => a.at.localeCompare(b.at));
  }

  // The owner's side.

  /**
   * Seals what waits. It may be done again at any time: what is judged twice is done once.
   * @returns {Promise<{file: Bytes, edits: number, left: number}>} left: edits that found no room
   */
  async pack() {
    const { client } = this, { account, notes } = client;
    if (!account) throw new Error('Cần đăng nhập trước.');
    if (!notes.seal) throw new Error('Máy này chưa lần nào gửi được qua mạng. Lần đầu cần có mạng.');
    await this.#all('sent');
    const waiting = client.waiting.length;
    /** @param {number} most */
    const make = async most => {
      const { clock: _, snapshots: __, check: ___, ...says } = ask(client.state, { app: client.app, want, clock: client.now(), most, without: true });
      // How long it is carried nobody knows: a clock would be compared with that of another day.
      if (most === 0) { delete says.edits; says.waiting = waiting; }
      const { key } = account;
      if (!key) throw new Error('seal bundle: this phone has no key of its own');
      const sealed = await sealBundle(notes.seal ?? '', account.phone, async body => unbase64url((await authorization(key, account.phone, 'POST', path, body)).split('.')[1]), says);
      return { says, sealed };
    };
    let most = 500, made = await make(most);
    while (!made.sealed && most) {
      most = Math.floor(Math.min(most, made.says.edits?.length ?? 0) * 3 / 4);
      made = await make(most);
    }
    if (!made.sealed) throw new Error('Gói quá lớn, không mang được.');
    const { file, ...sealed } = made.sealed, edits = made.says.edits ?? [];
    await this.shelf.put('sent', { ...sealed, place: this.#place(), epoch: client.state.place.epoch, phone: account.phone, at: client.now().toISOString(),
      edits: await Promise.all(edits.map(async (/** @type {any} */ e) => [e.n, await hashOf(e)])) });
    return { file, edits: edits.length, left: made.says.waiting ?? 0 };
  }

  /** All that an answer is made for. When it is another, a later answer has been taken. */
  #place() {
    const { epoch, cursor, standing, told, lost, resume, compare, loaded } = this.client.state.place;
    const judged = [...this.client.state.edits.values()].filter(k => k.verdict || k.dismissed).map(k => [k.edit.n, k.verdict?.is, Boolean(k.dismissed)]).sort();
    return JSON.stringify([this.client.account?.phone, epoch, cursor, standing, lost?.hash ?? told, resume, compare, loaded, judged, ...(lost?.untold ? [lost.untold] : [])]);
  }

  /**
   * Takes the answers that a neighbour brought. One counts whole when nothing newer was heard since its bundle
   * was packed; else only its verdicts do, for edits that still wait.
   * @param {Bytes} file @returns {Promise<{answers: number, late: number, others: number, damaged: number, verdicts: any[], refused: {code: string, say: string}[]}>}
   */
  async unpack(file) {
    const out = { answers: 0, late: 0, others: 0, damaged: 0, verdicts: /** @type {any[]} */ ([]), refused: /** @type {any[]} */ ([]) };
    const sent = new Map((await this.#all('sent')).map(s => [s.id, s]));
    for (const e of parse(file).all) {
      const s = sent.get(e.id);
      if (!s || e.kind === 'B') { out.others++; continue; }
      // Said in clear, so anybody may have said it: it is shown, and nothing is done.
      if (e.kind === 'R') { try { out.refused.push(JSON.parse(new TextDecoder().decode(e.box))); } catch { out.damaged++; } continue; }
      /** @type {{status: number, body: Bytes}} */
      let got;
      try { got = await openAnswer(s, e); } catch { out.damaged++; continue; }
      out.answers++;
      await this.client.between(() => this.#take(s, got, out));
      if (got.status === 200) { await this.shelf.drop('sent', s.id); sent.delete(s.id); }
    }
    return out;
  }

  /** @param {any} s @param {{status: number, body: Bytes}} got @param {any} out */
  async #take(s, got, out) {
    const { client } = this, fresh = s.place === this.#place() && (await this.#still(s)).size === s.edits.length;
    if (!fresh) out.late++;
    if (got.status !== 200) {
      const f = JSON.parse(new TextDecoder().decode(got.body));
      out.refused.push(f);
      if (fresh && f.wipe) await client.refused(new Refusal(f.code, f.say, got.status, f));
      return;
    }
    const heard = client.now().toISOString(), still = await this.#still(s);
    const before = new Set([...client.state.edits.values()].filter(k => !k.verdict).map(k => k.edit.n));
    if (fresh) await client.take(got.body, new Answer(client.state, heard));
    else if (s.epoch === client.state.place.epoch && s.phone === client.account?.phone) {
      const w = new Writes();
      for await (const lines of chunksOf((async function* () { yield got.body; })())) for (const v of lines.flatMap(o => o.verdicts ?? [])) {
        const k = still.get(v.n);
        if (!k || k.verdict || v.code === 'fork') continue;
        const { was, ...said } = v;
        k.verdict = v.is === 'known' ? { ...said, is: was ?? 'taken' } : v;
        k.heard = heard;
        if (isTaken(k)) k.landed = false;
        w.edits.add(v.n);
      }
      await client.store.write(w, client.state);
    }
    for (const k of client.state.edits.values()) if (k.verdict && before.has(k.edit.n)) out.verdicts.push(k.verdict);
  }

  /** The bundle's edits that still wait, as they were packed, by number. @param {any} s */
  async #still(s) {
    /** @type {Map<number, import('../overlay.js').Kept>} */
    const out = new Map();
    for (const [n, hash] of s.edits) {
      const k = this.client.state.edits.get(n);
      if (k && !k.verdict && await hashOf(k.edit) === hash) out.set(n, k);
    }
    return out;
  }

  /** Bundles of this phone whose answers have not come. */
  async underWay() { return (await this.#all('sent')).length; }

  // The carrier's side.

  /** Keeps a neighbour's bundles, and tells how many. @param {Bytes} file */
  async carry(file) {
    const { all } = parse(file), bundles = all.filter(e => e.kind === 'B');
    if (!bundles.length) throw new Error('Tệp này không phải gói nhờ gửi.');
    const have = new Set((await this.#all('carried')).map(c => c.id));
    for (const e of bundles) {
      // By the whole content: a false bundle of the same id must not keep out the true one.
      const id = hex(await sha(e.raw));
      if (have.has(id)) continue;
      if (have.size >= maxCarried) throw new Full();
      have.add(id);
      await this.shelf.put('carried', { id, raw: e.raw, at: this.client.now().toISOString() });
    }
    return bundles.length;
  }

  /** What this phone carries for others. */
  async carried() {
    const all = await this.#all('carried'), answered = all.filter(c => c.answer).length;
    return { waiting: all.length - answered, answered };
  }

  /** Brings the bundles to the server, a few a request. @returns {Promise<number>} how many answers came @throws {NoRoad | Refusal} */
  async deliver() {
    let n = 0;
    for (;;) {
      /** @type {Carried[]} */
      const batch = [];
      let size = 0;
      for (const c of await this.#all('carried')) {
        if (c.answer || (batch.length && size + c.raw.length > deliverBytes)) continue;
        batch.push(c);
        size += c.raw.length;
      }
      if (!batch.length) return n;
      const was = n;
      n += await this.#deliver(batch);
      if (n === was) return n; // the server asks for patience with all of them
    }
  }

  /** @param {Carried[]} batch */
  async #deliver(batch) {
    const res = await this.client.fetch(path, { method: 'POST', headers: { 'Content-Type': contentType }, body: join(...batch.map(c => c.raw)), cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout?.(patience) }).catch(err => { throw new NoRoad(String(err)); });
    if (!res.ok) {
      const got = await res.json().catch(() => { throw new NoRoad('HTTP ' + res.status); });
      throw new Refusal(got.code ?? 'unknown', got.say ?? '', res.status, got);
    }
    if (!(res.headers.get('Content-Type') ?? '').startsWith(contentType)) throw new NoRoad('not our answer');
    const { all } = parse(new Uint8Array(await res.arrayBuffer().catch(err => { throw new NoRoad(String(err)); })));
    let n = 0;
    for (const [i, e] of all.entries()) {
      const c = batch[i];
      if (!c || e.kind === 'B' || e.id !== parse(c.raw).all[0].id) throw new NoRoad('an answer to something else');
      if (e.kind === 'R' && new TextDecoder().decode(e.box).includes('"busy"')) continue;
      await this.shelf.put('carried', { ...c, answer: e.raw });
      n++;
    }
    if (all.length < batch.length) throw new NoRoad('answer cut');
    return n;
  }

  /** The file with the answers that are to be given back. @returns {Promise<Bytes>} */
  async answers() { return join(...(await this.#all('carried')).filter(c => c.answer).map(c => c.answer)); }

  /** Forgets the bundles whose answers their owners have. */
  async givenBack() { for (const c of await this.#all('carried')) if (c.answer) await this.shelf.drop('carried', c.id); }
}

/** @param {any} edit */
const hashOf = async edit => hex((await sha(text.encode(JSON.stringify(edit)))).slice(0, 16));
