// @ts-check
// The inbox: notices for this person, announcements of the commune and the village.

import { mark } from '../push/mark.js';
import { newId } from '../sync/edits.js';
import { h, later, live } from '../ui/el.js';
import { icon } from '../ui/icons.js';
import { act, badge, form, go, list, longList, row, say, section, waits } from '../ui/parts.js';
import { byName, day, moment, newest, today } from '../ui/text.js';
import { composed, mayCompose, openErrands, screens } from './compose.js';

/** @typedef {import('../app.js').Domain} Domain @typedef {import('../app.js').At} At @typedef {import('../sync/client.js').Client} Client */

/** @type {Domain} */
export const broadcast = {
  name: 'broadcast', title: 'Thông báo',
  tiles: c => [
    { href: '#/thong-bao', title: 'Thông báo', icon: 'bell', count: notices(c).filter(n => !n.read).length },
    ...(c.circles('village-head').length ? [{ href: '#/viec-thon', title: 'Việc cần ghé nhà', icon: 'visit', duty: true, count: openErrands(c).length }] : []),
    ...(mayCompose(c) ? [{ href: '#/truyen-thanh', title: 'Truyền thanh', icon: 'horn', duty: true }] : []),
  ],
  news: c => [
    ...announcements(c).filter(a => a.urgent).slice(0, 2).map(announcementRow),
    ...notices(c).filter(n => !n.read).slice(0, 3).map(noticeRow),
    ...announcements(c).filter(a => !a.urgent).slice(0, 3).map(announcementRow),
  ],
  screens: {
    '/thong-bao': { title: 'Thông báo', draw: inbox },
    '/thong-bao/:id': { title: 'Thông báo', draw: notice, list: '/thong-bao' },
    '/tin/:id': { title: 'Tin của xã', draw: announcement, list: '/thong-bao' },
    '/truyen-thanh': { title: 'Truyền thanh', draw: desk },
    '/truyen-thanh/moi': { title: 'Viết tin', draw: write, list: '/truyen-thanh' },
    ...screens,
    '/cach-nhan': { title: 'Cách nhận thông báo', draw: at => later(() => import('./later/choices.js'), m => m.choices(at)) },
  },
};

/** The notices of this person, newest first, each with whether it was read. @param {Client} c @returns {any[]} */
function notices(c) {
  const read = new Set(c.all('notice_marks').filter(m => m.person === c.me).map(m => m.notice));
  // An announcement has a notice only to wake phones; it is read as an announcement.
  const first = (/** @type {any} */ n) => Number(Boolean(n.urgent) && !n.read);
  return c.all('notices').filter(n => n.kind !== 'announcement').map(n => ({ ...n, read: read.has(n.id) })).sort((a, b) => first(b) - first(a) || newest('at')(a, b));
}

/** The announcements in force, newest first. @param {Client} c */
function announcements(c) {
  const now = today();
  return c.all('announcements').filter(a => (!a.from || a.from <= now) && (!a.to || a.to >= now)).sort(newest('from'));
}

/** @param {any} n */
function noticeRow(n) {
  return row('#/thong-bao/' + n.id, n.read ? n.title : h('b', null, n.title), moment(n.at), [n.urgent ? badge('khẩn', 'bad') : null, n.read ? null : badge('mới', 'good')]);
}

/** @param {any} a */
function announcementRow(a) {
  return row('#/tin/' + a.id, [icon('horn'), ' ', a.title], day(a.from), [a.urgent ? badge('khẩn', 'bad') : null, a.$waits ? waits() : null]);
}

/** @param {At} at */
function inbox({ client }) {
  return live(() => {
    const mine = notices(client), unread = mine.filter(n => !n.read);
    return h('div', null,
      section('Gửi cho tôi', longList(mine, noticeRow, 'Chưa có thông báo nào gửi riêng cho bà con.', 20), unread.length > 1 ? h('div.buttons', null, act('Đã đọc hết', async () => { for (const n of unread) await mark(client, n.id); }, 'quiet')) : null),
      section('Tin của xã, thôn', longList(announcements(client), announcementRow, 'Chưa có tin nào.', 20)),
      h('div.buttons', null, go('#/cach-nhan', 'Cách nhận thông báo')));
  });
}

/** @param {At} at */
function notice(at) {
  const { client, params } = at;
  if (!client.get('notices', params.id) && client.get('announcements', params.id)) return announcement(at);
  mark(client, params.id);
  return live(() => {
    const n = client.get('notices', params.id);
    if (!n) return list([], 'Thông báo này không còn.');
    return h('article.card', null, h('h2', null, n.title), h('p.note', null, moment(n.at)), paragraphs(n.body), n.link?.startsWith('#/') ? go(n.link, 'Xem', 'main') : null);
  });
}

/** @param {At} at */
function announcement({ client, params }) {
  return live(() => {
    const a = client.get('announcements', params.id);
    if (!a) return list([], 'Tin này không còn.');
    return h('article.card', null, a.urgent ? badge('khẩn', 'bad') : null, h('h2', null, a.title),
      h('p.note', null, [client.get('villages', a.village)?.name ?? (a.village ? 'Tin của thôn' : 'Cả xã'), day(a.from), a.to ? 'đến ' + day(a.to) : ''].filter(Boolean).join(' · ')), paragraphs(a.body));
  });
}

/** @param {any} text */
const paragraphs = text => String(text ?? '').split(/\n+/).filter(Boolean).map(t => h('p', null, t));

/** @param {At} at */
function desk({ client }) {
  return live(() => h('div', null, composed(client),
    section('Bảng tin', client.stands('duty:broadcast') ? [h('p.note', null, 'Tin trên bảng có trong ứng dụng của bà con, máy không kêu.'), h('div.buttons', null, go('#/truyen-thanh/moi', 'Viết tin mới lên bảng tin'))] : null, longList(client.all('announcements').sort(newest('from')), announcementRow, 'Chưa có tin nào.', 20))));
}

/** @param {At} at */
function write({ client, query }) {
  const fixes = Number(query.get('sua')) || undefined, before = (fixes && client.state.edits.get(fixes)?.edit.create) || {};
  const villages = client.all('villages').sort(byName);
  return form([
    { name: 'title', label: 'Tiêu đề', must: true, value: before.title, example: 'Lịch tiêm chủng tháng 12' },
    { name: 'body', label: 'Nội dung', kind: 'long', must: true, value: before.body },
    { name: 'village', label: 'Gửi tới', kind: 'choice', options: [['', 'Cả xã'], ...villages.map(v => /** @type {[string, string]} */ ([v.id, v.name]))], value: before.village, must: false },
    { name: 'from', label: 'Đăng từ ngày', kind: 'date', must: true, value: before.from ?? today() },
    { name: 'to', label: 'Đến hết ngày', kind: 'date', value: before.to },
  ], 'Đăng tin', async v => {
    if (v.to && v.to < v.from) throw new Error('Ngày hết phải sau ngày đăng.');
    await client.edit({ coll: 'announcements', id: newId(), create: v, ...(fixes ? { fixes } : {}) });
    say('Đã lưu tin. Tin đi khi có mạng.');
    location.hash = '#/truyen-thanh';
  });
}
