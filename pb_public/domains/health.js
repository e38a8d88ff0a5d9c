// @ts-check
// The health book (sổ sức khỏe). An entry is written once; who was wrong writes
// another that amends it, and when two people amended apart both are shown.

import { h, later, live } from '../ui/el.js';
import { icon } from '../ui/icons.js';
import { act, badge, facts, go, list, longList, row, search, section, sure, waits } from '../ui/parts.js';
import { age, byGiven, day, matches, newest, short, whole } from '../ui/text.js';
import { healthKinds, measures, sources, vaccines, word } from '../words/vi.js';
import { caredFor, home, nameOf } from './people.js';

/** @typedef {import('../app.js').Domain} Domain @typedef {import('../app.js').At} At @typedef {import('../sync/client.js').Client} Client */

/** Forms come when somebody writes. */
const forms = () => import('./later/entry.js');

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
    '/suc-khoe/:person/ghi/:kind': { title: at => 'Ghi ' + word(healthKinds, at.params.kind).toLowerCase(), draw: at => later(forms, m => m.write(at)), list: '/suc-khoe/:person' },
    '/suc-khoe/:person/:entry': { title: 'Chi tiết', draw: entry, list: '/suc-khoe/:person' },
    '/suc-khoe/:person/:entry/dinh-chinh': { title: 'Đính chính', draw: at => later(forms, m => m.amend(at)), list: '/suc-khoe/:person' },
    '/tram-hoac-so': { title: 'Sổ sức khỏe', draw: at => (atStation(at.client) ? station(at) : whose(at)) },
  },
};

/** @param {Client} c */
export const atStation = c => c.circles('station').length > 0 || c.circles('village-health').length > 0;

/** @param {At} at */
function whose({ client }) {
  return live(() => h('div', null,
    list(caredFor(client).map(p => row('#/suc-khoe/' + p.id, nameOf(client, p.id), [p.why, age(client.get('persons', p.id)?.born)].filter(Boolean).join(' · '), badge(chains(client, p.id).length + ' mục'))), ''),
    h('p.note', null, 'Muốn con cháu xem giúp sổ này: mở Tài khoản, mục «Người xem được sổ của tôi».')));
}

/** @param {At} at */
function station({ client }) {
  return search('Tìm người: tên hoặc năm sinh', 'tram', q => {
    const found = client.all('persons').filter(p => p.status !== 'dead' && p.status !== 'moved' && matches(q, p.name, p.born));
    return longList(found.sort(byGiven), p => row('#/suc-khoe/' + p.id, p.name, [p.sex, age(p.born), p.born ? 'sinh ' + day(p.born) : '', home(client, p)].filter(Boolean).join(' · ')), q ? 'Không tìm thấy ai.' : 'Chưa có danh sách người dân trên máy.', 30);
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
export function line(e) {
  const d = e.data ?? {};
  if (e.kind === 'measurement') {
    const m = /** @type {any} */ (measures)[e.code];
    if (e.code === 'bp') return `Huyết áp ${whole(d.systolic)}/${whole(d.diastolic)}`;
    return m ? `${m.name} ${whole(d.value)} ${m.unit}` : `${e.code} ${Object.values(d).join(' / ')}`;
  }
  if (e.kind === 'allergy') return 'Dị ứng: ' + e.code;
  if (e.kind === 'no_allergy') return 'Không dị ứng';
  if (e.kind === 'vaccination') return `Tiêm ${word(vaccines, e.code)}${d.dose ? ', mũi ' + d.dose : ''}`;
  return e.code ? `Khám: ${e.code}` : 'Lần khám';
}

const icons = { measurement: 'ruler', vaccination: 'needle', visit: 'visit', allergy: 'alert', no_allergy: 'visit' };

/** @param {At} at */
function book({ client, params }) {
  const person = params.person, write = (/** @type {string} */ k, /** @type {string} */ t, more = '') => go(`#/suc-khoe/${person}/ghi/${k}`, t, more);
  let kind = '';
  const body = live(() => {
    const of = chains(client, person).filter(ch => ch.heads[0].kind.endsWith(kind)); // that there is none stands among allergies
    /** @type {Map<string, Chain[]>} */
    const years = new Map();
    for (const ch of of) {
      const y = String(ch.heads[0].occurred_on ?? '').slice(0, 4) || 'Không rõ năm';
      years.set(y, [...years.get(y) ?? [], ch]);
    }
    const who = client.get('persons', person);
    return h('div', null,
      who?.born ? h('p.note', null, [age(who.born), who.sex, 'sinh ' + day(who.born)].filter(Boolean).join(' · ')) : null,
      kind ? null : summary(client, person),
      kind === 'vaccination' && of.length ? byVaccine(person, of) : years.size ? [...years].map(([y, chs]) => section(y, h('div.list', null, chs.map(ch => entryRow(person, ch))))) : list([], 'Sổ chưa có mục nào ở đây.'));
  });
  const filter = h('div.chips', { role: 'group', 'aria-label': 'Lọc' }, Object.entries({ '': 'Tất cả', ...healthKinds }).filter(([k]) => k !== 'no_allergy').map(([k, t]) => h('button.chip', {
    type: 'button', 'aria-pressed': String(k === kind),
    onclick: (/** @type {any} */ ev) => {
      kind = k;
      for (const b of filter.children) b.setAttribute('aria-pressed', String(b === ev.currentTarget));
      client.dispatchEvent(new Event('change'));
    },
  }, t)));
  return h('div', null, h('div.buttons.thirds', null, write('measurement', 'Ghi số đo', 'main'), write('vaccination', 'Ghi mũi tiêm'), write('visit', 'Ghi lần khám'), write('allergy', 'Ghi dị ứng')), filter, body);
}

/** What this person cannot bear, as far as the phone knows. @param {Client} c @param {string} person @returns {any[]} the entries that stand */
export const allergies = (c, person) => chains(c, person).flatMap(ch => ch.heads).filter(e => e.kind === 'allergy' && e.op !== 'void');

/** The last time that this person was asked and had no allergy; undefined: nobody asked, as far as the phone knows. @param {Client} c @param {string} person */
export const askedNone = (c, person) => chains(c, person).flatMap(ch => ch.heads).find(e => e.kind === 'no_allergy' && e.op !== 'void');

/** What the book says of allergies: which there are, else that somebody asked and there are none, else that nobody asked. @param {Client} c @param {string} person */
function bears(c, person) {
  const not = allergies(c, person), none = askedNone(c, person), asked = none && day(none.occurred_on);
  if (not.length) return h('p.warning.bad', null, h('b', null, 'Dị ứng: '), not.map(e => e.code).join(', '), none && none.occurred_on > not[0].occurred_on ? ` (ngày ${asked} lại ghi là không; xin hỏi lại)` : null);
  if (none) return h('p.step', null, h('b', null, 'Không dị ứng. '), `Đã hỏi ngày ${asked}.`);
  return h('p.note', null, h('b', null, 'Chưa hỏi về dị ứng. '), atStation(c) ? 'Xin hỏi người bệnh trước khi cho thuốc.' : 'Từng bị mẩn, sưng, khó thở vì thuốc hay thức ăn thì ghi vào sổ.');
}

/** What a reader looks for first: what the person cannot bear, and the last of each measurement. @param {Client} c @param {string} person */
function summary(c, person) {
  const last = new Map();
  for (const ch of chains(c, person)) { const e = ch.heads[0]; if (e.kind === 'measurement' && e.op !== 'void' && !last.has(e.code)) last.set(e.code, e); }
  return [bears(c, person),
    last.size ? h('div.card', null, h('p.card-title', null, 'Số đo gần nhất'), [...last.values()].map(e => h('p.line', null, h('b', null, line(e)), h('span', null, day(e.occurred_on))))) : null];
}

/** Doses as a vaccination card has them: a line a vaccine, the doses in order. @param {string} person @param {Chain[]} of */
function byVaccine(person, of) {
  /** @type {Map<string, any[]>} */
  const all = new Map();
  for (const e of of.map(ch => ch.heads[0]).reverse()) all.set(e.code, [...all.get(e.code) ?? [], e]);
  return [...all].map(([code, doses]) => h('div.card', null, h('p.card-title', null, word(vaccines, code)), doses.map(e => h('a.dose', { href: `#/suc-khoe/${person}/${e.id}` },
    e.op === 'void' ? h('s', null, 'Mũi ' + (e.data?.dose ?? '')) : h('b', null, 'Mũi ' + (e.data?.dose ?? '')), h('span', null, day(e.occurred_on)), e.$waits ? waits() : null))));
}

/** @param {string} person @param {Chain} ch */
function entryRow(person, ch) {
  const e = ch.heads[0], off = ch.heads.every(x => x.op === 'void');
  return row(`#/suc-khoe/${person}/${e.id}`, [icon(/** @type {any} */ (icons)[e.kind]), ' ', off ? h('s', null, line(e)) : line(e)],
    day(e.occurred_on) + (e.text ? ' · ' + short(e.text, 60) : ''),
    [ch.heads.length > 1 ? badge(ch.heads.length + ' ý kiến', 'warn') : null, off ? badge('đã hủy') : null, e.$waits ? waits() : null, danger(e) ? badge('cao', 'bad') : null]);
}

/** A pressure at which one does not wait. @param {any} e */
export const danger = e => e.code === 'bp' && e.op !== 'void' && (e.data?.systolic >= 180 || e.data?.diastolic >= 110);

/** @param {At} at */
function entry({ client, params }) {
  return live(() => {
    const ch = chains(client, params.person).find(c => c.all.some(e => e.id === params.entry));
    if (!ch) return client.unsettled.some(k => k.edit.id === params.entry) ? list([], 'Mục này chưa được nhận vào sổ.', go('#/tai-khoan', 'Xem vì sao', 'main')) : list([], 'Mục này không còn trên máy.');
    const older = ch.all.filter(e => !ch.heads.includes(e));
    return h('div', null,
      ch.heads.length > 1 ? h('p.warning', null, h('b', null, ch.heads.length + ' ý kiến khác nhau. '), 'Hai người cùng sửa mục này, cả hai đều được giữ. Trạm y tế sẽ xem lại.') : null,
      ch.heads.some(danger) ? h('div.warning.bad', null, h('p', null, h('b', null, 'Huyết áp rất cao. '), 'Nghỉ yên 5 phút rồi đo lại. Vẫn cao, hoặc đau đầu, tức ngực, yếu tay chân: đến trạm y tế ngay, hoặc gọi 115.'), go('tel:115', 'Gọi 115', 'bad')) : null,
      ch.heads.map(e => card(client, e)),
      h('div.buttons', null, go(`#/suc-khoe/${params.person}/${ch.heads[0].id}/dinh-chinh`, 'Đính chính'),
        ch.heads.some(e => e.op !== 'void') ? act('Hủy mục ghi nhầm', async () => { if (await sure('Hủy mục này? Mục vẫn hiện trong sổ, có gạch ngang.', 'Hủy mục')) await (await forms()).voidChain(client, ch); }, 'quiet') : null),
      older.length ? section('Đã ghi trước đây', older.map(e => card(client, e, true))) : null);
  });
}

/** @param {Client} c @param {any} e @param {boolean} [old] */
function card(c, e, old) {
  return h('div.card', { class: old || e.op === 'void' ? 'old' : '' },
    h('p.card-title', null, e.op === 'void' || old ? h('s', null, line(e)) : line(e), ' ', e.$waits ? waits() : null, e.op === 'void' ? badge('đã hủy') : null),
    facts([['Ngày', day(e.occurred_on)], ['Số lô', e.data?.lot], ['Thuốc', e.data?.drug], ['Lời ghi', e.text], ['Nguồn', word(sources, e.source)], ['Người ghi', e.author ? nameOfWriter(c, e.author) : ''], ['Lý do đính chính', e.reason]]));
}

/** @param {Client} c @param {string} id */
const nameOfWriter = (c, id) => (id === c.me ? 'tôi' : c.get('persons', id)?.name ?? 'cán bộ y tế');
