// @ts-check
// An answer is lines of JSON in chunks (docs/PROTOCOL.md §4.3). A chunk that is
// cut or damaged ends the answer; what stood before it counts.

import { crc32c } from './sums.js';

/**
 * Splits a stream of bytes into whole chunks.
 * @param {AsyncIterable<Uint8Array>} stream @returns {AsyncGenerator<any[]>} the lines of a chunk
 */
export async function* chunksOf(stream) {
  /** @type {any[]} */
  let objects = [];
  /** @type {Uint8Array[]} */
  let raws = [];
  for await (const raw of lines(stream)) {
    const o = parse(raw);
    if (o === undefined) return;
    objects.push(o);
    if (!ends(o)) { raws.push(raw); continue; }
    if ((raws.length || o.crc !== undefined) && o.crc !== crc32c(raws)) return;
    yield objects;
    objects = []; raws = [];
  }
}

/** @param {any} o */
const ends = o => ['crc', 'mark', 'more', 'complete', 'retry_in', 'load'].some(k => o[k] !== undefined);

/** One line; JSON that is no object is something of a later protocol. @param {Uint8Array} raw @returns {any} undefined: not a line */
function parse(raw) {
  try {
    const o = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(raw));
    return typeof o === 'object' && o !== null && !Array.isArray(o) ? o : {};
  } catch { return undefined; }
}

/** Whole lines with their newline; what follows the last one is no line. @param {AsyncIterable<Uint8Array>} stream @returns {AsyncGenerator<Uint8Array>} */
async function* lines(stream) {
  let rest = new Uint8Array(0);
  for await (const piece of stream) {
    const all = new Uint8Array(rest.length + piece.length);
    all.set(rest); all.set(piece, rest.length);
    let from = 0;
    for (let at = all.indexOf(10); at >= 0; at = all.indexOf(10, from)) {
      yield all.slice(from, at + 1);
      from = at + 1;
    }
    rest = all.slice(from);
  }
}

/**
 * The rows of columns. @param {any} c @returns {{id: string, seq: number, whole?: boolean, in?: number[], set?: Record<string, any>}[]}
 * @throws {TypeError} they do not fit together
 */
export function rowsOf(c) {
  const bad = () => { throw new TypeError('columns'); };
  /** @type {string[]} */
  const ids = typeof c.ids === 'string' ? c.ids.match(/.{15}/gs) ?? [] : Array.isArray(c.ids) ? c.ids : bad();
  if (typeof c.ids === 'string' && c.ids.length % 15) bad();
  const fields = Object.entries(c.set ?? {});
  if (!Array.isArray(c.seq) || c.seq.length !== ids.length || (c.in !== undefined && (!Array.isArray(c.in) || (c.in.length > 1 && c.in.length !== ids.length)))) bad();
  for (const [, column] of fields) if (!Array.isArray(column) || column.length !== ids.length) bad();
  let seq = 0;
  return ids.map((id, i) => {
    if (typeof id !== 'string' || !id || !Number.isInteger(c.seq[i])) bad();
    seq += c.seq[i];
    /** @type {any} */
    const row = { id, seq };
    if (c.whole) row.whole = true;
    if (c.in?.length) row.in = c.in[c.in.length > 1 ? i : 0];
    if (row.in && !Array.isArray(row.in)) bad();
    if (fields.length) row.set = Object.fromEntries(fields.flatMap(([f, column]) => (c.whole && column[i] === null ? [] : [[f, column[i]]])));
    return row;
  });
}
