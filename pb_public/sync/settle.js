// @ts-check
// What became of parked edits: somebody decided, and the maker's phone learns it
// by a record that names the edit and holds no value of any field.

/** @typedef {import('./overlay.js').Kept} Kept @typedef {{take: string, by: string, at: string, say: string}} Decided */

/**
 * The parked edits about which the server tells a decision, with it.
 * @param {Iterable<{set: Record<string, any>}>} settlements records of the collection of that name
 * @param {Map<number, Kept>} kept @param {string} phone this phone's id @returns {Kept[]}
 */
export function decided(settlements, kept, phone) {
  const out = [];
  for (const { set: s } of settlements) {
    const k = s.phone === phone ? kept.get(Number(s.n)) : undefined;
    if (!k || k.verdict?.is !== 'parked' || k.dismissed || k.decided) continue;
    out.push({ ...k, decided: { take: String(s.take ?? ''), by: String(s.by_name ?? ''), at: String(s.at ?? ''), say: String(s.say ?? '') } });
  }
  return out;
}

/** A list with what an edit adds and takes out; undefined when the value is no such difference. @param {any} have @param {any} v @returns {any[] | undefined} */
export function differ(have, v) {
  if (!v || typeof v !== 'object' || Array.isArray(v)) return;
  const keys = Object.keys(v);
  if (!keys.length || keys.some(k => (k !== '+' && k !== '-') || !Array.isArray(v[k]))) return;
  const minus = (v['-'] ?? []).map((/** @type {any} */ x) => JSON.stringify(x)), out = new Map();
  for (const x of Array.isArray(have) ? have : have ? [have] : []) { const t = JSON.stringify(x); if (!minus.includes(t)) out.set(t, x); }
  for (const x of v['+'] ?? []) out.set(JSON.stringify(x), x);
  return [...out.values()];
}
