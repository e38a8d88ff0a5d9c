// @ts-check
// One meeting of the phone and the server, as docs/PROTOCOL.md §4 has it: the
// ask is made from the state, and each chunk of the answer changes the state.
// No network and no storage here: Answer returns what is to be written, so that
// the same vectors (docs/protocol/) run in the browser's code and in node.

import { rowsOf } from './chunk.js';
import { total } from './compare.js';
import { confirmed, isTaken, offeredAgain, unknown, waiting } from './edits.js';
import { isZero } from './overlay.js';

/**
 * @typedef {import('./overlay.js').Rec} Rec @typedef {import('./overlay.js').Kept} Kept
 * @typedef {{coll: string, id: string, seq: number, whole?: boolean, in?: string[], set?: Record<string, any>}} Row
 * @typedef {{epoch: string, cursor: number, standing: string, resume: string, circles: string[], told: string, lost: {hash: string, circles: string[], untold?: string[]} | null, compare: boolean,
 *   loaded: Record<string, number>, check: '' | 'sums' | 'deep', compared: string, sum: string, mismatches: number, shape?: string}} Place
 *   where the phone is: `standing` is the hash that went with the cursor, `circles` and `told` (their hash) the newest the
 *   server told; `lost`: what standings took away since the cursor, the hash of one without all of it but `untold`; `compare`: its records are of another history; `loaded`: snapshot files; `check`: a comparison that is due;
 *   `compared`: when it last was by content; `shape`: what edits may name, as last told; `sum` over all records, "" when it is to be made anew
 * @typedef {{place: Place, n: number, records: Map<string, Map<string, Rec>>, kept: Row[], edits: Map<number, Kept>}} State
 *   kept: rows that came and show with the next `complete`
 */

/** Limits of one ask. Half of the server's 1 MB leaves room for its other members. */
export const maxEdits = 500, maxBytes = 512 * 1024;

/** A phone that has met no server. @returns {State} */
export function newState() {
  return { place: newPlace(), n: 0, records: new Map(), kept: [], edits: new Map() };
}

/** @returns {Place} */
function newPlace() {
  return { epoch: '', cursor: 0, standing: '', resume: '', circles: [], told: '', lost: null, compare: false, loaded: {}, check: '', compared: '', sum: '', mismatches: 0 };
}

/** First 16 hex digits of SHA-256 over the circles, sorted by bytes, each with a newline. @param {string[]} circles @returns {Promise<string>} */
export async function standingHash(circles) {
  const enc = new TextEncoder();
  const bytes = circles.map(c => enc.encode(c)).sort((a, b) => {
    for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] - b[i];
    return a.length - b.length;
  });
  const sum = await crypto.subtle.digest('SHA-256', enc.encode(bytes.map(b => new TextDecoder().decode(b) + '\n').join('')));
  return [...new Uint8Array(sum).subarray(0, 8)].map(b => b.toString(16).padStart(2, '0')).join('');
}

/**
 * The body of POST /api/sync. Members that are zero are left out.
 * @param {State} state
 * @param {{app?: string, want?: number, clock: Date, most?: number, check?: import('./compare.js').Check, without?: boolean}} now
 *   most: no more edits than this (after a 413); without: no snapshot files
 * @returns {Record<string, any>}
 */
export function ask(state, now) {
  const wait = waiting(state.edits.values()).map(k => k.edit);
  const edits = [];
  let bytes = 0;
  for (const e of wait) {
    bytes += JSON.stringify(e).length * 2;
    if (edits.length && (edits.length >= (now.most ?? maxEdits) || bytes > maxBytes)) break;
    edits.push(e);
  }
  const { epoch, cursor, standing, resume, compare, loaded } = state.place;
  const told = state.place.lost?.hash ?? state.place.told;
  const all = {
    epoch, cursor, standing, told: cursor > 0 && told !== standing ? told : '', lost: cursor > 0 ? state.place.lost?.untold : undefined, resume, compare,
    snapshots: !cursor && !now.without, loaded: cursor ? {} : loaded, check: now.check,
    confirmed: confirmed(state.edits.values(), state.n), want: now.want,
    shape: unknown(state.edits.values()).length ? state.place.shape || '?' : '',
    waiting: wait.length - edits.length, clock: edits.length ? now.clock.toISOString().replace(/\.\d+Z$/, 'Z') : '', edits,
  };
  /** @type {Record<string, any>} */
  const body = { v: 1 };
  if (now.app) body.app = now.app;
  for (const [k, v] of Object.entries(all)) if (!isZero(v)) body[k] = v;
  return body;
}

/** What a chunk changed: to be written in one transaction. */
export class Writes {
  place = false;
  clear = false;
  /** @type {Map<string, {coll: string, id: string, rec: Rec | null}>} */
  records = new Map();
  /** @type {Set<number>} */
  edits = new Set();
  /** @type {number[]} numbers of edits that are no more */
  forget = [];
  /** @type {Row[]} kept rows to be added */
  keep = [];
  rekeep = false; // kept rows went: all are to be written anew
  lost = false; // something went that the person may not see any more
  /** @type {string | undefined} the phone whose answer it is */ phone;

  /** @param {string} coll @param {string} id @param {Rec | null} rec */
  put(coll, id, rec) { this.records.set(coll + '/' + id, { coll, id, rec }); }
}

/** A chunk is not of the promised shape; nothing of it was carried out. */
export class Garbled extends Error {}

/** Reads one answer, chunk by chunk. */
export class Answer {
  /** @type {'' | 'more' | 'complete'} how the answer ended; '' = it was cut */
  ended = '';
  /** seconds the server asks to wait, 0 = none */
  retryIn = 0;
  /** @type {{in: string, bits: number, list: string}[]} the server's sums */
  sums = [];
  /** @type {{circle: string, seq: number, name: string, bytes: number}[]} snapshot files to get */
  load = [];
  /** at `complete`: the phone's sum is the server's */
  right = false;
  #first; #begun = false;

  /** @param {State} state changed in place @param {string} heard the phone's clock, kept with each verdict @param {import('./compare.js').Member[][]} listed the records that the ask listed @param {import('./compare.js').Check} [check] of the ask */
  constructor(state, heard = '', listed = [], check = undefined) {
    this.state = state;
    this.heard = heard;
    this.listed = listed;
    this.check = check;
    this.#first = state.place.cursor === 0; // a first sync shows rows as they come
  }

  /**
   * Takes one chunk. @param {any[]} lines @returns {Writes} what is to be written now
   * @throws {Garbled} it cannot be meant so; nothing was changed
   */
  chunk(lines) {
    let circles = this.state.place.circles;
    const read = lines.map(o => {
      if (o.standing !== undefined) circles = need(need(o.standing, isObject).circles, Array.isArray).map(String);
      return { ...o, ...this.#understood(o, circles) };
    });
    const w = new Writes();
    if (this.ended || this.retryIn) return w;
    if (!this.#begun) { this.#begun = true; this.#begin(w); }
    for (const o of read) if (!this.ended) this.#take(o, w);
    return w;
  }

  /** Checks the shape of a line. @param {any} o @param {string[]} circles @returns {any} what was made of it */
  #understood(o, circles) {
    if (o.epoch !== undefined) need(o.epoch, isObject);
    if (o.verdicts !== undefined) need(o.verdicts, Array.isArray);
    for (const n of [o.acked, o.send_from]) if (n !== undefined) need(n, Number.isInteger);
    if (o.gone !== undefined) for (const ids of Object.values(need(o.gone, isObject))) need(ids, Array.isArray);
    if (o.complete !== undefined) need(need(o.complete, isObject).cursor, Number.isInteger);
    if (o.sums !== undefined) need(o.sums?.list, isText);
    if (o.load !== undefined) need(o.load, Array.isArray);
    if (o.drop !== undefined) this.#listedFor(o.drop);
    if (o.changes === undefined) return {};
    need(o.changes, isObject);
    need(o.changes.coll, isText);
    try {
      return { rows: rowsOf(o.changes).map(r => ({ ...r, coll: o.changes.coll, ...(r.in ? { in: r.in.map(i => need(circles[i], isText)) } : {}) })) };
    } catch { throw new Garbled('columns'); }
  }

  /** The records that a drop names. @param {any} drop */
  #listedFor(drop) {
    const at = need(need(drop, isObject).at, Array.isArray);
    const i = this.check?.lists?.findIndex(l => l.in === drop.in) ?? -1;
    return at.map((/** @type {number} */ n) => need(this.listed[i]?.[n], isObject));
  }

  /** Forgets what an earlier answer left that this one does not go on from. @param {Writes} w */
  #begin(w) {
    const p = this.state.place;
    if (p.resume) return;
    this.#unkeep(() => false, w);
    if (!p.cursor && !Object.keys(p.loaded).length) this.#forgetRecords(w);
  }

  /** @param {any} o @param {Writes} w */
  #take(o, w) {
    if (o.epoch) this.#epoch(o.epoch, w);
    if (o.shape !== undefined) this.#shape(String(o.shape), w);
    if (o.verdicts) this.#verdicts(o.verdicts, o.acked, w);
    if (o.acked !== undefined) this.#wantAgain(o.acked + 1, w);
    if (o.send_from !== undefined) this.#wantAgain(o.send_from, w);
    if (o.standing) this.#standing(o.standing, w);
    if (o.drop) this.#drop(o.drop, w);
    if (o.gone) this.#gone(o.gone, w);
    for (const row of o.rows ?? []) if (this.#first) this.#show(row, w); else this.#keep(row, w);
    if (o.sums) this.sums.push(o.sums);
    if (o.check && this.state.place.check !== 'deep') { this.state.place.check = o.check === 'deep' ? 'deep' : 'sums'; w.place = true; }
    if (o.retry_in !== undefined) this.retryIn = Number(o.retry_in) || 0;
    if (o.mark || o.more) { this.state.place.resume = String(o.mark || o.more); w.place = true; }
    if (o.more !== undefined) this.ended = 'more';
    if (o.load) { this.load = o.load; this.ended = 'more'; }
    if (o.complete) this.#complete(o.complete, w);
  }

  /** @param {any} e @param {Writes} w */
  #epoch(e, w) {
    const p = this.state.place;
    w.place = true;
    // What was taken was taken in a history that is no more: it is sent again. Most is known; but a copy of this
    // phone may have used the same numbers since, and then `acked` alone would hide that ours are lost.
    for (const k of this.state.edits.values()) {
      if (k.edit.n < 1 || !isTaken(k) || k.dismissed) continue;
      delete k.verdict; delete k.heard; delete k.landed;
      w.edits.add(k.edit.n);
    }
    if (e.compare && !e.reset) {
      Object.assign(p, { epoch: String(e.is ?? ''), resume: '', compare: true, check: 'deep' });
      this.#unkeep(() => false, w);
      return;
    }
    if (!e.reset) return;
    Object.assign(p, { epoch: String(e.is ?? ''), cursor: 0, standing: '', resume: '', lost: null, compare: false, check: '' });
    this.#unkeep(() => false, w);
    this.#forgetRecords(w);
    this.#first = true;
  }

  /** @param {Writes} w */
  #forgetRecords(w) {
    if (this.state.records.size) w.lost = true;
    this.state.records.clear();
    this.state.place.loaded = {};
    w.records.clear();
    w.clear = true;
    this.#moved(w);
  }

  /** The sum is to be made anew. @param {Writes} w */
  #moved(w) { this.state.place.sum = ''; w.place = true; }

  /** @param {any[]} verdicts @param {number | undefined} acked @param {Writes} w */
  #verdicts(verdicts, acked, w) {
    let forked = 0;
    for (const v of verdicts) {
      const k = isObject(v) && this.state.edits.get(v.n);
      if (isObject(v) && v.is === 'refused' && v.code === 'fork') { forked = Math.min(forked || v.n, v.n); continue; }
      if (!k || k.verdict) continue; // a verdict once given never changes
      const { was, ...said } = v;
      // Judged some time before: nobody knows by which shape.
      if (v.is === 'known' && unknown([{ edit: k.edit, verdict: { ...said, is: was } }]).length) { this.state.place.shape = ''; w.place = true; }
      k.verdict = v.is === 'known' ? { ...said, is: was ?? 'taken' } : v;
      k.heard = this.heard;
      if (isTaken(k)) k.landed = false;
      w.edits.add(v.n);
    }
    if (acked !== undefined) this.#renumber(forked, acked, w);
  }

  /**
   * What edits may name is something else than it was: those that were not known are offered again, once. The line
   * stands before the verdicts, so what is judged now is not among them.
   * @param {string} shape @param {Writes} w
   */
  #shape(shape, w) {
    const s = this.state;
    if (shape === s.place.shape) return;
    s.place.shape = shape;
    w.place = true;
    for (const k of offeredAgain(s.n + 1, s.edits.values())) {
      s.edits.set(k.edit.n, k);
      s.n = Math.max(s.n, k.edit.n);
      w.edits.add(k.edit.n);
    }
  }

  /**
   * Puts right a phone that was restored from its own backup, or copied: the server knows numbers of its with
   * other content. Those edits and later ones that wait were never judged: they get new numbers, in their order.
   * @param {number} forked the first such number, 0 = none @param {number} acked @param {Writes} w
   */
  #renumber(forked, acked, w) {
    const s = this.state;
    if (acked > s.n) { s.n = acked; w.place = true; }
    if (!forked) return;
    const moving = waiting(s.edits.values()).filter(k => k.edit.n >= forked);
    let n = Math.max(acked, forked - 1);
    const became = new Map(moving.map(k => [k.edit.n, ++n]));
    for (const k of moving) { s.edits.delete(k.edit.n); w.forget.push(k.edit.n); }
    for (const k of moving) {
      const edit = { ...k.edit, n: became.get(k.edit.n) ?? 0 };
      if (edit.after) edit.after = edit.after.map(a => became.get(a) ?? a);
      s.edits.set(edit.n, { ...k, edit });
      w.edits.add(edit.n);
    }
    s.n = n;
    w.place = true;
  }

  /**
   * Edits from n on are to be sent again, whatever was said of them. In the place of one that is not kept any
   * more goes an empty edit, which the server parks, so that the queue goes on; and in the place of one that the
   * person gave up or replaced, which is not to be done after all.
   * @param {number} n @param {Writes} w
   */
  #wantAgain(n, w) {
    for (let i = Math.max(n, 1); i <= this.state.n; i++) {
      const k = this.state.edits.get(i);
      if (k && !(k.dismissed && k.verdict)) continue;
      this.state.edits.set(i, { edit: { n: i, do: 'phone.forgotten', args: {} }, dismissed: true });
      w.edits.add(i);
    }
    for (const k of this.state.edits.values()) {
      if (k.edit.n < n || k.edit.n < 1 || !k.verdict) continue;
      delete k.verdict; delete k.heard; delete k.landed; delete k.decided;
      w.edits.add(k.edit.n);
    }
  }

  /** @param {any} s @param {Writes} w */
  #standing(s, w) {
    const circles = s.circles.map(String);
    const lost = new Set(this.state.place.circles);
    for (const c of circles) lost.delete(c);
    this.#note([...lost], circles, String(s.hash ?? ''));
    this.state.place.circles = circles;
    this.state.place.told = String(s.hash ?? '');
    w.place = true;
    if (!lost.size) return;
    for (const [coll, of] of this.state.records) for (const r of of.values()) this.#without(coll, r, lost, w);
    const rows = this.state.kept;
    for (const row of rows) if (row.in) row.in = row.in.filter(c => !lost.has(c));
    this.#unkeep(row => !row.in || row.in.length > 0, w);
    w.rekeep = true;
  }

  /**
   * Remembers what a standing took away since the cursor, under the hash of one that tells the server all of it: the
   * newest, unless an earlier loss is back in that. Then one hash cannot tell all, and the rest is told by name.
   * @param {string[]} circles lost @param {string[]} now @param {string} hash
   */
  #note(circles, now, hash) {
    const was = this.state.place.lost;
    if (!circles.length) return;
    const both = (/** @type {string[]} */ of = []) => [...new Set([...of, ...circles])].sort(), back = was?.circles.some(c => now.includes(c));
    this.state.place.lost = { hash: was && back ? was.hash : hash, circles: both(was?.circles), ...(back ? { untold: both(was?.untold) } : {}) };
    this.state.place.loaded = Object.fromEntries(Object.entries(this.state.place.loaded).filter(([c]) => !circles.includes(c)));
  }

  /** Takes circles from a record; left in none it goes. @param {string} coll @param {Rec} r @param {Set<string>} lost @param {Writes} w */
  #without(coll, r, lost, w) {
    const left = r.in.filter(c => !lost.has(c));
    if (left.length === r.in.length) return;
    if (left.length) this.#store(coll, { ...r, in: left }, w); else this.#forget(coll, r.id, w);
  }

  /** @param {any} drop @param {Writes} w */
  #drop(drop, w) {
    for (const m of this.#listedFor(drop)) {
      const r = this.state.records.get(m.coll)?.get(m.id);
      if (r) this.#without(m.coll, r, new Set([drop.in]), w);
    }
  }

  /** @param {any} gone @param {Writes} w */
  #gone(gone, w) {
    for (const [coll, ids] of Object.entries(gone)) for (const id of ids) this.#forget(coll, String(id), w);
    this.#unkeep(row => !gone[row.coll]?.includes(row.id), w);
  }

  /** @param {Row} row @param {Writes} w */
  #keep(row, w) {
    if (row.whole) this.#unkeep(k => k.coll !== row.coll || k.id !== row.id, w, false);
    this.state.kept.push(row);
    w.keep.push(row);
  }

  /** Leaves only the kept rows that pass. @param {(row: Row) => boolean} stays @param {Writes} w @param {boolean} [lost] */
  #unkeep(stays, w, lost = true) {
    const left = this.state.kept.filter(stays);
    if (left.length === this.state.kept.length) return;
    w.lost ||= lost;
    this.state.kept = left;
    w.rekeep = true;
  }

  /** @param {Row} row @param {Writes} w */
  #show(row, w) {
    const old = this.state.records.get(row.coll)?.get(row.id);
    if (!old && !row.whole) return; // a difference to a record the phone does not have says nothing
    const set = { ...(row.whole ? {} : old?.set), ...row.set };
    for (const f of Object.keys(set)) if (isZero(set[f])) delete set[f];
    this.#store(row.coll, { id: row.id, seq: row.seq, in: row.in ?? (row.whole ? [] : old?.in) ?? [], set }, w);
  }

  /** @param {string} coll @param {Rec} r @param {Writes} w */
  #store(coll, r, w) {
    let of = this.state.records.get(coll);
    if (!of) this.state.records.set(coll, of = new Map());
    of.set(r.id, r);
    w.put(coll, r.id, r);
    this.#moved(w);
  }

  /** @param {string} coll @param {string} id @param {Writes} w */
  #forget(coll, id, w) {
    if (!this.state.records.get(coll)?.delete(id)) return;
    w.lost = true;
    w.put(coll, id, null);
    this.#moved(w);
  }

  /** @param {any} c @param {Writes} w */
  #complete(c, w) {
    for (const row of this.state.kept) this.#show(row, w);
    w.rekeep ||= this.state.kept.length > 0;
    this.state.kept = [];
    for (const k of this.state.edits.values()) {
      if (k.landed === false) { k.landed = true; w.edits.add(k.edit.n); }
    }
    const p = this.state.place;
    Object.assign(p, { cursor: c.cursor, epoch: String(c.epoch ?? p.epoch), resume: '', standing: p.told, lost: null, compare: false, loaded: {}, compared: p.compared || this.heard });
    p.sum ||= total(this.state);
    this.right = c.sum === undefined || p.sum === c.sum;
    w.place = true;
    this.ended = 'complete';
  }
}

/** @param {any} v @returns {boolean} */
export function isObject(v) { return typeof v === 'object' && v !== null && !Array.isArray(v); }
/** @param {any} v @returns {boolean} */
export function isText(v) { return typeof v === 'string' && v !== ''; }
/** @param {any} v @param {(v: any) => boolean} is @returns {any} */
export function need(v, is) { if (!is(v)) throw new Garbled('not of the promised shape'); return v; }
