// @ts-check
// The health book (sổ sức khỏe). An entry is written once; who was wrong writes
// another that amends it, and when two people amended apart both are shown.

import { newId } from '../sync/edits.js';
import { h, live } from '../ui/el.js';
import { icon } from '../ui/icons.js';
import { act, badge, facts, form, go, list, longList, row, say, search, section, sure, waits } from '../ui/parts.js';
import { byName, day, matches, newest, readNumber, short, today, whole } from '../ui/text.js';
import { healthKinds, measures, sources, vaccines, word } from '../words/vi.js';
import { caredFor, home, nameOf } from './people.js';

/** @typedef {import('../app.js').Domain} Domain @typedef {import('../app.js').At} At @typedef {import('../sync/client.js').Client} Client */

/** @type {Domain} */
export const health = {
  name: 'health', title: 'Sổ sức khỏe',
  tiles: c => [
    { href: '#/suc-khoe', title: 'Sổ sức khỏe', icon: 'book' },
    ...(atStation(c) ? [{ href: '#/tram', title: 'Trạm y tế', icon: 'station', duty: true }] : []),
  ],
  screens: {
    '/suc-khoe': { title: 'Sổ sức khỏe', draw: whose },
    '/tram': { title: 'Trạm y tế', draw: station },
    '/suc-khoe/:person': { title: at => nameOf(at.client, at.params.person), draw: book, list: '/tram-hoac-so' },
    '/suc-khoe/:person/ghi/:kind': { title: at => 'Ghi ' + word(healthKinds, at.params.kind).toLowerCase(), draw: write, list: '/suc-khoe/:person' },
    '/suc-khoe/:person/:entry': { title: 'Chi tiết', draw: entry, list: '/suc-khoe/:person' },
    '/suc-khoe/:person/:entry/dinh-chinh': { title: 'Đính chính', draw: amend, list: '/suc-khoe/:person' },
    '/tram-hoac-so': { title: 'Sổ sức khỏe', draw: at => (atStation(at.client) ? station(at) : whose(at)) },
  },
};

/** @param {Client} c */
const atStation = c => c.circles('station').length > 0 || c.circles('village-health').length > 0;

/** @param {At} at */
function whose({ client }) {
  return live(() => h('div', null,
    list(caredFor(client).map(p => row('#/suc-khoe/' + p.id, nameOf(client, p.id), p.why, badge(String(chains(client, p.id).length)))), ''),
    h('p.note', null, 'Muốn con cháu xem giúp sổ của mình, vào Tài khoản → Người xem được sổ của tôi.')));
}

/** @param {At} at */
function station({ client }) {
  return search('Tìm người: tên hoặc năm sinh', 'tram', q => {
    const found = client.all('persons').filter(p => p.status !== 'dead' && p.status !== 'moved' && matches(q, p.name, p.born));
    return longList(found.sort(byName), p => row('#/suc-khoe/' + p.id, p.name, [p.sex, day(p.born), home(client, p)].filter(Boolean).join(' · ')), q ? 'Không tìm thấy ai.' : 'Chưa có danh sách người dân trên máy.', 30);
  });
}

/**
 * A chain: one fact and its amendments. `heads` are the entries that no other amends.
 * @typedef {{root: string, heads: any[], all: any[]}} Chain
 * @param {Client} c @param {string} person @returns {Chain[]} newest first
 */
export function chains(c, person) {
  const all = c.all('health_entries').filter(e => e.person === person), byId = new Map(all.map(e => [e.id, e]));
  /** @type {(e: any, depth?: number) => string} */
  const root = (e, depth = 0) => {
    if (e.root) return e.root;
    const first = (e.amends ?? [])[0], of = byId.get(first);
    return of && depth < 20 ? root(of, depth + 1) : first ?? e.id;
  };
  /** @type {Map<string, Chain>} */
  const out = new Map();
  for (const e of all) {
    const r = root(e), ch = out.get(r) ?? { root: r, heads: [], all: [] };
    ch.all.push(e);
    out.set(r, ch);
  }
  const amended = new Set(all.flatMap(e => (e.amends ?? []).filter((/** @type {string} */ id) => id !== e.id)));
  for (const ch of out.values()) {
    ch.heads = ch.all.filter(e => !amended.has(e.id));
    ch.all.sort(newest('occurred_on'));
  }
  return [...out.values()].filter(ch => ch.heads.length).sort((a, b) => newest('occurred_on')(a.heads[0], b.heads[0]));
}

/** What an entry says in one line. @param {any} e */
function line(e) {
  const d = e.data ?? {};
  if (e.kind === 'measurement') {
    const m = /** @type {any} */ (measures)[e.code];
    if (e.code === 'bp') return `Huyết áp ${whole(d.systolic)}/${whole(d.diastolic)}`;
    return m ? `${m.name} ${whole(d.value)} ${m.unit}` : `${e.code} ${Object.values(d).join(' / ')}`;
  }
  if (e.kind === 'vaccination') return `Tiêm ${word(vaccines, e.code)}${d.dose ? ', mũi ' + d.dose : ''}`;
  return e.code ? `Khám: ${e.code}` : 'Lần khám';
}

const icons = { measurement: 'ruler', vaccination: 'needle', visit: 'visit' };

/** @param {At} at */
function book({ client, params }) {
  const person = params.person, write = (/** @type {string} */ k, /** @type {string} */ t, more = '') => go(`#/suc-khoe/${person}/ghi/${k}`, t, more);
  let kind = '';
  const body = live(() => {
    const of = chains(client, person).filter(ch => !kind || ch.heads[0].kind === kind);
    /** @type {Map<string, Chain[]>} */
    const years = new Map();
    for (const ch of of) {
      const y = String(ch.heads[0].occurred_on ?? '').slice(0, 4) || 'Không rõ năm';
      years.set(y, [...years.get(y) ?? [], ch]);
    }
    const who = client.get('persons', person);
    return h('div', null,
      who?.born ? h('p.note', null, ['Sinh ' + day(who.born), who.sex].filter(Boolean).join(' · ')) : null,
      years.size ? [...years].map(([y, chs]) => section(y, h('div.list', null, chs.map(ch => entryRow(person, ch))))) : list([], 'Sổ chưa có mục nào ở đây.'));
  });
  const filter = h('div.chips', { role: 'group', 'aria-label': 'Lọc' }, Object.entries({ '': 'Tất cả', ...healthKinds }).map(([k, t]) => h('button.chip', {
    type: 'button', 'aria-pressed': String(k === kind),
    onclick: (/** @type {any} */ ev) => {
      kind = k;
      for (const b of filter.children) b.setAttribute('aria-pressed', String(b === ev.currentTarget));
      client.dispatchEvent(new Event('change'));
    },
  }, t)));
  return h('div', null, h('div.buttons', null, write('measurement', 'Ghi số đo', 'main'), write('vaccination', 'Ghi mũi tiêm'), write('visit', 'Ghi lần khám')), filter, body);
}

/** @param {string} person @param {Chain} ch */
function entryRow(person, ch) {
  const e = ch.heads[0], off = ch.heads.every(x => x.op === 'void');
  return row(`#/suc-khoe/${person}/${e.id}`, [icon(/** @type {any} */ (icons)[e.kind]), ' ', off ? h('s', null, line(e)) : line(e)],
    day(e.occurred_on) + (e.text ? ' · ' + short(e.text, 60) : ''),
    [ch.heads.length > 1 ? badge(ch.heads.length + ' ý kiến', 'warn') : null, off ? badge('đã hủy') : null, e.$waits ? waits() : null, danger(e) ? badge('cao', 'bad') : null]);
}

/** A pressure at which one does not wait. @param {any} e */
const danger = e => e.code === 'bp' && e.op !== 'void' && (e.data?.systolic >= 180 || e.data?.diastolic >= 110);

/** @param {At} at */
function entry({ client, params }) {
  return live(() => {
    const ch = chains(client, params.person).find(c => c.all.some(e => e.id === params.entry));
    if (!ch) return list([], 'Mục này không còn trên máy.');
    const older = ch.all.filter(e => !ch.heads.includes(e));
    return h('div', null,
      ch.heads.length > 1 ? h('p.warning', null, h('b', null, ch.heads.length + ' ý kiến khác nhau. '), 'Hai người đã đính chính cùng lúc; cả hai được giữ. Cán bộ trạm xem lại rồi đính chính một lần nữa là xong.') : null,
      ch.heads.some(danger) ? h('p.warning.bad', null, 'Huyết áp rất cao. Nếu đau đầu, tức ngực, yếu tay chân: gọi trạm y tế hoặc 115 ngay.') : null,
      ch.heads.map(e => card(client, e)),
      h('div.buttons', null, go(`#/suc-khoe/${params.person}/${ch.heads[0].id}/dinh-chinh`, 'Đính chính', 'main'),
        ch.heads.some(e => e.op !== 'void') ? act('Hủy mục ghi nhầm', async () => { if (await sure('Hủy mục này? Mục vẫn hiện trong sổ, có gạch ngang.', 'Hủy mục')) await voidChain(client, ch); }, 'quiet') : null),
      older.length ? section('Đã ghi trước đây', older.map(e => card(client, e, true))) : null);
  });
}

/** @param {Client} c @param {any} e @param {boolean} [old] */
function card(c, e, old) {
  return h('div.card', { class: old || e.op === 'void' ? 'old' : '' },
    h('p.card-title', null, e.op === 'void' || old ? h('s', null, line(e)) : line(e), ' ', e.$waits ? waits() : null, e.op === 'void' ? badge('đã hủy') : null),
    facts([['Ngày', day(e.occurred_on)], ['Số lô', e.data?.lot], ['Lời ghi', e.text], ['Nguồn', word(sources, e.source)], ['Người ghi', e.author ? nameOfWriter(c, e.author) : ''], ['Lý do đính chính', e.reason]]));
}

/** @param {Client} c @param {string} id */
const nameOfWriter = (c, id) => (id === c.me ? 'tôi' : c.get('persons', id)?.name ?? 'cán bộ y tế');

/** @param {Client} c @param {Chain} ch */
async function voidChain(c, ch) {
  const { person, kind, code, data, text, occurred_on, source } = ch.heads[0];
  await c.edit({ coll: 'health_entries', id: newId(), create: { person, kind, code, data, text, occurred_on, source, op: 'void', amends: ch.heads.map(e => e.id), reason: 'Ghi nhầm' } });
  say('Đã hủy mục.');
}

/** The fields of a form for a kind of entry. "Measured" is for those who answer for their instruments.
 * @param {string} kind @param {any} e @param {boolean} staff @returns {import('../ui/parts.js').Field[]} */
function fields(kind, e, staff) {
  const d = e.data ?? {}, { measured, ...fromHome } = sources;
  /** @type {import('../ui/parts.js').Field[]} */
  const own = kind === 'measurement'
    ? (/** @type {any} */ (measures)[e.code] ?? measures.bp).fields.map((/** @type {any} */ [name, label, example]) => ({ name: 'd_' + name, label, example, kind: 'number', must: true, value: d[name] === undefined ? '' : String(d[name]).replace('.', ',') }))
    : kind === 'vaccination'
      ? [{ name: 'code', label: 'Vắc xin', kind: 'choice', options: vaccines, value: e.code, must: true }, { name: 'd_dose', label: 'Mũi thứ mấy', kind: 'number', must: true, value: d.dose ?? 1 }, { name: 'd_lot', label: 'Số lô trên vỏ hộp', value: d.lot }]
      : [{ name: 'code', label: 'Khám vì việc gì', must: true, value: e.code, example: 'đau lưng' }];
  return [...own,
    { name: 'occurred_on', label: 'Ngày', kind: 'date', must: true, value: e.occurred_on ?? today() },
    { name: 'text', label: kind === 'visit' ? 'Chẩn đoán, dặn dò' : 'Ghi chú', kind: 'long', value: e.text },
    { name: 'source', label: 'Nguồn', kind: 'choice', options: staff ? sources : fromHome, value: e.source ?? (staff ? 'measured' : 'told'), must: true }];
}

/** Makes an entry's fields of a form's values. @param {string} kind @param {string} code @param {Record<string, any>} v */
function read(kind, code, v) {
  /** @type {Record<string, any>} */
  const data = {};
  for (const [k, t] of Object.entries(v)) {
    if (!k.startsWith('d_') || t === '') continue;
    const n = readNumber(t);
    if (k !== 'd_lot' && !Number.isFinite(n)) throw new Error(`«${t}» không phải là số. Xin nhập lại.`);
    data[k.slice(2)] = k === 'd_lot' ? t : n;
  }
  if (v.occurred_on > today()) throw new Error('Ngày ghi ở tương lai. Xin xem lại ngày.');
  return { kind, code: v.code ?? code, data, text: v.text, occurred_on: v.occurred_on, source: v.source };
}

/** @param {At} at */
function write({ client, params, query }) {
  const { person, kind } = params, fixes = Number(query.get('sua')) || undefined;
  const before = fixes ? client.state.edits.get(fixes)?.edit.create : undefined;
  const place = h('div');
  const draw = (/** @type {any} */ e) => {
    const code = e.code;
    place.replaceChildren(form(fields(kind, e, atStation(client)), 'Lưu vào sổ', async v => {
      const extra = before ? { op: before.op, amends: before.amends, reason: before.reason } : { op: 'add' };
      await client.edit({ coll: 'health_entries', id: newId(), create: { person, ...read(kind, code, v), ...extra }, ...(fixes ? { fixes } : {}) });
      say('Đã lưu vào sổ.');
      location.hash = '#/suc-khoe/' + person;
    }));
  };
  const start = before ?? { code: kind === 'measurement' ? 'bp' : undefined, source: kind === 'vaccination' && !atStation(client) ? 'paper' : undefined };
  draw(start);
  if (kind !== 'measurement') return h('div', null, who(client, person), place);
  const chips = h('div.chips', { role: 'group', 'aria-label': 'Loại đo' }, Object.entries(measures).map(([code, m]) => h('button.chip', {
    type: 'button', 'aria-pressed': String(code === start.code),
    onclick: (/** @type {any} */ ev) => { for (const b of chips.children) b.setAttribute('aria-pressed', String(b === ev.currentTarget)); draw({ code }); },
  }, m.name)));
  return h('div', null, who(client, person), chips, place);
}

/** @param {Client} c @param {string} person */
const who = (c, person) => h('p.note', null, 'Sổ của ', h('b', null, nameOf(c, person)));

/** @param {At} at */
function amend({ client, params }) {
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
