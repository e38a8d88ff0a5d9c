// @ts-check
// One meeting of the phone and the server, as docs/PROTOCOL.md §4 has it: the
// ask is made from the state, and each line of the answer changes the state.
// No network and no storage here: Answer returns what is to be written, so that
// the same vectors (docs/protocol/) run in the browser's code and in node.

import { isZero } from './overlay.js';
import { confirmed, isTaken, waiting } from './edits.js';

/**
 * @typedef {import('./overlay.js').Rec} Rec @typedef {import('./overlay.js').Kept} Kept
 * @typedef {{epoch: string, cursor: number, standing: string, resume: string, circles: string[], told: string, want: number}} Place
 *   where the phone is: `standing` is the hash that went with the cursor, `circles` and `told` (their hash) the newest the
 *   server told; `want`: the budget of answers while the road breaks, 0 = it does not
 * @typedef {{place: Place, n: number, records: Map<string, Map<string, Rec>>, edits: Map<number, Kept>}} State
 */

/** Limits of one ask. Half of the server's 1 MB leaves room for its other members. */
export const maxEdits = 500, maxBytes = 512 * 1024;

/** A phone that has met no server. @returns {State} */
export function newState() {
  return { place: { epoch: '', cursor: 0, standing: '', resume: '', circles: [], told: '', want: 0 }, n: 0, records: new Map(), edits: new Map() };
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
 * @param {{app?: string, want?: number, clock: Date, most?: number}} now most: no more edits than this (after a 413)
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
  const { epoch, cursor, standing, told, resume, want } = state.place;
  const all = {
    epoch, cursor, standing, told: cursor > 0 && told !== standing ? told : '', resume,
    confirmed: confirmed(state.edits.values(), state.n), want: Math.min(now.want || want, want || now.want || 0),
    waiting: wait.length - edits.length, clock: edits.length ? now.clock.toISOString().replace(/\.\d+Z$/, 'Z') : '', edits,
  };
  /** @type {Record<string, any>} */
  const body = { v: 1 };
  if (now.app) body.app = now.app;
  for (const [k, v] of Object.entries(all)) if (!isZero(v)) body[k] = v;
  return body;
}

/** What a line changed: to be written in one transaction. */
export class Writes {
  place = false;
  clear = false;
  /** @type {Map<string, {coll: string, id: string, rec: Rec | null}>} */
  records = new Map();
  /** @type {Set<number>} */
  edits = new Set();

  /** @param {string} coll @param {string} id @param {Rec | null} rec */
  put(coll, id, rec) { this.records.set(coll + '/' + id, { coll, id, rec }); }
}

/** The answer cannot be read on: what stood before counts. */
export class Garbled extends Error {}

/** Reads one answer, line by line. */
export class Answer {
  /** @type {'' | 'more' | 'complete'} how the answer ended; '' = it was cut */
  ended = '';
  /** seconds the server asks to wait, 0 = none */
  retryIn = 0;
  /** @type {{coll: string, row: any}[]} */
  #staged = [];
  #first; #fresh;

  /** @param {State} state changed in place @param {string} heard the phone's clock, kept with each verdict */
  constructor(state, heard = '') {
    this.state = state;
    this.heard = heard;
    // A phone at cursor 0 that does not resume is told everything: what an earlier, cut first
    // answer left is forgotten, since nobody would say that it has gone meanwhile.
    this.#first = state.place.cursor === 0;
    this.#fresh = this.#first && !state.place.resume;
  }

  /**
   * Takes one line, without its newline.
   * @param {string} text @returns {Writes} what is to be written now
   * @throws {Garbled} the line is no JSON or not of the promised shape
   */
  line(text) {
    /** @type {any} */
    let o;
    try { o = JSON.parse(text); } catch { throw new Garbled('not JSON'); }
    const w = new Writes();
    if (this.ended || !isObject(o)) return w;
    if (this.#fresh) { this.#fresh = false; this.#forgetRecords(w); }
    if (o.epoch !== undefined) this.#epoch(need(o.epoch, isObject), w);
    if (o.verdicts !== undefined) this.#verdicts(need(o.verdicts, Array.isArray), w);
    if (o.acked !== undefined) this.#wantAgain(need(o.acked, Number.isInteger) + 1, w);
    if (o.send_from !== undefined) this.#wantAgain(need(o.send_from, Number.isInteger), w);
    if (o.standing !== undefined) this.#standing(need(o.standing, isObject), w);
    if (o.gone !== undefined) this.#gone(need(o.gone, isObject), w);
    if (o.changes !== undefined) this.#changes(need(o.changes, isObject), w);
    if (o.retry_in !== undefined) this.retryIn = Number(o.retry_in) || 0;
    if (o.more !== undefined) this.#end('more', () => { this.state.place.resume = String(o.more); }, w);
    if (o.complete !== undefined) this.#complete(need(o.complete, isObject), w);
    return w;
  }

  /** @param {any} e @param {Writes} w */
  #epoch(e, w) {
    if (!e.reset) return;
    Object.assign(this.state.place, { epoch: String(e.is ?? ''), cursor: 0, standing: '', resume: '' });
    this.#forgetRecords(w);
    this.#first = true;
  }

  /** @param {Writes} w */
  #forgetRecords(w) {
    this.state.records.clear();
    this.#staged = [];
    w.records.clear();
    w.clear = w.place = true;
  }

  /** @param {any[]} verdicts @param {Writes} w */
  #verdicts(verdicts, w) {
    for (const v of verdicts) {
      const k = isObject(v) && this.state.edits.get(v.n);
      if (!k || k.verdict) continue; // a verdict once given never changes
      const { was, ...said } = v;
      k.verdict = v.is === 'known' ? { ...said, is: was ?? 'taken' } : v;
      k.heard = this.heard;
      if (isTaken(k)) k.landed = false;
      w.edits.add(v.n);
    }
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
      delete k.verdict; delete k.heard; delete k.landed;
      w.edits.add(k.edit.n);
    }
  }

  /** @param {any} s @param {Writes} w */
  #standing(s, w) {
    const circles = need(s.circles, Array.isArray).map(String);
    const lost = new Set(this.state.place.circles);
    for (const c of circles) lost.delete(c);
    this.state.place.circles = circles;
    this.state.place.told = String(s.hash ?? '');
    w.place = true;
    if (lost.size) this.#loseCircles(lost, w);
  }

  /** @param {Set<string>} lost @param {Writes} w */
  #loseCircles(lost, w) {
    for (const [coll, of] of this.state.records) {
      for (const [id, r] of of) {
        const left = r.in.filter(c => !lost.has(c));
        if (left.length === r.in.length) continue;
        if (left.length) this.#store(coll, { ...r, in: left }, w); else this.#drop(coll, id, w);
      }
    }
  }

  /** @param {any} gone @param {Writes} w */
  #gone(gone, w) {
    for (const [coll, ids] of Object.entries(gone)) for (const id of need(ids, Array.isArray)) this.#drop(coll, String(id), w);
  }

  /** @param {any} c @param {Writes} w */
  #changes(c, w) {
    const coll = need(c.coll, isText);
    const rows = need(c.rows, Array.isArray);
    for (const row of rows) {
      need(isObject(row) && row.id, isText);
      if (row.in !== undefined) need(row.in, Array.isArray).forEach((/** @type {any} */ i) => need(this.state.place.circles[i], isText));
    }
    for (const row of rows) {
      if (this.#first) this.#apply(coll, row, w); else this.#staged.push({ coll, row });
    }
  }

  /** @param {string} coll @param {any} row @param {Writes} w */
  #apply(coll, row, w) {
    const old = this.state.records.get(coll)?.get(row.id);
    if (!old && !row.whole) return; // a difference to a record the phone does not have says nothing
    const set = { ...(row.whole ? {} : old?.set), ...row.set };
    for (const f of Object.keys(set)) if (isZero(set[f])) delete set[f];
    const circles = row.in ? row.in.map((/** @type {number} */ i) => this.state.place.circles[i]) : old?.in ?? [];
    this.#store(coll, { id: row.id, seq: Number(row.seq) || old?.seq || 0, in: circles, set }, w);
  }

  /** @param {string} coll @param {Rec} r @param {Writes} w */
  #store(coll, r, w) {
    let of = this.state.records.get(coll);
    if (!of) this.state.records.set(coll, of = new Map());
    of.set(r.id, r);
    w.put(coll, r.id, r);
  }

  /** @param {string} coll @param {string} id @param {Writes} w */
  #drop(coll, id, w) {
    if (this.state.records.get(coll)?.delete(id)) w.put(coll, id, null);
  }

  /** @param {any} c @param {Writes} w */
  #complete(c, w) {
    const cursor = need(c.cursor, Number.isInteger);
    this.#end('complete', () => {
      const p = this.state.place;
      Object.assign(p, { cursor, epoch: String(c.epoch ?? p.epoch), resume: '', standing: p.told, want: 0 });
    }, w);
  }

  /** @param {'more' | 'complete'} how @param {() => void} move @param {Writes} w */
  #end(how, move, w) {
    for (const { coll, row } of this.#staged) this.#apply(coll, row, w);
    this.#staged = [];
    for (const k of this.state.edits.values()) {
      if (k.landed === false) { k.landed = true; w.edits.add(k.edit.n); }
    }
    move();
    w.place = true;
    this.ended = how;
  }
}

/**
 * Splits a stream of bytes into whole lines; what follows the last newline is no line.
 * @param {AsyncIterable<Uint8Array>} chunks
 * @returns {AsyncGenerator<string>}
 */
export async function* lines(chunks) {
  let rest = new Uint8Array(0);
  for await (const chunk of chunks) {
    const all = new Uint8Array(rest.length + chunk.length);
    all.set(rest); all.set(chunk, rest.length);
    let from = 0;
    for (let at = all.indexOf(10); at >= 0; at = all.indexOf(10, from)) {
      yield text(all.subarray(from, at));
      from = at + 1;
    }
    rest = all.slice(from);
  }
}

/** @param {Uint8Array} bytes */
function text(bytes) {
  try { return new TextDecoder('utf-8', { fatal: true }).decode(bytes); } catch { throw new Garbled('not UTF-8'); }
}

/** @param {any} v @returns {boolean} */
function isObject(v) { return typeof v === 'object' && v !== null && !Array.isArray(v); }
/** @param {any} v @returns {boolean} */
function isText(v) { return typeof v === 'string' && v !== ''; }
/** @param {any} v @param {(v: any) => boolean} is @returns {any} */
function need(v, is) { if (!is(v)) throw new Garbled('not of the promised shape'); return v; }
