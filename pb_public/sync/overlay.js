// @ts-check
// What a person sees: the server's records with the person's own unjudged edits on top.
// Nothing here is stored; it is computed again whenever a record or an edit changes.

import { differ } from './settle.js';

/**
 * @typedef {{id: string, seq: number, in: string[], set: Record<string, any>}} Rec
 *   a record as the server told it: fields that are absent are zero
 * @typedef {{n: number, base?: number, at?: string, coll?: string, id?: string, create?: Record<string, any>,
 *   change?: Record<string, any>, add?: Record<string, number>, delete?: boolean, do?: string, args?: any,
 *   after?: number[], fixes?: number}} Edit
 * @typedef {{n?: number, is: string, was?: string, code?: string, say?: string, met?: any, result?: any}} Verdict
 * @typedef {{edit: Edit, verdict?: Verdict, heard?: string, landed?: boolean, dismissed?: boolean,
 *   decided?: import('./settle.js').Decided}} Kept
 *   an edit with what became of it; heard: when the verdict was stored; landed: the answer that brought the
 *   verdict has ended well, so its effect is among the records; dismissed: the person is done with it;
 *   decided: it was parked, and somebody decided
 */

/** Tells whether a value is the zero of its kind: equal to an absent field. @param {any} v */
export function isZero(v) {
  if (v === null || v === undefined || v === '' || v === 0 || v === false) return true;
  return typeof v === 'object' && Object.keys(v).length === 0;
}

/** Tells whether an edit still lies over the records. @param {Kept} k */
export function covers(k) {
  if (!k.verdict) return true;
  return k.landed === false && (k.verdict.is === 'taken' || k.verdict.is === 'merged');
}

/**
 * One record as the person sees it.
 * @param {Record<string, any> | undefined} fields the server's fields, undefined when the phone has no such record
 * @param {Edit[]} edits of this record, unjudged, in order of n
 * @returns {Record<string, any> | undefined} undefined: there is nothing to see
 */
export function see(fields, edits) {
  let seen = fields && { ...fields };
  for (const e of edits) {
    if (e.delete) seen = undefined;
    else if (e.create) seen = { ...seen, ...e.create };
    else if (seen) {
      const was = seen;
      seen = { ...seen, ...Object.fromEntries(Object.entries(e.change ?? {}).map(([f, v]) => [f, differ(was[f], v) ?? v])) };
      for (const [field, by] of Object.entries(e.add ?? {})) seen[field] = (Number(seen[field]) || 0) + by;
    }
  }
  return seen;
}

/**
 * A whole collection as the person sees it.
 * @param {Map<string, Rec> | undefined} records
 * @param {Iterable<Kept>} edits all of the phone's, in order of n
 * @param {string} coll
 * @returns {Map<string, any>} id → fields with `id`, and `$waits` when an edit of the person still waits
 */
export function overlay(records, edits, coll) {
  /** @type {Map<string, Edit[]>} */
  const mine = new Map();
  for (const k of edits) {
    const { coll: c, id } = k.edit;
    if (c !== coll || !id || !covers(k)) continue;
    const of = mine.get(id);
    if (of) of.push(k.edit); else mine.set(id, [k.edit]);
  }
  /** @type {Map<string, any>} */
  const out = new Map();
  for (const [id, r] of records ?? []) {
    const own = mine.get(id);
    const seen = own ? see(r.set, own) : r.set;
    if (seen) out.set(id, own ? { ...seen, id, $waits: true } : { ...seen, id });
  }
  for (const [id, own] of mine) {
    if (records?.has(id)) continue;
    const seen = see(undefined, own);
    if (seen) out.set(id, { ...seen, id, $waits: true });
  }
  return out;
}
