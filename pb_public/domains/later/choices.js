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
  ['announcement', 'tin của xã, thôn', 'announcement'],
  ['orders', 'tin về đơn hàng', 'order_confirmed order_packed order_delivered order_rejected order_cancelled'],
  ['dossiers', 'tin về hồ sơ', 'dossier_step'],
];

/** @param {At} at */
export function choices({ client }) {
  const mine = client.all('notice_choices').find(c => c.person === client.me) ?? {};
  const off = new Set(String(mine.off ?? '').split(' '));
  return h('div', null,
    permission() === 'default' ? h('div.card', null, reminderNote(), act('Cho phép hiện thông báo', async () => { await Notification.requestPermission(); location.reload(); }, 'main')) : reminderNote(),
    form([
      { name: 'quiet_from', label: 'Yên lặng từ giờ', kind: 'time', value: mine.quiet_from, hint: 'Đêm từ 21 giờ đến 6 giờ máy không kêu. Tin khẩn thì giờ nào cũng kêu.' },
      { name: 'quiet_to', label: 'Đến giờ', kind: 'time', value: mine.quiet_to },
      { name: 'digest', label: 'Gom tin lại, báo mỗi ngày một lần lúc', kind: 'time', value: mine.digest },
      ...kinds.map(([name, label, all]) => ({ name, label: 'Báo khi có ' + label, kind: /** @type {'check'} */ ('check'), value: !all.split(' ').every(k => off.has(k)) })),
      { name: 'sms', label: 'Máy mất mạng thì nhắn tin SMS cho tôi', kind: 'check', value: mine.sms },
    ], 'Lưu', async v => {
      if (Boolean(v.quiet_from) !== Boolean(v.quiet_to) || v.quiet_from && v.quiet_from === v.quiet_to) throw new Error('Xin ghi cả hai giờ yên lặng, và hai giờ khác nhau.');
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
