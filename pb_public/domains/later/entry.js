// @ts-check
// Writing in the health book: a measurement, a dose, a visit, an allergy, and what
// amends or strikes out. Loaded when somebody writes.

import { newId } from '../../sync/edits.js';
import { h } from '../../ui/el.js';
import { form, go, list, say } from '../../ui/parts.js';
import { readNumber, today } from '../../ui/text.js';
import { measures, sources, vaccines } from '../../words/vi.js';
import { allergies, askedNone, atStation, chains, danger } from '../health.js';
import { nameOf } from '../people.js';

/** @typedef {import('../../app.js').At} At @typedef {import('../../sync/client.js').Client} Client @typedef {import('../health.js').Chain} Chain */

/** What living people have, as the server checks it (commune/health/check.go). @type {Record<string, [string, number, number][]>} */
const possible = {
  bp: [['systolic', 40, 300], ['diastolic', 40, 300]], weight: [['value', 0.3, 350]], height: [['value', 20, 250]], temperature: [['value', 30, 45]], glucose: [['value', 1, 60]],
};

/** Asked, and none: SNOMED CT (commune/health/allergy.go). */
const noKnownAllergy = '716186003';

/** Drugs of which who cannot bear one may not bear another (commune/health/allergy.go). */
const families = [
  ' penicillin amoxicillin ampicillin augmentin cloxacillin oxacillin unasyn piperacillin ',
  ' cephalosporin cefalexin cephalexin cefixim cefuroxim cefotaxim ceftriaxon cefadroxil cefaclor cefpodoxim ',
  ' sulfa sulfamid sulfamethoxazol sulfadiazin cotrimoxazol biseptol bactrim ',
  ' aspirin ibuprofen diclofenac meloxicam naproxen piroxicam ketoprofen indomethacin ',
].map(f => f.trim().split(' ').map(plain));

/** A drug's name in one of the ways people write it. @param {string} s */
function plain(s) {
  return s.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replace(/ll/g, 'l').replace(/x/g, 'c').replace(/y/g, 'i').replace(/ph/g, 'f').replace(/đ/g, 'd');
}

/** Whether a prescription names what an allergy is about, or a drug of its family. @param {string} allergy @param {string} drug */
export function clashes(allergy, drug) {
  const a = plain(allergy), d = plain(drug);
  return families.some(f => f.some(n => a.includes(n)) && f.some(n => d.includes(n))) || a.split(/\P{L}+/u).some(w => w.length >= 6 && d.includes(w));
}

/** What to look at again before it is saved; it is only asked, never refused. @param {Client} c @param {string} person @param {string} kind @param {string} code @param {any} f */
function asks(c, person, kind, code, f) {
  const value = (/** @type {string} */ name) => String(f.elements.namedItem(name)?.value ?? '');
  if (kind === 'visit') {
    const hit = allergies(c, person).find(e => clashes(e.code, value('d_drug')));
    if (hit) return `Sổ ghi người này dị ứng «${hit.code}». Xin xem lại thuốc trước khi cho.`;
    return value('d_drug') && atStation(c) && !allergies(c, person).length && !askedNone(c, person) ? 'Chưa ai hỏi người này về dị ứng. Xin hỏi trước khi cho thuốc.' : '';
  }
  if (kind !== 'measurement') return '';
  const [top, under] = [readNumber(value('d_systolic')), readNumber(value('d_diastolic'))];
  for (const [name, least, most] of possible[code] ?? []) {
    const text = value('d_' + name), n = readNumber(text);
    // Somebody who is still typing is not interrupted: 1, 12, 120.
    if (n > most || (n < least && text.length >= String(Math.ceil(least)).length && (document.activeElement !== f.elements.namedItem('d_' + name)))) return `«${text}» ngoài khoảng đo được. Xin xem lại máy rồi đo lại.`;
  }
  if (top <= under && String(under).length > 1) return 'Số trên phải lớn hơn số dưới. Xin xem lại số đo.';
  return '';
}

/** @param {Client} c @param {Chain} ch */
export async function voidChain(c, ch) {
  const { person, kind, code, data, text, occurred_on, source } = ch.heads[0];
  await c.edit({ coll: 'health_entries', id: newId(), create: { person, kind, code, data, text, occurred_on, source, op: 'void', amends: ch.heads.map(e => e.id), reason: 'Ghi nhầm' } });
  say('Đã hủy mục.');
}

/** The fields of a form for a kind of entry. "Measured" is for those who answer for their instruments.
 * @param {string} kind @param {any} e @param {boolean} staff @returns {import('../../ui/parts.js').Field[]} */
function fields(kind, e, staff) {
  const d = e.data ?? {}, { measured, ...fromHome } = sources;
  if (kind === 'no_allergy') return [{ name: 'occurred_on', label: 'Hỏi ngày nào', kind: 'date', must: true, value: e.occurred_on ?? today() }, { name: 'text', label: 'Ghi chú', kind: 'long', value: e.text }];
  /** @type {import('../../ui/parts.js').Field[]} */
  const own = kind === 'measurement'
    ? (/** @type {any} */ (measures)[e.code] ?? measures.bp).fields.map((/** @type {any} */ [name, label, example]) => ({ name: 'd_' + name, label, example, kind: 'number', must: true, value: d[name] === undefined ? '' : String(d[name]).replace('.', ',') }))
    : kind === 'vaccination'
      ? [{ name: 'code', label: 'Vắc xin', kind: 'choice', options: vaccines, value: e.code, must: true }, { name: 'd_dose', label: 'Mũi thứ mấy', kind: 'number', must: true, value: d.dose ?? 1 }, { name: 'd_lot', label: 'Số lô trên vỏ hộp', value: d.lot }]
      : kind === 'allergy'
        ? [{ name: 'code', label: 'Dị ứng với gì', must: true, value: e.code, example: 'Penicillin', hint: 'Tên thuốc ghi như trên vỏ hộp. Thức ăn, ong đốt… cũng ghi ở đây.' }]
        : [{ name: 'code', label: 'Khám vì việc gì', must: true, value: e.code, example: 'đau lưng' }, { name: 'd_drug', label: 'Thuốc đã cho', value: d.drug, example: 'Paracetamol 500 mg, ngày 2 viên' }];
  return [...own,
    { name: 'occurred_on', label: 'Ngày', kind: 'date', must: true, value: e.occurred_on ?? today() },
    { name: 'text', label: kind === 'visit' ? 'Chẩn đoán, dặn dò' : kind === 'allergy' ? 'Lúc ấy bị làm sao' : 'Ghi chú', kind: 'long', value: e.text },
    { name: 'source', label: 'Nguồn', kind: 'choice', options: staff ? sources : fromHome, value: e.source ?? (staff ? 'measured' : 'told'), must: true }];
}

/** Makes an entry's fields of a form's values. @param {string} kind @param {string} code @param {Record<string, any>} v */
function read(kind, code, v) {
  /** @type {Record<string, any>} */
  const data = {};
  for (const [k, t] of Object.entries(v)) {
    if (!k.startsWith('d_') || t === '') continue;
    const n = readNumber(t), words = k === 'd_lot' || k === 'd_drug';
    if (!words && !Number.isFinite(n)) throw new Error(`«${t}» không phải là số. Xin nhập lại.`);
    data[k.slice(2)] = words ? t : n;
  }
  if (v.occurred_on > today()) throw new Error('Ngày ghi chưa tới. Xin xem lại ngày.');
  return { kind, code: kind === 'no_allergy' ? noKnownAllergy : v.code ?? code, data, text: v.text, occurred_on: v.occurred_on, source: v.source ?? 'told' };
}

/** @param {At} at */
export function write({ client, params, query }) {
  const { person, kind } = params, fixes = Number(query.get('sua')) || undefined;
  const before = fixes ? client.state.edits.get(fixes)?.edit.create : undefined;
  const place = h('div');
  const draw = (/** @type {any} */ e) => {
    const code = e.code;
    const f = form(fields(kind, e, atStation(client)), 'Lưu vào sổ', async v => {
      const extra = before ? { op: before.op, amends: before.amends, reason: before.reason } : { op: 'add' };
      const id = newId(), said = read(kind, code, v);
      await client.edit({ coll: 'health_entries', id, create: { person, ...said, ...extra }, ...(fixes ? { fixes } : {}) });
      say('Đã lưu vào sổ.');
      // What cannot wait is said at once, not when somebody opens it.
      location.hash = '#/suc-khoe/' + person + (danger(said) && !asks(client, person, kind, code, f) ? '/' + id : '');
    });
    const told = h('p.warning', { role: 'status', hidden: true });
    f.querySelector('.main').before(told);
    f.addEventListener('input', (/** @type {any} */ ev) => {
      const odd = asks(client, person, kind, code, f);
      if (odd) ev.target.closest('.field')?.after(told); // where the eyes are
      if (told.textContent !== odd) told.textContent = odd;
      told.hidden = !odd;
    });
    place.replaceChildren(f);
  };
  const start = before ?? { code: kind === 'measurement' ? 'bp' : undefined, source: kind === 'vaccination' && !atStation(client) ? 'paper' : undefined };
  draw(start);
  if (kind === 'no_allergy') {
    const not = allergies(client, person);
    return h('div', null, who(client, person), not.length ? h('p.warning', null, `Sổ đang ghi dị ứng «${not.map(e => e.code).join(', ')}». Mục ấy ghi nhầm thì mở mục ấy ra hủy.`) : null,
      h('p', null, 'Đã hỏi đủ: thuốc, thức ăn, ong đốt, phấn hoa. Chưa lần nào bị mẩn ngứa, sưng môi, khó thở.'), place);
  }
  if (kind !== 'measurement') return h('div', null, who(client, person), kind === 'allergy' && !before ? h('div.buttons', null, go(`#/suc-khoe/${person}/ghi/no_allergy`, 'Không dị ứng gì')) : null, place);
  const chips = h('div.chips', { role: 'group', 'aria-label': 'Loại đo' }, Object.entries(measures).map(([code, m]) => h('button.chip', {
    type: 'button', 'aria-pressed': String(code === start.code),
    onclick: (/** @type {any} */ ev) => { for (const b of chips.children) b.setAttribute('aria-pressed', String(b === ev.currentTarget)); draw({ code }); },
  }, m.name)));
  return h('div', null, who(client, person), chips, place);
}

/** @param {Client} c @param {string} person */
const who = (c, person) => h('p.note', null, 'Sổ của ', h('b', null, nameOf(c, person)));

/** @param {At} at */
export function amend({ client, params }) {
  const ch = chains(client, params.person).find(c => c.all.some(e => e.id === params.entry));
  if (!ch) return list([], 'Mục này không còn trên máy.');
  const e = ch.heads.find(x => x.id === params.entry) ?? ch.heads[0];
  return h('div', null, h('p.note', null, 'Mục cũ được giữ lại để đối chiếu; sổ hiện mục mới.'),
    form([...fields(e.kind, e, atStation(client)), { name: 'reason', label: 'Vì sao đính chính', must: true, example: 'chép nhầm số' }], 'Lưu đính chính', async v => {
      await client.edit({ coll: 'health_entries', id: newId(), create: { person: e.person, ...read(e.kind, e.code, v), op: 'amend', amends: ch.heads.map(x => x.id), reason: v.reason } });
      say('Đã đính chính.');
      location.hash = '#/suc-khoe/' + params.person;
    }));
}
