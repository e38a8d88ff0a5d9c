// Phones written down as in docs/protocol, and answers fed to them.
import { Answer, lines, newState } from '../../pb_public/sync/exchange.js';
import { isZero } from '../../pb_public/sync/overlay.js';

/** The state of a phone that is written down. */
export function phone(p) {
  const s = newState();
  const { n = 0, records = {}, edits = [], ...place } = structuredClone(p);
  Object.assign(s.place, place);
  s.place.told ||= place.standing ?? '';
  s.n = n;
  for (const [coll, of] of Object.entries(records)) s.records.set(coll, new Map(Object.entries(of).map(([id, r]) => [id, { id, ...r }])));
  for (const { settled, ...k } of edits) s.edits.set(k.edit.n, settled ? { ...k, dismissed: true } : k);
  return s;
}

/** Without the members that are zero. */
export const unzero = o => Object.fromEntries(Object.entries(o).filter(([, v]) => !isZero(v)));

/** A phone written down, in one form. */
export function written(s) {
  const { told, ...place } = s.place;
  const records = {};
  for (const [coll, of] of s.records) if (of.size) records[coll] = Object.fromEntries([...of].map(([id, r]) => [id, { seq: r.seq, in: [...r.in].sort(), set: unzero(r.set) }]));
  const edits = [...s.edits.values()].sort((a, b) => a.edit.n - b.edit.n).map(({ edit, verdict, dismissed }) => unzero({ edit, verdict, settled: verdict && dismissed }));
  return unzero({ ...place, told: told === place.standing ? '' : told, n: s.n, records, edits });
}

async function* whole(text) { yield new TextEncoder().encode(text); }

/** Feeds an answer and tells how it ended. */
export async function feed(state, text) {
  const a = new Answer(state);
  try { for await (const line of lines(whole(text))) a.line(line); } catch (err) { if (err.constructor.name !== 'Garbled') throw err; }
  return a;
}
