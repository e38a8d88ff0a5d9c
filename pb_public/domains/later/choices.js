// @ts-check
// How a person wants to be called: quiet hours, a digest, kinds that need no
// call, texts. It is a record like any other, so it is the same on all phones. Loaded
// when somebody chooses.

import { h } from '../../ui/el.js';
import { act, form, say } from '../../ui/parts.js';
import { permission } from '../../push/remind.js';
import { reminderNote } from '../../push/switch.js';

/** @typedef {import('../../app.js').At} At */

/** Kinds of notices that may be switched off, by what people call them. @type {[string, string, string][]} */
const kinds = [
  ['announcement', 'Tin của xã, thôn', 'announcement'],
  ['orders', 'Đơn hàng', 'order_confirmed order_packed order_delivered order_rejected order_cancelled'],
  ['dossiers', 'Bước xử lý hồ sơ', 'dossier_step'],
];

/** @param {At} at */
export function choices({ client }) {
  const mine = client.all('notice_choices').find(c => c.person === client.me) ?? {};
  const off = new Set(String(mine.off ?? '').split(' '));
  return h('div', null,
    permission() === 'default' ? h('div.card', null, reminderNote(), act('Cho phép hiện thông báo', async () => { await Notification.requestPermission(); location.reload(); }, 'main')) : reminderNote(),
    form([
      { name: 'quiet_from', label: 'Yên lặng từ', kind: 'time', value: mine.quiet_from, hint: 'Ban đêm từ 21:00 đến 06:00 máy vốn đã yên. Tin khẩn cấp kêu bất cứ lúc nào.' },
      { name: 'quiet_to', label: 'Yên lặng đến', kind: 'time', value: mine.quiet_to },
      { name: 'digest', label: 'Gom tin tức vào một lần mỗi ngày, lúc', kind: 'time', value: mine.digest },
      ...kinds.map(([name, label, all]) => ({ name, label: 'Gọi máy khi có: ' + label, kind: /** @type {'check'} */ ('check'), value: !all.split(' ').every(k => off.has(k)) })),
      { name: 'sms', label: 'Đồng ý nhận tin nhắn SMS khi máy không vào được mạng', kind: 'check', value: mine.sms },
    ], 'Lưu', async v => {
      if (Boolean(v.quiet_from) !== Boolean(v.quiet_to) || v.quiet_from && v.quiet_from === v.quiet_to) throw new Error('Xin ghi cả giờ bắt đầu và giờ kết thúc, khác nhau.');
      const what = {
        quiet_from: v.quiet_from, quiet_to: v.quiet_to, digest: v.digest, sms: v.sms,
        off: kinds.filter(([name]) => !v[name]).map(([, , all]) => all).join(' '),
      };
      if (mine.id) await client.edit({ coll: 'notice_choices', id: mine.id, change: what });
      else await client.edit({ coll: 'notice_choices', id: await choiceId(client.me), create: { person: client.me, ...what } });
      say('Đã lưu.');
      location.hash = '#/thong-bao';
    }));
}

/** Two phones of a person make the same record: the first 15 hex digits of SHA-256 over the person and the word. @param {string} person */
async function choiceId(person) {
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(person + 'notice_choices')));
  return [...sum.subarray(0, 8)].map(b => b.toString(16).padStart(2, '0')).join('').slice(0, 15);
}
