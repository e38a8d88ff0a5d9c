// @ts-check
// How numbers, dates and names are written and searched.

/** Folds a text for searching: no diacritics, lower case, single spaces. @param {any} s */
export function fold(s) {
  return String(s ?? '').normalize('NFD').replace(/\p{M}/gu, '').replace(/[đĐ]/g, 'd').toLowerCase().replace(/\s+/g, ' ').trim();
}

/** Tells whether each word of the query is in one of the texts. @param {string} query @param {...any} texts */
export function matches(query, ...texts) {
  const all = texts.map(fold).join(' ');
  return fold(query).split(' ').every(w => all.includes(w));
}

/** 45000 → "45.000 đ". @param {any} n */
export function money(n) { return whole(n) + ' đ'; }

/** 45000 → "45.000", 2.5 → "2,5". @param {any} n */
export function whole(n) { return new Intl.NumberFormat('vi-VN', { maximumFractionDigits: 2 }).format(Number(n) || 0); }

/** Reads "2,5" or "45.000" as people type them; NaN when it is no number. @param {string} s */
export function readNumber(s) {
  const t = String(s).trim().replace(/\s|đ$/g, '');
  if (t === '') return NaN;
  return Number(/^-?\d{1,3}(\.\d{3})+(,\d+)?$/.test(t) ? t.replaceAll('.', '').replace(',', '.') : t.replace(',', '.'));
}

/** "2026-11-24" → "24/11/2026"; a year alone stays. @param {any} s */
export function day(s) {
  const m = /^(\d{4})-(\d\d)-(\d\d)/.exec(String(s ?? ''));
  return m ? `${m[3]}/${m[2]}/${m[1]}` : String(s ?? '');
}

/** A moment as the phone's clock shows it: "14:05 24/11". @param {any} s */
export function moment(s) {
  const d = new Date(String(s ?? '').replace(' ', 'T'));
  if (Number.isNaN(d.getTime())) return day(s);
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0');
  const year = d.getFullYear() === new Date().getFullYear() ? '' : '/' + d.getFullYear();
  return `${two(d.getHours())}:${two(d.getMinutes())} ngày ${two(d.getDate())}/${two(d.getMonth() + 1)}${year}`;
}

/** A text cut at a word when it is long. @param {any} s @param {number} most */
export function short(s, most) {
  const t = String(s ?? '');
  return t.length <= most ? t : t.slice(0, t.lastIndexOf(' ', most) > 0 ? t.lastIndexOf(' ', most) : most) + '…';
}

/** How long ago, in words. @param {any} s */
export function ago(s) {
  const min = Math.round((Date.now() - Date.parse(String(s ?? ''))) / 60_000);
  if (Number.isNaN(min)) return 'chưa lần nào';
  if (min < 1) return 'vừa xong';
  if (min < 60) return `${min} phút trước`;
  if (min < 24 * 60) return `${Math.round(min / 60)} giờ trước`;
  return `${Math.round(min / 60 / 24)} ngày trước`;
}

/** Today as "2026-11-24", by the phone's clock. */
export function today() {
  const d = new Date();
  return new Date(d.getTime() - d.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

const vietnamese = new Intl.Collator('vi');

/** Sorts by name as a Vietnamese dictionary does. @param {any} a @param {any} b */
export function byName(a, b) { return vietnamese.compare(a.name ?? '', b.name ?? ''); }

/** Sorts people as a Vietnamese list does: by the given name, the last word, then by the whole. @param {any} a @param {any} b */
export function byGiven(a, b) { return vietnamese.compare(given(a), given(b)) || byName(a, b); }

/** @param {any} p */
const given = p => String(p.name ?? '').trim().split(' ').pop() ?? '';

/** How old somebody is: "75 tuổi", "4 tháng" below two years; '' when the birth is not known. @param {any} born */
export function age(born) {
  const [y, m = 1, d = 1] = String(born ?? '').split('-').map(Number), now = new Date();
  if (!y) return '';
  const months = (now.getFullYear() - y) * 12 + now.getMonth() + 1 - m - Number(now.getDate() < d);
  return String(born).length > 4 && months < 24 ? `${Math.max(0, months)} tháng` : `${Math.max(0, Math.floor(String(born).length > 4 ? months / 12 : now.getFullYear() - y))} tuổi`;
}

/** A phone number as people say it: "+84912345678" → "0912345678". @param {any} n */
export const phone = n => String(n ?? '').replace(/^\+84/, '0');

/** Sorts newest first by a field. @param {string} field @returns {(a: any, b: any) => number} */
export function newest(field) { return (a, b) => String(b[field] ?? '').localeCompare(String(a[field] ?? '')); }
