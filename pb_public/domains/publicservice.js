// @ts-check
// One-stop shop (một cửa): procedures, drafts and dossiers. A draft is the
// person's own; submitting is an action that the server decides, and until it
// has, the dossier is shown as waiting.

import { verify } from '../sync/keys.js';
import { h, later, live } from '../ui/el.js';
import { act, badge, facts, go, list, longList, row, search, section, sure, waits } from '../ui/parts.js';
import { album } from '../ui/picture.js';
import { day, fold, matches, moment, newest, today } from '../ui/text.js';
import { dossierStatus, word } from '../words/vi.js';
import { caredFor, nameOf } from './people.js';

/** @typedef {import('../app.js').Domain} Domain @typedef {import('../app.js').At} At @typedef {import('../sync/client.js').Client} Client */

/** What is written, and the officers' desk, come when somebody opens them. */
const forms = () => import('./later/dossier.js'), desk = () => import('./later/desk.js');

/** @type {Domain} */
export const publicservice = {
  name: 'publicservice', title: 'Hồ sơ',
  tiles: c => [
    { href: '#/ho-so', title: 'Hồ sơ của tôi', icon: 'file' },
    ...(onestop(c) ? [{ href: '#/mot-cua', title: 'Bàn một cửa', icon: 'desk', duty: true, count: c.all('dossiers').filter(d => d.status === 1).length },
      { href: '#/nguoi-dan', title: 'Tìm người dân', icon: 'search', duty: true }] : []),
  ],
  screens: {
    '/ho-so': { title: 'Hồ sơ của tôi', draw: mine },
    '/ho-so/moi': { title: 'Chọn thủ tục', draw: procedures, list: '/ho-so' },
    '/ho-so/moi/:procedure': { title: 'Viết hồ sơ', draw: at => later(forms, m => m.write(at)), list: '/ho-so' },
    '/ho-so/nhap/:draft': { title: 'Hồ sơ nháp', draw: at => later(forms, m => m.write(at)), list: '/ho-so' },
    '/ho-so/:id': { title: 'Hồ sơ', draw: at => dossier(at, live(() => applicant(at.client, at.params.id))), list: '/ho-so' },
    '/ho-so/:id/bo-sung': { title: 'Bổ sung giấy tờ', draw: at => later(forms, m => m.answer(at)), list: '/ho-so' },
    '/mot-cua': { title: 'Bàn một cửa', draw: at => later(desk, m => m.queue(at)) },
    '/mot-cua/:id': { title: 'Xử lý hồ sơ', draw: at => dossier(at, later(desk, m => m.officer(at))), list: '/mot-cua' },
  },
};

/** @param {Client} c */
export const onestop = c => c.stands('duty:onestop');

/** @param {Client} c @param {string} id */
export const procedureName = (c, id) => c.get('procedures', id)?.name ?? 'Thủ tục';

/** The dossiers on the phone, the ones that wait to be sent first among them. @param {Client} c @returns {any[]} */
export function dossiers(c) {
  const known = c.all('dossiers'), ids = new Set(known.map(d => d.id));
  const sent = c.asked('publicservice.submit').filter(k => !ids.has(k.edit.args.id))
    .map(({ edit: { args, at } }) => ({ id: args.id, person: args.person, procedure: args.procedure, content: args.content, note: args.note, scans: args.scans, status: 0, submitted_at: at, $waits: true }));
  return [...sent, ...known].sort((a, b) => Number(Boolean(b.$waits)) - Number(Boolean(a.$waits)) || newest('submitted_at')(a, b));
}

/** @param {any} d */
function status(d) {
  if (d.$waits) return waits();
  return badge(word(dossierStatus, d.status), [5, 6].includes(d.status) ? 'warn' : [3, 7, 8].includes(d.status) ? 'bad' : [9, 10].includes(d.status) ? 'good' : '');
}

/** @param {Client} c @param {any} d @param {string} base @param {any} [mark] what stands at its right, else its status */
export const dossierRow = (c, d, base, mark = status(d)) => row(`#${base}/${d.id}`, procedureName(c, d.procedure), [base === '/mot-cua' || d.person !== c.me ? nameOf(c, d.person) : '', d.code, d.submitted_at ? 'nộp ' + moment(d.submitted_at) : ''].filter(Boolean).join(' · '), mark);

/** When a dossier was promised, and whether that has passed. @param {any} d */
export const promised = d => (!d.due || d.status > 8 ? null : d.due < today() ? badge('quá hẹn ' + day(d.due), 'bad') : badge('hẹn ' + day(d.due), d.due === today() ? 'warn' : ''));

/** @param {At} at */
function mine({ client }) {
  return live(() => {
    const own = new Set(caredFor(client).map(p => p.id));
    const drafts = client.all('drafts').filter(d => own.has(d.person)), sent = dossiers(client).filter(d => own.has(d.person));
    return h('div', null, h('div.buttons', null, go('#/ho-so/moi', 'Nộp hồ sơ mới', 'main')),
      drafts.length ? section('Đang viết dở', h('div.list', null, drafts.map(d => row('#/ho-so/nhap/' + d.id, procedureName(client, d.procedure), d.note, d.$waits ? waits() : badge('nháp'))))) : null,
      section('Đã nộp', list(sent.map(d => dossierRow(client, d, '/ho-so')), 'Bà con chưa nộp hồ sơ nào.')));
  });
}

/** @param {At} at */
function procedures({ client, query }) {
  const on = query.get('cho');
  return h('div', null, on ? h('p.note', null, 'Nộp hộ ', h('b', null, nameOf(client, on))) : null, search('Tìm thủ tục, ví dụ: khai sinh', 'thu-tuc', q => {
    const found = client.all('procedures').filter(p => p.active && matches(q, p.name, p.code, p.field));
    found.sort((a, b) => fold(a.name).localeCompare(fold(b.name)));
    return longList(found, p => row(`#/ho-so/moi/${p.id}${on ? '?cho=' + on : ''}`, p.name, [p.field, p.limit].filter(Boolean).join(' · '), p.verified || !onestop(client) ? null : badge('chưa kiểm chứng', 'warn')), q ? 'Không thấy thủ tục này. Bà con thử từ khác.' : 'Chưa có danh sách thủ tục trên máy.');
  }));
}

/** Papers and fields that a procedure asks for. @param {any} p @returns {{key: string, name: string, required?: boolean}[]} */
export const components = p => (Array.isArray(p?.components) ? p.components.filter((/** @type {any} */ k) => k?.key && k.name) : []);

/** A dossier: what it says, what can be done now, and its steps. @param {At} at @param {any} between */
function dossier({ client, params }, between) {
  const one = () => dossiers(client).find(x => x.id === params.id);
  return h('div', null, live(() => {
    const d = one();
    if (!d) return list([], 'Hồ sơ này không còn trên máy.');
    const procedure = client.get('procedures', d.procedure);
    const names = new Map(components(procedure).map(k => [k.key, k.name]));
    return h('div', null, h('h2', null, procedure?.name ?? 'Hồ sơ'), h('p', null, status(d), ' ', promised(d)),
      d.say ? h('p.warning', null, h('b', null, 'Cán bộ nhắn: '), d.say) : null,
      facts([['Mã hồ sơ', d.code], ['Người nộp', nameOf(client, d.person)], ['Nộp lúc', moment(d.submitted_at)], ['Hẹn trả', d.due ? day(d.due) : ''],
        ...Object.entries(d.content ?? {}).map(([k, v]) => /** @type {[string, any]} */ ([names.get(k) ?? k, String(v)])), ['Lời nhắn', d.note]]),
      album(client, d.scans, 'Giấy tờ đã chụp'),
      d.$waits ? h('p.note', null, 'Hồ sơ đã lưu trên máy, tự gửi khi có mạng.') : receipt(client, d));
  }), between, live(() => {
    const d = one(), steps = d ? [
      ...client.asked('publicservice.step').filter(k => k.edit.args.dossier === d.id).map(k => step(k.edit.args.to, k.edit.at, k.edit.args.say, true)),
      ...client.all('dossier_events').filter(e => e.dossier === d.id).sort((a, b) => newest('at')(a, b) || b.to - a.to).map(e => step(e.to, e.at, e.say))] : [];
    return steps.length ? section('Các bước', h('div.list', null, steps)) : null;
  }));
}

/** @param {number} to @param {any} at @param {any} text @param {boolean} [pending] */
function step(to, at, text, pending) {
  return h('div.step', null, h('b', null, word(dossierStatus, to)), ' ', pending ? waits() : null, h('div.row-under', null, moment(at)), text ? h('div', null, '«', text, '»') : null);
}

/** The receipt, checked with the server's key kept on the phone. @param {Client} c @param {any} d */
function receipt(c, d) {
  if (!d.receipt) return null;
  const mark = h('p.note', null, 'Biên nhận của xã: đang kiểm tra…');
  const said = new TextEncoder().encode(['dossier', d.id, d.person, d.procedure, d.submitted_at].join('\n'));
  Promise.resolve(c.notes.key ? verify(c.notes.key, d.receipt, said) : undefined).then(ok => {
    mark.textContent = ok === undefined ? 'Có biên nhận của xã (máy này không kiểm tra được chữ ký).' : ok ? '✔ Biên nhận của xã, chữ ký đúng.' : '✘ Chữ ký trên biên nhận không khớp. Xin hỏi cán bộ một cửa.';
  });
  return mark;
}

/** From where a dossier came to its status. @param {Client} c @param {any} d @returns {number} */
export const cameFrom = (c, d) => c.all('dossier_events').filter(e => e.dossier === d.id && e.to === d.status).sort(newest('at'))[0]?.from ?? 0;

/** The dossier when its next step can be asked for: it is at the server and no step waits. @param {Client} c @param {string} id */
export const movable = (c, id) => (c.asked('publicservice.step').some(k => k.edit.args.dossier === id) ? undefined : c.get('dossiers', id));

/** What the applicant may do: complete what was asked for, or withdraw. @param {Client} client @param {string} id */
function applicant(client, id) {
  const d = movable(client, id);
  if (!d || (d.person !== client.me && d.filed_by !== client.me) || ![1, 2, 4, 5, 6].includes(d.status)) return null;
  return h('div.buttons', null, d.status === 5 ? go(`#/ho-so/${id}/bo-sung`, 'Bổ sung giấy tờ', 'main') : null, act('Rút hồ sơ', async () => {
    if (await sure('Rút hồ sơ này? Cán bộ sẽ dừng xử lý.', 'Rút hồ sơ')) await client.edit({ do: 'publicservice.step', args: { dossier: id, to: 7, say: '' } });
  }, 'quiet'));
}
