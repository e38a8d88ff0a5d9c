// @ts-check
// A comparison of what the phone holds with the server: a sum for each circle,
// then lists of the parts that differ. What is right is never sent again.

import { isZero } from './overlay.js';
import { content, packNumbers, part, place, plus, show, unpackNumbers } from './sums.js';

/**
 * @typedef {import('./exchange.js').State} State @typedef {import('./exchange.js').Answer} Answer @typedef {import('./sums.js').Sum} Sum
 * @typedef {{circle: string, coll: string, id: string, number: Sum}} Member
 * @typedef {{sums?: Record<string, string>, lists?: {in: string, bits: number, parts: number[], has: string}[], deep?: boolean}} Check
 */

const deepEvery = 7 * 24 * 3600 * 1000, rounds = 3;

/** The phone's records in a circle, or in all, in order of collection and id. @param {State} state @param {string} circle @param {boolean} deep @returns {Member[]} */
function members(state, circle, deep) {
  /** @type {Member[]} */
  const out = [];
  for (const [coll, of] of state.records) {
    for (const r of of.values()) {
      if (circle && !r.in.includes(circle)) continue;
      const inner = deep ? content(Object.fromEntries(Object.entries(r.set).filter(([, v]) => !isZero(v)))) : undefined;
      for (const c of circle ? [circle] : r.in) out.push({ circle: c, coll, id: r.id, number: place(c, coll, r.id, r.seq, inner) });
    }
  }
  return circle ? out.sort((a, b) => order(a.coll, b.coll) || order(a.id, b.id)) : out;
}

/** @param {string} a @param {string} b */
const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** The sum over all records. @param {State} state @returns {string} */
export function total(state) {
  /** @type {Sum} */
  let sum = [0, 0];
  for (const m of members(state, '', false)) sum = plus(sum, m.number);
  return show(sum);
}

/** The first question: a sum for each circle. @param {State} state @param {boolean} deep @returns {Check} */
export function circleSums(state, deep) {
  /** @type {Record<string, Sum>} */
  const sums = Object.fromEntries(state.place.circles.map(c => [c, [0, 0]]));
  for (const m of members(state, '', deep)) sums[m.circle] = plus(sums[m.circle] ?? [0, 0], m.number);
  const check = { sums: Object.fromEntries(Object.entries(sums).map(([c, s]) => [c, show(s)])) };
  return deep ? { ...check, deep } : check;
}

/** The second question: what the phone has in the parts that differ. @param {State} state @param {{in: string, bits: number, list: string}[]} theirs @param {boolean} deep */
export function lists(state, theirs, deep) {
  /** @type {Member[][]} */
  const listed = [];
  /** @type {NonNullable<Check['lists']>} */
  const asks = [];
  let room = 32768; // half of what an ask may list: what finds none is left for the next round
  for (const s of theirs) {
    const list = unpackNumbers(s.list);
    if (!(s.bits >= 0 && s.bits <= 12) || list.length !== 2 ** s.bits) continue;
    const all = members(state, s.in, deep), own = new Uint32Array(list.length), count = new Uint32Array(list.length);
    for (const m of all) { const i = part(m.coll, m.id, s.bits); own[i] += m.number[0]; count[i]++; }
    const parts = list.flatMap((n, i) => { if (n === own[i] || count[i] >= room) return []; room -= count[i] + 1; return [i]; }), differs = new Set(parts);
    if (!parts.length) continue;
    const has = all.filter(m => differs.has(part(m.coll, m.id, s.bits)));
    asks.push({ in: s.in, bits: s.bits, parts, has: packNumbers(has.map(m => m.number[0])) });
    listed.push(has);
  }
  return { check: /** @type {Check} */ (deep ? { lists: asks, deep } : { lists: asks }), listed };
}

/** One comparison, within one meeting of the server. */
export class Comparison {
  /** @type {Check | undefined} what the next ask carries */ next;
  /** @type {Member[][]} the records of its lists */ listed = [];
  #deep = false; #rounds = 0;
  /** @type {string[]} circles whose sums were another */ #differ = [];
  /** @type {string[] | undefined} circles that are compared again, the others being right */ #only;

  /** Begins when one is due. @param {State} state @param {Date} now */
  due(state, now) {
    const p = state.place;
    if (this.next || !p.cursor || p.resume || p.compare) return;
    const old = Math.abs(now.getTime() - Date.parse(p.compared || '')) < deepEvery;
    if (!p.check && old) return;
    this.#deep = p.check !== 'sums';
    this.next = circleSums(state, this.#deep);
    const only = this.#only, { sums = {} } = this.next;
    if (only) this.next.sums = Object.fromEntries(Object.entries(sums).filter(([c]) => only.includes(c)));
    this.#only = undefined;
  }

  /**
   * Goes on after a complete answer. @param {State} state @param {Answer} a @param {Date} now
   * @returns {boolean} there is more to ask
   */
  heard(state, a, now) {
    const asked = this.next, p = state.place;
    this.next = undefined;
    this.listed = [];
    if (asked?.sums && a.sums.length) {
      this.#differ = a.sums.map(s => s.in);
      const { check, listed } = lists(state, a.sums, Boolean(asked.deep));
      if (check.lists?.length) {
        p.mismatches = (p.mismatches ?? 0) + 1;
        this.next = check;
        this.listed = listed;
        return true;
      }
    }
    if (a.right && asked?.lists && asked.deep) this.#only = this.#differ;
    if (!a.right || (asked?.lists && asked.deep)) {
      if (++this.#rounds > rounds) return false;
      if (p.check !== 'deep') p.check = this.#deep ? 'deep' : 'sums';
      return true;
    }
    if (!asked) return Boolean(p.check) && !this.#rounds;
    if (asked.deep) p.compared = now.toISOString();
    if (asked.deep || p.check !== 'deep') p.check = '';
    return false;
  }
}
