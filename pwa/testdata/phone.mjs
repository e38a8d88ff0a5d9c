// Phones written down as in docs/protocol, and answers fed to them.
import { chunksOf } from '../../pb_public/sync/chunk.js';
import { Answer, Garbled, newState } from '../../pb_public/sync/exchange.js';
import { crc32c } from '../../pb_public/sync/sums.js';
import { isZero } from '../../pb_public/sync/overlay.js';

/** The state of a phone that is written down. */
export function phone(p) {
  const s = newState();
  const { n = 0, records = {}, kept = [], edits = [], ...place } = structuredClone(p);
  Object.assign(s.place, place);
  s.place.told ||= place.standing ?? '';
  s.n = n;
  s.kept = kept;
  for (const [coll, of] of Object.entries(records)) s.records.set(coll, new Map(Object.entries(of).map(([id, r]) => [id, { id, ...r }])));
  for (const { settled, ...k } of edits) s.edits.set(k.edit.n, settled ? { ...k, dismissed: true } : k);
  return s;
}

/** Without the members that are zero. */
export const unzero = o => Object.fromEntries(Object.entries(o).filter(([, v]) => !isZero(v)));

/** A phone written down, in one form. */
export function written(s) {
  const { told, sum, compared, mismatches, ...place } = s.place;
  const records = {};
  for (const [coll, of] of s.records) if (of.size) records[coll] = Object.fromEntries([...of].map(([id, r]) => [id, { seq: r.seq, in: [...r.in].sort(), set: unzero(r.set) }]));
  const edits = [...s.edits.values()].sort((a, b) => a.edit.n - b.edit.n).map(({ edit, verdict, dismissed }) => unzero({ edit, verdict, settled: verdict && dismissed }));
  return unzero({ ...place, told: told === place.standing ? '' : told, n: s.n, records, kept: s.kept.map(unzero), edits });
}

/** The bytes of an answer as docs/protocol writes it: a crc "*" stands for the right one. */
export function wire(lines, tail = '') {
  const out = [];
  let begin = 0;
  for (const l of lines) {
    const o = l?.crc === '*' ? { ...l, crc: crc32c(out.slice(begin)) } : l;
    out.push(new TextEncoder().encode((typeof o === 'string' ? o : JSON.stringify(o)) + '\n'));
    if (l && ['crc', 'mark', 'more', 'complete', 'retry_in', 'load'].some(k => l[k] !== undefined)) begin = out.length;
  }
  return Buffer.concat([...out, new TextEncoder().encode(tail)]);
}

async function* whole(bytes) { yield bytes; }

/** Feeds an answer and tells how it ended. */
export async function feed(state, bytes) {
  const a = new Answer(state);
  try { for await (const lines of chunksOf(whole(bytes))) a.chunk(lines); } catch (err) { if (!(err instanceof Garbled)) throw err; }
  return a;
}
