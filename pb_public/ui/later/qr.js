// @ts-check
// A QR code drawn on the phone, without a network (ISO/IEC 18004): letters and
// digits packed tightly (alphanumeric mode) or any bytes, levels L and M, the
// mask with the least penalty.

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';

/** Check bytes a block and number of blocks, by version. @type {Record<'L' | 'M', {check: number[], blocks: number[], mark: number}>} */
const levels = {
  L: { mark: 1, check: [7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
    blocks: [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25] },
  M: { mark: 0, check: [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28],
    blocks: [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49] },
};

/** Modules for data and check bits of a version. @param {number} v */
function room(v) {
  let n = (16 * v + 128) * v + 64;
  if (v >= 2) { const a = Math.floor(v / 7) + 2; n -= (25 * a - 10) * a - 55; if (v >= 7) n -= 36; }
  return n;
}

/** Multiplication in GF(2^8) modulo x^8+x^4+x^3+x^2+1. @param {number} a @param {number} b */
function times(a, b) {
  let z = 0;
  for (let i = 7; i >= 0; i--) { z = z << 1 ^ (z >>> 7) * 0x11d; z ^= (b >>> i & 1) * a; }
  return z;
}

/** The check bytes of a block. @param {number[]} data @param {number} n */
function checkBytes(data, n) {
  const g = [...Array(n - 1).fill(0), 1];
  let root = 1;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) g[j] = times(g[j], root) ^ (g[j + 1] ?? 0);
    root = times(root, 2);
  }
  const rest = Array(n).fill(0);
  for (const b of data) {
    const f = b ^ rest.shift();
    rest.push(0);
    for (let i = 0; i < n; i++) rest[i] ^= times(g[i], f);
  }
  return rest;
}

/** The smallest version for a text, and its bytes with check bytes, in the order they are drawn. @param {string} text @param {'L' | 'M'} level */
function bytesOf(text, level) {
  const alpha = [...text].every(c => alphabet.includes(c)), raw = new TextEncoder().encode(text), { check, blocks } = levels[level];
  const size = (/** @type {number} */ v) => 4 + (alpha ? (v < 10 ? 9 : v < 27 ? 11 : 13) + Math.floor(text.length / 2) * 11 + text.length % 2 * 6 : (v < 10 ? 8 : 16) + raw.length * 8);
  const dataOf = (/** @type {number} */ v) => Math.floor(room(v) / 8) - check[v - 1] * blocks[v - 1];
  let v = 1;
  while (v <= 40 && size(v) > dataOf(v) * 8) v++;
  if (v > 40) throw new Error('too long for a QR code');
  /** @type {number[]} */
  const bits = [];
  const put = (/** @type {number} */ value, /** @type {number} */ n) => { for (let i = n - 1; i >= 0; i--) bits.push(value >>> i & 1); };
  put(alpha ? 2 : 4, 4);
  put(alpha ? text.length : raw.length, alpha ? (v < 10 ? 9 : v < 27 ? 11 : 13) : v < 10 ? 8 : 16);
  if (alpha) {
    for (let i = 0; i < text.length; i += 2) {
      const a = alphabet.indexOf(text[i]);
      if (i + 1 < text.length) put(a * 45 + alphabet.indexOf(text[i + 1]), 11); else put(a, 6);
    }
  } else for (const b of raw) put(b, 8);
  const most = dataOf(v) * 8;
  put(0, Math.min(4, most - bits.length));
  put(0, (8 - bits.length % 8) % 8);
  for (let pad = 0xec; bits.length < most; pad ^= 0xec ^ 0x11) put(pad, 8);
  const data = Array.from({ length: most / 8 }, (_, i) => bits.slice(i * 8, i * 8 + 8).reduce((n, b) => n << 1 | b, 0));
  // Blocks, the shorter first; then the first bytes of all, the second of all …
  const n = blocks[v - 1], short = Math.floor(data.length / n), longer = data.length % n;
  let at = 0;
  const parts = Array.from({ length: n }, (_, i) => data.slice(at, at += short + (i >= n - longer ? 1 : 0)));
  const checks = parts.map(p => checkBytes(p, check[v - 1]));
  const out = [];
  for (let i = 0; i <= short; i++) for (const p of parts) if (i < p.length) out.push(p[i]);
  for (let i = 0; i < check[v - 1]; i++) for (const c of checks) out.push(c[i]);
  return { v, out };
}

const masks = [
  (/** @type {number} */ x, /** @type {number} */ y) => (x + y) % 2, (/** @type {number} */ _, /** @type {number} */ y) => y % 2, (/** @type {number} */ x) => x % 3,
  (/** @type {number} */ x, /** @type {number} */ y) => (x + y) % 3, (/** @type {number} */ x, /** @type {number} */ y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2,
  (/** @type {number} */ x, /** @type {number} */ y) => x * y % 2 + x * y % 3, (/** @type {number} */ x, /** @type {number} */ y) => (x * y % 2 + x * y % 3) % 2, (/** @type {number} */ x, /** @type {number} */ y) => ((x + y) % 2 + x * y % 3) % 2,
];

/**
 * The modules of a code, row by row; true is black. @param {string} text @param {'L' | 'M'} [level] @param {number} [mask] the best when not given
 * @returns {boolean[][]}
 */
export function modules(text, level = 'L', mask) {
  const { v, out } = bytesOf(text, level), size = v * 4 + 17;
  /** @type {(boolean | undefined)[][]} */
  const fixed = Array.from({ length: size }, () => Array(size).fill(undefined));
  const set = (/** @type {number} */ x, /** @type {number} */ y, /** @type {boolean} */ black) => { if (x >= 0 && y >= 0 && x < size && y < size) fixed[y][x] = black; };
  for (let i = 0; i < size; i++) { set(6, i, i % 2 === 0); set(i, 6, i % 2 === 0); }
  for (const [cx, cy] of [[3, 3], [size - 4, 3], [3, size - 4]]) {
    for (let dy = -4; dy <= 4; dy++) for (let dx = -4; dx <= 4; dx++) { const d = Math.max(Math.abs(dx), Math.abs(dy)); set(cx + dx, cy + dy, d !== 2 && d !== 4); }
  }
  if (v >= 2) {
    const n = Math.floor(v / 7) + 2, step = v === 32 ? 26 : Math.ceil((size - 13) / (2 * n - 2)) * 2;
    const at = [6, ...Array.from({ length: n - 1 }, (_, i) => size - 7 - i * step)];
    for (const x of at) for (const y of at) {
      if ((x === 6 && (y === 6 || y === size - 7)) || (x === size - 7 && y === 6)) continue;
      for (let dy = -2; dy <= 2; dy++) for (let dx = -2; dx <= 2; dx++) set(x + dx, y + dy, Math.max(Math.abs(dx), Math.abs(dy)) !== 1);
    }
  }
  if (v >= 7) {
    let rest = v;
    for (let i = 0; i < 12; i++) rest = rest << 1 ^ (rest >>> 11) * 0x1f25;
    const bits = v << 12 | rest;
    for (let i = 0; i < 18; i++) { const a = size - 11 + i % 3, b = Math.floor(i / 3), black = (bits >>> i & 1) === 1; set(a, b, black); set(b, a, black); }
  }
  const format = (/** @type {number} */ m) => {
    const data = levels[level].mark << 3 | m;
    let rest = data;
    for (let i = 0; i < 10; i++) rest = rest << 1 ^ (rest >>> 9) * 0x537;
    const bits = (data << 10 | rest) ^ 0x5412, bit = (/** @type {number} */ i) => (bits >>> i & 1) === 1;
    for (let i = 0; i <= 5; i++) set(8, i, bit(i));
    set(8, 7, bit(6)); set(8, 8, bit(7)); set(7, 8, bit(8));
    for (let i = 9; i < 15; i++) set(14 - i, 8, bit(i));
    for (let i = 0; i < 8; i++) set(size - 1 - i, 8, bit(i));
    for (let i = 8; i < 15; i++) set(8, size - 15 + i, bit(i));
    set(8, size - 8, true);
  };
  format(0);
  const free = fixed.map(row => row.map(m => m === undefined));
  const draw = (/** @type {number} */ m) => {
    format(m);
    const rows = fixed.map(row => row.map(Boolean));
    let i = 0;
    for (let right = size - 1; right >= 1; right -= 2) {
      if (right === 6) right = 5;
      for (let n = 0; n < size; n++) for (const x of [right, right - 1]) {
        const y = (right + 1 & 2) === 0 ? size - 1 - n : n;
        if (!free[y][x]) continue;
        const black = i < out.length * 8 && (out[i >>> 3] >>> (7 - (i & 7)) & 1) === 1;
        rows[y][x] = black !== (masks[m](x, y) === 0);
        i++;
      }
    }
    return rows;
  };
  if (mask !== undefined) return draw(mask);
  let best = draw(0), least = penalty(best);
  for (let m = 1; m < 8; m++) { const rows = draw(m), p = penalty(rows); if (p < least) { best = rows; least = p; } }
  return best;
}

/** How hard a code is to read, as the standard counts. @param {boolean[][]} rows */
function penalty(rows) {
  const size = rows.length, turned = rows.map((_, x) => rows.map(r => r[x]));
  let sum = 0, black = 0;
  for (const lines of [rows, turned]) for (const line of lines) {
    const s = line.map(b => (b ? '1' : '0')).join('');
    for (const run of s.match(/0{5,}|1{5,}/g) ?? []) sum += run.length - 2;
    for (const like of ['10111010000', '00001011101']) for (let at = s.indexOf(like); at >= 0; at = s.indexOf(like, at + 1)) sum += 40;
  }
  for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) {
    if (rows[y][x]) black++;
    if (y && x && rows[y][x] === rows[y - 1][x] && rows[y][x] === rows[y][x - 1] && rows[y][x] === rows[y - 1][x - 1]) sum += 3;
  }
  return sum + Math.floor(Math.abs(black * 20 - size * size * 10) / (size * size)) * 10;
}

/** A code as SVG text, with its quiet zone. @param {string} text @param {'L' | 'M'} [level] */
export function qr(text, level = 'L') {
  const rows = modules(text, level), size = rows.length + 8;
  const path = rows.flatMap((row, y) => row.map((b, x) => (b ? `M${x + 4} ${y + 4}h1v1h-1z` : ''))).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h${size}v${size}H0z"/><path d="${path}"/></svg>`;
}
