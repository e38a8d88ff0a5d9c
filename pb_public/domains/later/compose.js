// @ts-check
// The officers' side of notices: compose, see whom it reaches, have it approved,
// see by which road it arrives, stop it. And the village head's errands.

import { newId } from '../../sync/edits.js';
import { h, live } from '../../ui/el.js';
import { act, badge, facts, form, go, list, longList, row, say, section, sure, waits } from '../../ui/parts.js';
import { byName, moment, newest, whole } from '../../ui/text.js';
import { openErrands } from '../compose.js';

/** @typedef {import('../../app.js').At} At @typedef {import('../../sync/client.js').Client} Client */

const classes = /** @type {Record<number, string>} */ ({ 1: 'Khẩn cấp: kêu ngay cả ban đêm', 2: 'Bà con cần làm theo', 3: 'Tin tức' });
const states = /** @type {Record<string, [string, '' | 'good' | 'warn' | 'bad' | 'wait']>} */ ({
  draft: ['nháp', ''], asked: ['chờ duyệt', 'warn'], approved: ['đã duyệt, chờ giờ gửi', 'good'], sent: ['đã gửi', 'good'], stopped: ['đã dừng', 'bad'],
});

/** What a text says, word for word as the server sends it. */
const text = 'Ban co thong bao moi tu xa. Hay mo ung dung Lang So de xem, hoac hoi truong thon.';

/** How many parts a text costs: 160 letters of GSM 03.38 in one, 153 each when joined; with any other letter 70 and 67. @param {string} s */
export function parts(s) {
  const plain = [...s].every(c => gsm.includes(c) || twice.includes(c));
  const n = plain ? [...s].reduce((sum, c) => sum + (twice.includes(c) ? 2 : 1), 0) : s.length;
  const [one, more] = plain ? [160, 153] : [70, 67];
  return n === 0 ? 0 : n <= one ? 1 : Math.ceil(n / more);
}

const gsm = '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
const twice = '^{}\\[~]|€';

/** The part of the desk about what is composed. @param {Client} c */
export function composed(c) {
  const all = c.all('broadcasts').sort(newest('sent_at'));
  const of = (/** @type {string[]} */ ...which) => all.filter(b => which.includes(b.state || 'draft'));
  return [
    c.stands('duty:broadcast') ? h('div.buttons', null, go('#/truyen-thanh/soan', 'Soạn tin để gửi', 'main')) : null,
    of('asked').length ? section('Chờ duyệt', list(of('asked').map(composedRow), '')) : null,
    section('Tin gửi tới máy bà con', longList([...of('draft'), ...of('approved', 'sent', 'stopped')], composedRow, 'Chưa soạn tin nào.', 20)),
  ];
}

/** @param {any} b */
function composedRow(b) {
  const [words, kind] = states[b.state] ?? states.draft;
  return row('#/truyen-thanh/' + b.id, b.title, b.sent_at ? moment(b.sent_at) : b.send_at ? 'gửi lúc ' + moment(b.send_at) : '', [b.class === 1 ? badge('khẩn', 'bad') : null, b.$waits ? waits() : badge(words, kind)]);
}

/** A moment as <input type="datetime-local"> wants it, by the phone's clock. @param {any} s */
function local(s) {
  const d = new Date(String(s ?? '').replace(' ', 'T'));
  return Number.isNaN(d.getTime()) ? '' : new Date(d.getTime() - d.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** @param {string} v */
const whenever = v => v ? new Date(v).toISOString() : '';

/** @param {At} at */
export function compose({ client, query }) {
  const before = client.get('broadcasts', query.get('tin') ?? '') ?? {};
  const fixes = Number(query.get('sua')) || undefined, again = (fixes && client.state.edits.get(fixes)?.edit.create) || before;
  const villages = client.all('villages').sort(byName);
  return form([
    { name: 'title', label: 'Tiêu đề', must: true, value: again.title, example: 'Mời họp thôn tối nay' },
    { name: 'body', label: 'Nội dung', kind: 'long', value: again.body, hint: 'Chỉ hiện trong ứng dụng. Lời báo trên máy và tin nhắn SMS không mang nội dung.' },
    { name: 'village', label: 'Gửi tới', kind: 'choice', options: [['', 'Cả xã'], ...villages.map(v => /** @type {[string, string]} */ ([v.id, v.name]))], value: again.village },
    { name: 'class', label: 'Mức', kind: 'choice', must: true, options: Object.entries(classes), value: again.class ?? 3 },
    { name: 'send_at', label: 'Gửi lúc', kind: 'datetime-local', value: local(again.send_at), hint: 'Để trống thì gửi ngay khi được duyệt.' },
    { name: 'expires', label: 'Hết tác dụng lúc', kind: 'datetime-local', value: local(again.expires), hint: 'Sau lúc này không báo máy nào nữa.' },
  ], 'Lưu và xem trước', async v => {
    const what = { ...v, class: Number(v.class), send_at: whenever(v.send_at), expires: whenever(v.expires) };
    if (what.expires && what.expires <= (what.send_at || new Date().toISOString())) throw new Error('Giờ hết tác dụng phải sau giờ gửi.');
    const id = before.id ?? newId();
    await client.edit(before.id ? { coll: 'broadcasts', id, change: what } : { coll: 'broadcasts', id, create: what, ...(fixes ? { fixes } : {}) });
    say('Đã lưu. Số người nhận hiện khi máy có mạng.');
    location.hash = '#/truyen-thanh/' + id;
  });
}

/** @param {At} at */
export function one({ client, params }) {
  return live(() => {
    const b = client.get('broadcasts', params.id);
    if (!b) return list([], 'Tin này không còn.');
    const state = b.state || 'draft', [words, kind] = states[state];
    const mine = client.stands('duty:broadcast'), leads = client.stands('duty:leader'), own = b.by === client.me;
    const send = (/** @type {string} */ what, /** @type {string} */ said) => async () => {
      await client.edit({ do: 'broadcast.' + what, args: { broadcast: b.id } });
      say(said);
    };
    const going = state === 'sent' || state === 'stopped';
    return h('div', null,
      h('article.card', null, badge(words, kind), b.$waits ? waits() : null, h('h2', null, b.title), String(b.body ?? '').split(/\n+/).filter(Boolean).map(t => h('p', null, t)),
        facts([
          ['Gửi tới', client.get('villages', b.village)?.name ?? 'Cả xã'], ['Mức', classes[b.class] ?? ''],
          ['Gửi lúc', b.sent_at ? moment(b.sent_at) : b.send_at ? moment(b.send_at) : 'ngay khi duyệt'], ['Hết tác dụng', b.expires ? moment(b.expires) : ''],
        ])),
      going ? null : section('Xem trước', facts([
        ['Số người nhận', b.people === undefined ? 'hiện khi máy có mạng' : whole(b.people)],
        ['Máy sẽ được báo', b.people === undefined ? '' : whole(b.phones)],
        ['SMS cho người chưa nhận', b.class === 3 ? 'không gửi' : `nhiều nhất ${whole(b.texts)} tin, mỗi tin ${parts(text)} phần; ${b.class === 1 ? 'gửi sau 10 phút' : 'gửi sau 4 giờ, chỉ tới người đã đồng ý'}`],
        ['Lời SMS', b.class === 3 ? '' : `«${text}»`],
      ])),
      going ? section('Tới bằng đường nào', facts([
        ['Máy đã báo', `${whole(b.woken)} trên ${whole(b.phones)}`], ['Người máy đã nhận', `${whole(b.received)} trên ${whole(b.people)}`],
        ['Người đã đọc', whole(b.read)], ['Tin nhắn SMS', whole(b.texted)], ['Việc giao trưởng thôn', whole(b.errands)],
      ])) : null,
      h('div.buttons', null,
        mine && state === 'draft' ? act('Trình duyệt', send('ask', 'Đã trình. Lãnh đạo xã được báo khi máy có mạng.'), 'main') : null,
        leads && (state === 'asked' && (!own || b.class === 1) || state === 'draft' && b.class === 1)
          ? act(b.send_at ? 'Duyệt, gửi đúng giờ' : 'Duyệt và gửi ngay', async () => {
            if (await sure(`Gửi «${b.title}» tới ${whole(b.people)} người?`, 'Gửi')) await send('approve', 'Đã duyệt. Tin đi khi máy có mạng.')();
          }, 'main') : null,
        leads && own && state === 'asked' && b.class !== 1 ? h('p.note', null, 'Người soạn không tự duyệt tin của mình.') : null,
        mine && (state === 'draft' || state === 'asked') ? go('#/truyen-thanh/soan?tin=' + b.id, 'Sửa') : null,
        state !== 'stopped' ? act('Dừng tin', async () => { if (await sure('Dừng tin này? Máy nào chưa báo thì thôi không báo nữa.', 'Dừng')) await send('stop', 'Đã dừng. Có hiệu lực khi máy có mạng.')(); }, 'quiet') : null));
  });
}

/** @param {At} at */
export function errands({ client }) {
  return live(() => {
    const all = client.all('errands'), open = openErrands(client);
    const card = (/** @type {any} */ e) => h('article.card', null, h('h3', null, e.names), h('p.note', null, 'Chưa nhận được thông báo của xã, từ ' + moment(e.at)),
      e.$waits ? waits() : act('Đã ghé báo', () => client.edit({ coll: 'errands', id: e.id, change: { state: 'done', done_at: new Date().toISOString() } }), 'main'));
    const closed = all.filter(e => e.state !== 'open');
    return h('div', null, open.length ? open.sort(newest('at')).map(card) : h('p.empty', null, 'Không có ai cần ghé báo.'),
      closed.length ? section('Đã xong', longList(closed.sort(newest('at')), e => row('#/viec-thon', e.names, e.state === 'done' ? 'đã ghé ' + moment(e.done_at) : 'đã tự nhận được'), '', 10)) : null);
  });
}
