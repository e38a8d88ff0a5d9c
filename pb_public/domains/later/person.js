// @ts-check
// Who somebody is, as the commune knows it; and the officer's form that corrects it,
// with the reason, which stays. Loaded when somebody looks.

import { h, live } from '../../ui/el.js';
import { act, facts, form, go, list, row, say, section, waits } from '../../ui/parts.js';
import { day, moment, phone } from '../../ui/text.js';
import { shown, titleOf } from './fields.js';
import { home } from '../people.js';
import { onestop } from '../publicservice.js';

/** @typedef {import('../../app.js').At} At @typedef {import('../../sync/client.js').Client} Client */
/** @typedef {{at: string, who?: string, was: Record<string, string>, now: Record<string, string>, why?: string}} Correction as commune/people/correction.go keeps it */

/** How surely the commune knows that it is this person. */
const levels = ['tự khai', 'đã xác nhận số máy', 'đã gặp, đối chiếu giấy tờ', 'định danh điện tử mức 2'];

/** @param {At} at */
export function person({ client, params }) {
  const { id } = params, qr = h('div');
  if (!client.get('persons', id)) return list([], 'Không có người này trên máy.');
  const invite = act('Mời vào ứng dụng bằng QR', async () => {
    const got = await client.signedCall('/api/phones/invitation', { person: id });
    qr.replaceChildren(h('img.qr', { alt: 'Mã QR đăng nhập', src: 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(got.svg) }), h('p.note', null, `Cho ${client.get('persons', id)?.name} quét bằng máy ảnh điện thoại. Mã dùng một lần, hết hạn ${moment(got.expires)}.`));
  });
  return h('div', null, live(() => {
    const p = client.get('persons', id);
    return p ? h('div.card', null, h('p.card-title', null, p.name, ' ', p.$waits ? waits() : null), facts([['Ngày sinh', day(p.born)], ['Giới tính', p.sex], ['Nơi ở', home(client, p)], ['Điện thoại', phone(p.phone_number)], ['Xác minh', levels[p.identity_level ?? 0]]])) : null;
  }), live(() => (onestop(client) ? h('div.buttons', null, go('#/ho-so/moi?cho=' + id, 'Nộp hồ sơ hộ', 'main'), invite, go(`#/nguoi-dan/${id}/sua`, 'Sửa thông tin', 'quiet')) : null)), qr,
  live(() => corrections(client, client.get('persons', id))),
  live(() => (onestop(client) ? section('Hồ sơ', list(client.all('dossiers').filter(d => d.person === id).map(d => row('#/mot-cua/' + d.id, client.get('procedures', d.procedure)?.name ?? 'Hồ sơ', d.code)), 'Chưa có hồ sơ.')) : null)));
}

/** What was corrected, newest first. @param {Client} c @param {any} p */
function corrections(c, p) {
  /** @type {Correction[]} */
  const all = Array.isArray(p?.corrections) ? p.corrections.toReversed() : [];
  return all.length ? section('Đã sửa', all.map(k => h('div.step', null, Object.keys(k.was).map(f => h('div', null, titleOf('persons', f), ': ', h('s', null, shown(c, 'persons', f, k.was[f])), ' → ', h('b', null, shown(c, 'persons', f, k.now[f])))),
    k.why ? h('div', null, 'Vì: ', k.why) : null, h('div.row-under', null, [k.who ?? 'Quản trị xã', moment(k.at)].join(', '))))) : null;
}

/** A birth as people write it: 2/9/1951, 1951; "" when it cannot be read. @param {string} s */
export function readBirth(s) {
  if (/^\d{4}(-\d\d-\d\d)?$/.test(s)) return s;
  const m = /^(\d{1,2})\D(\d{1,2})\D(\d{4})$/.exec(s);
  return m ? `${m[3]}-${m[2].padStart(2, '0')}-${m[1].padStart(2, '0')}` : '';
}

/** @param {At} at */
export function correct({ client, params }) {
  const p = client.get('persons', params.id);
  if (!p || !onestop(client)) return list([], p ? 'Việc này do cán bộ một cửa làm.' : 'Không có người này trên máy.');
  return h('div', null, form([
    { name: 'name', label: 'Họ và tên', must: true, value: p.name },
    { name: 'born', label: 'Ngày sinh', value: day(p.born), example: '2/9/1951', hint: 'Chỉ biết năm thì ghi năm.' },
    { name: 'sex', label: 'Giới tính', kind: 'choice', options: [['', 'chưa rõ'], ['nữ', 'nữ'], ['nam', 'nam']], value: p.sex },
    { name: 'why', label: 'Vì sao sửa', kind: 'long', must: true, hint: 'Giấy tờ đã xem, ví dụ: giấy khai sinh số 12 năm 1951. Người dân đọc được lời này.' },
  ], 'Lưu', async v => {
    const born = v.born && readBirth(v.born), now = client.get('persons', p.id) ?? p;
    if (v.born && !born) throw new Error('Ngày sinh chưa đúng. Xin ghi như 2/9/1951, hoặc chỉ năm 1951.');
    const change = Object.fromEntries(Object.entries({ name: v.name, born, sex: v.sex }).filter(([f, x]) => x !== (now[f] ?? '')));
    if (!Object.keys(change).length) throw new Error('Chưa sửa ô nào.');
    await client.edit({ coll: 'persons', id: p.id, change: { ...change, why: v.why } });
    say('Đã ghi. Gửi khi có mạng, người dân được báo.');
    location.hash = '#/nguoi-dan/' + p.id;
  }));
}
