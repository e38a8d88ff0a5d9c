// @ts-check
// A snapshot file packs its rows more tightly than an answer does
// (docs/PROTOCOL.md §4.7): digits stand position by position, all first ones,
// then all second ones; ids are steps from one to the next; a column may be
// places in a list of values or among the ids of a collection.

const digits = '0123456789abcdefghijklmnopqrstuvwxyz', idLength = 15;

/** @typedef {{coll: string, ids: string[], seq: number[], whole: true, in?: number[][], set: Record<string, any[]>}} Columns */

/**
 * The rows of a file as columns of an answer. @param {any[]} lines those after the head @returns {Columns[]}
 * @throws {TypeError} they are not of the promised shape
 */
export function unpacked(lines) {
  /** @type {Record<string, (string | null)[]>} */
  const known = Object.create(null); // collection → null, then its ids
  const parts = lines.filter(o => o.packed !== undefined).map(({ packed: p }) => {
    const ids = p.steps ? idsOf(text(p.steps)) : typeof p.ids === 'string' ? p.ids.match(/.{15}/gs) ?? bad() : Array.isArray(p.ids) ? p.ids : bad();
    known[text(p.coll)] = (known[p.coll] ?? [null]).concat(ids);
    return { p, ids };
  });
  return parts.map(({ p, ids }) => {
    const seq = column(p.seq, ids.length, known);
    if (p.seq.digits) for (let i = ids.length - 1; i > 0; i--) seq[i] -= seq[i - 1]; // numbers, not differences
    const set = Object.fromEntries(Object.entries(p.set ?? {}).map(([f, c]) => [f, column(c, ids.length, known)]));
    return { coll: p.coll, ids, seq, whole: true, in: p.in, set };
  });
}

/** @param {any} c @param {number} n rows @param {Record<string, (string | null)[]>} known @returns {any[]} */
function column(c, n, known) {
  if (Array.isArray(c)) return c;
  if (c?.digits) return back(text(c.digits), n).map(t => (/^\d{1,15}$/.test(t) ? Number(t) || null : bad()));
  const of = typeof c?.of === 'string' ? known[c.of] : c?.of;
  if (!Array.isArray(of)) bad();
  return back(text(c.at), n).map(t => {
    const v = of[valueOf(t)];
    return v === undefined ? bad() : v;
  });
}

/** @param {string} all n numbers, position by position @param {number} n @returns {string[]} */
function back(all, n) {
  if (!n || all.length % n) bad();
  const rows = Array(n).fill('');
  for (let k = 0; k < all.length; k++) rows[k % n] += all[k];
  return rows;
}

/** @param {string} t base 36 @returns {number} */
function valueOf(t) { return [...t].reduce((v, d) => v * 36 + digit(d), 0); }

/** @param {string} d @returns {number} */
function digit(d) { const v = digits.indexOf(d); return v < 0 ? bad() : v; }

/** Ids of steps: the first id, then what each adds to the one before, in base 36. @param {string} steps @returns {string[]} */
function idsOf(steps) {
  let last = Array(idLength).fill(0);
  return back(steps, steps.length / idLength).map(t => {
    let carry = 0;
    const next = [...t].map(digit);
    for (let k = idLength - 1; k >= 0; k--) {
      const d = next[k] + last[k] + carry;
      carry = d >= 36 ? 1 : 0;
      next[k] = d % 36;
    }
    last = next;
    return next.map(d => digits[d]).join('');
  });
}

/** @param {any} v @returns {string} */
function text(v) { return typeof v === 'string' && v ? v : bad(); }

/** @returns {never} */
function bad() { throw new TypeError('packed'); }
