// @ts-check
// A small file as the texts of QR codes, and back (docs/PROTOCOL.md, Courier).

const mark = 'LS1/', partBytes = 780, alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:', letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** How many codes a person can be asked to scan. */
export const maxParts = 30;

/** The beginning of the file's SHA-256, in letters. @param {Uint8Array<ArrayBuffer>} file */
async function nameOf(file) {
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', file));
  let bits = 0n;
  for (const b of sum.subarray(0, 5)) bits = bits << 8n | BigInt(b);
  let out = '';
  for (let i = 7; i >= 0; i--) out += letters[Number(bits >> BigInt(i * 5) & 31n)];
  return out;
}

/** RFC 9285. @param {Uint8Array} bytes */
export function base45(bytes) {
  let out = '';
  for (let i = 0; i < bytes.length; i += 2) {
    const two = i + 1 < bytes.length, v = two ? bytes[i] << 8 | bytes[i + 1] : bytes[i];
    out += alphabet[v % 45] + alphabet[Math.floor(v / 45) % 45] + (two ? alphabet[Math.floor(v / 2025)] : '');
  }
  return out;
}

/** @param {string} s @returns {Uint8Array<ArrayBuffer> | undefined} undefined: it is no base45 */
export function unbase45(s) {
  if (s.length % 3 === 1) return;
  const out = [];
  for (let i = 0; i < s.length; i += 3) {
    const digits = [...s.slice(i, i + 3)].map(c => alphabet.indexOf(c));
    if (digits.includes(-1)) return;
    const v = digits.reduceRight((n, d) => n * 45 + d, 0);
    if (v > (digits.length === 3 ? 0xffff : 0xff)) return;
    if (digits.length === 3) out.push(v >> 8);
    out.push(v & 255);
  }
  return Uint8Array.from(out);
}

/** The texts of a file's codes; none when it is too large for codes. @param {Uint8Array<ArrayBuffer>} file @returns {Promise<string[]>} */
export async function parts(file) {
  const n = Math.ceil(file.length / partBytes), name = await nameOf(file);
  return n > maxParts ? [] : Array.from({ length: n }, (_, k) => `${mark}${name}/${k + 1}-${n}/${base45(file.subarray(k * partBytes, (k + 1) * partBytes))}`);
}

/** Puts parts together, in whatever order they are scanned. */
export class Collector {
  #name = '';
  /** @type {(Uint8Array | undefined)[]} */ #parts = [];

  /** How many parts there are, and how many are had. */
  get of() { return this.#parts.length; }
  get have() { return this.#parts.filter(Boolean).length; }

  /**
   * Takes one part. @param {string} text
   * @returns {Promise<Uint8Array<ArrayBuffer> | undefined>} the file, with the last part that was missing
   * @throws {Error} it is no part, or one of another file
   */
  async add(text) {
    const m = /^LS1\/([A-Z2-7]{8})\/(\d{1,2})-(\d{1,2})\/(.+)$/.exec(text), data = m && unbase45(m[4]);
    if (!m || !data || data.length > partBytes) throw new Error('Mã này không phải mã gửi giúp.');
    const k = Number(m[2]), n = Number(m[3]);
    if (k < 1 || n < k || n > maxParts || (this.#name && (this.#name !== m[1] || this.of !== n))) throw new Error('Mã này thuộc gói khác.');
    if (!this.#name) { this.#name = m[1]; this.#parts = Array.from({ length: n }); }
    this.#parts[k - 1] ??= data;
    if (this.have < n) return;
    const file = Uint8Array.from(this.#parts.flatMap(p => [...(p ?? [])])), name = this.#name;
    if (await nameOf(file) === name) return file;
    this.#name = ''; this.#parts = [];
    throw new Error('Có mã quét sai. Xin quét lại từ đầu.');
  }
}
