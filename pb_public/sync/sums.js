// @ts-check
// Numbers by which the phone and the server find out whether they hold the same
// records, and which do not agree (docs/PROTOCOL.md §4.6), and the check of a chunk.

/** @typedef {[number, number]} Sum two lanes, modulo 2³² each */

const table = new Uint32Array(256).map((_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? (n >>> 1) ^ 0x82f63b78 : n >>> 1;
  return n;
});

/** CRC-32C of some pieces, 8 hex digits. @param {Iterable<Uint8Array>} pieces @returns {string} */
export function crc32c(pieces) {
  let c = ~0;
  for (const bytes of pieces) for (let i = 0; i < bytes.length; i++) c = table[(c ^ bytes[i]) & 255] ^ (c >>> 8);
  return hex(~c >>> 0);
}

/** @param {number} n */
const hex = n => n.toString(16).padStart(8, '0');

/** 16 hex digits. @param {Sum} s */
export const show = s => hex(s[0]) + hex(s[1]);

/** @param {Sum} s @param {Sum} t @returns {Sum} */
export const plus = (s, t) => [(s[0] + t[0]) >>> 0, (s[1] + t[1]) >>> 0];

/** Makes both lanes over bytes. */
class Hasher {
  a = 2166136261; b = 2654435769;

  /** @param {number} byte */
  byte(byte) {
    this.a = Math.imul(this.a ^ byte, 16777619);
    this.b = Math.imul(this.b ^ byte, 16777619);
  }

  /** @param {string} s */
  text(s) {
    for (let i = 0; i < s.length; i++) {
      const c = s.charCodeAt(i);
      if (c > 127) { for (const b of new TextEncoder().encode(s.slice(i))) this.byte(b); break; }
      this.byte(c);
    }
    return this;
  }

  /** @param {Sum} s */
  sum(s) { for (const n of s) for (let shift = 24; shift >= 0; shift -= 8) this.byte((n >>> shift) & 255); return this; }

  /** @returns {Sum} */
  done() { return [finish(this.a), finish(this.b)]; }
}

/** @param {number} h */
function finish(h) {
  h ^= h >>> 16; h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13; h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The number of a record in a circle; with its content when that is given. @param {string} circle @param {string} coll @param {string} id @param {number} seq @param {Sum} [content] */
export function place(circle, coll, id, seq, content) {
  const h = new Hasher().text(circle + '\n' + coll + '\n' + id + '\n' + seq);
  if (content) h.text('\n').sum(content);
  return h.done();
}

/** The part, of 2^bits, that a record belongs to. @param {string} coll @param {string} id @param {number} bits */
export const part = (coll, id, bits) => (bits ? new Hasher().text(coll + '\n' + id).done()[0] >>> (32 - bits) : 0);

/** The sum over a record's fields, without those that are zero. @param {Record<string, any>} fields @returns {Sum} */
export function content(fields) {
  /** @type {Sum} */
  let total = [0, 0];
  for (const [name, v] of Object.entries(fields)) {
    const h = new Hasher().text(name + '\n');
    value(h, v);
    total = plus(total, h.done());
  }
  return total;
}

/** @param {Hasher} h @param {any} v */
function value(h, v) {
  if (typeof v === 'string') h.text('t').text(v);
  else if (typeof v === 'number') {
    const raw = new DataView(new ArrayBuffer(8));
    raw.setFloat64(0, v === 0 ? 0 : v);
    h.text('n').sum([raw.getUint32(0), raw.getUint32(4)]);
  } else if (typeof v === 'boolean') h.text(v ? 'y' : 'f');
  else if (Array.isArray(v)) {
    h.text('l');
    for (const x of v) { const inner = new Hasher(); value(inner, x); h.sum(inner.done()); }
  } else if (v && typeof v === 'object') {
    /** @type {Sum} */
    let members = [0, 0];
    for (const [k, x] of Object.entries(v)) { const inner = new Hasher().text(k + '\n'); value(inner, x); members = plus(members, inner.done()); }
    h.text('o').sum(members);
  } else h.text('0');
}

/** 32-bit numbers as the protocol writes them. @param {number[]} list */
export function packNumbers(list) {
  const raw = new DataView(new ArrayBuffer(list.length * 4));
  list.forEach((n, i) => raw.setUint32(i * 4, n));
  let text = '';
  for (const b of new Uint8Array(raw.buffer)) text += String.fromCharCode(b);
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** @param {string} text @returns {number[]} */
export function unpackNumbers(text) {
  const raw = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), c => c.charCodeAt(0)), view = new DataView(raw.buffer);
  return Array.from({ length: raw.length >> 2 }, (_, i) => view.getUint32(i * 4));
}
