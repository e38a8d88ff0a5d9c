// @ts-check
// Sign-in, the account, and what became of what this phone wrote.

import { pushSwitch } from '../push/switch.js';
import { filesOf } from '../sync/files.js';
import { h, later as drawnLater, live } from '../ui/el.js';
import { act, badge, facts, form, go, list, longList, row, say, search, section, sentence, sure } from '../ui/parts.js';
import { underWay } from '../ui/picture.js';
import { age, ago, byGiven, day, matches, moment, newest, phone, today } from '../ui/text.js';
import { line } from './health.js';
import { later, mendable } from './settling.js';
import { actions, collections, guardianKinds, word } from '../words/vi.js';

/** @typedef {import('../app.js').Domain} Domain @typedef {import('../app.js').At} At @typedef {import('../sync/client.js').Client} Client @typedef {import('../sync/overlay.js').Kept} Kept */

/** Who somebody is comes when it is looked at. */
const one = () => import('./later/person.js');

/** @type {Domain} */
export const people = {
  name: 'people', title: 'Tài khoản',
  tiles: () => [],
  news: c => [...(c.mood === 'blocked' || c.mood === 'signed-out' ? [row('#/tai-khoan', h('b', null, c.mood === 'blocked' ? 'Máy này đã bị chặn' : 'Cần đăng nhập lại'), moods[c.mood])] : []), ...(c.mood === 'offline' && c.waiting.length ? [row('#/gui-giup', h('b', null, 'Chưa có mạng'), `Nhờ người sắp ra chỗ có sóng gửi giúp ${c.waiting.length} việc`)] : []), ...(c.unsettled.length ? [row('#/tai-khoan', h('b', null, `${c.unsettled.length} việc chưa được nhận`), 'Chạm để xem vì sao và sửa lại', badge('cần xem', 'bad'))] : [])],
  screens: {
    '/dang-nhap': { title: 'Đăng nhập', draw: signIn, open: true },
    '/tai-khoan': { title: 'Tài khoản', draw: account },
    '/gui-giup': { title: 'Gửi giúp', draw: at => { const box = h('div'); import('./later/courier.js').then(m => box.replaceChildren(m.page(at))); return box; } },
    '/nguoi-dan': { title: 'Tìm người dân', draw: persons },
    '/nguoi-dan/:id': { title: at => nameOf(at.client, at.params.id), draw: at => drawnLater(one, m => m.person(at)), list: '/nguoi-dan' },
    '/nguoi-dan/:id/sua': { title: 'Sửa thông tin', draw: at => drawnLater(one, m => m.correct(at)), list: '/nguoi-dan' },
  },
};

/** A person's name, as far as this phone knows. @param {Client} c @param {string} id */
export const nameOf = (c, id) => c.get('persons', id)?.name ?? (id === c.me ? c.account?.person.name : undefined) ?? 'Người thân';

/** The persons whose book the reader keeps: the reader, and who is cared for. @param {Client} c @returns {{id: string, why: string}[]} */
export function caredFor(c) {
  const now = today();
  const others = c.all('guardians').filter(g => g.guardian === c.me && (!g.from || g.from <= now) && (!g.to || g.to >= now));
  return [{ id: c.me, why: 'Sổ của tôi' }, ...others.map(g => ({ id: g.person, why: g.kind === 'granted' ? 'Cho tôi xem' : 'Tôi chăm sóc' }))];
}

/** Where a person lives, as far as this phone knows. @param {Client} c @param {any} p */
export function home(c, p) {
  const house = c.get('households', p.household);
  return [house?.address, c.get('villages', house?.village)?.name].filter(Boolean).join(', ');
}

/** What this machine is called, for the list of phones. */
function machine() {
  const ua = navigator.userAgent;
  return /Android/.test(ua) ? 'Điện thoại Android' : /iPhone|iPad/.test(ua) ? 'iPhone' : 'Máy tính';
}

/** @param {At} at */
function signIn({ client, query }) {
  const place = h('div.sign-in'), back = () => { location.hash = '#/'; };
  /** @param {Parameters<Client['signIn']>[0]} how */
  const enter = async how => {
    const other = client.account && client.waiting.length ? client.account.person : undefined;
    if (other && !await sure(`Máy còn ${client.waiting.length} việc chưa gửi của ${other.name}. Người khác đăng nhập thì các việc ấy mất.`, 'Vẫn đăng nhập')) return;
    const choose = await client.signIn(how, machine());
    if (choose) choosePerson(choose, how); else back();
  };
  /** @param {{id: string, name: string, born: string}[]} persons @param {any} how */
  const choosePerson = (persons, how) => (place.replaceChildren(h('h2', null, 'Bà con là ai?'), h('div.list', null, persons.map(p => act([p.name, p.born ? h('small', null, ' · sinh ' + p.born) : null], () => enter({ ...how, person: p.id }), 'choice')))), place.querySelector('button')?.focus());
  /** @param {string} number */
  const askCode = number => {
    place.replaceChildren(h('h2', null, 'Nhập mã'), h('p', null, 'Mã 6 số đã gửi tới số ', h('b', null, number), '.'),
      client.notes.sms === 'log' ? h('p.warning', null, 'Bản thử: mã hiện ở cửa sổ chạy máy chủ.') : null,
      form([{ name: 'code', label: 'Mã 6 số', kind: 'tel', must: true }], 'Vào', v => enter({ number, code: v.code.replace(/\D/g, '') })),
      h('div.buttons', null, act('Gửi lại mã', async () => { await client.sendCode(number); say('Đã gửi lại mã.'); }, 'quiet'), act('Đổi số khác', askNumber, 'quiet')));
    place.querySelector('input')?.focus();
  };
  const askNumber = () => (place.replaceChildren(h('h2', null, 'Đăng nhập'), h('p', null, 'Bà con nhập số điện thoại đã khai với xã. Xã gửi một mã 6 số về máy.'),
    form([{ name: 'number', label: 'Số điện thoại', kind: 'tel', must: true, example: '0912345678' }], 'Gửi mã cho tôi', async v => {
      if (v.number.replace(/\D/g, '').length < 9) throw new Error('Số điện thoại chưa đúng. Xin nhập như 0912345678.');
      await client.hello().catch(() => {});
      await client.sendCode(v.number);
      askCode(v.number);
    }), h('p.note', null, 'Không có điện thoại nhận mã? Ra bàn một cửa, cán bộ cho quét mã QR.')), place.querySelector('input')?.focus());
  const invitation = query.get('moi');
  if (invitation) {
    const wrong = h('p.wrong', { role: 'alert', hidden: true });
    place.append(h('h2', null, 'Đăng nhập bằng mã QR'), h('p', null, 'Cán bộ một cửa đã mời bà con vào ứng dụng trên máy này.'), wrong, h('div.buttons', null, act('Vào', async () => { wrong.hidden = true; try { await enter({ invitation }); } catch (err) { wrong.textContent = sentence(err); wrong.hidden = false; } }, 'main'), act('Dùng số điện thoại', askNumber, 'quiet')));
  } else askNumber();
  return place;
}

/** @param {At} at */
function account({ client }) {
  return h('div', null, live(() => h('div', null, state(client), unsettled(client), [...client.state.edits.values()].some(k => k.decided) ? later(m => m.decisions(client)) : null, pending(client))),
    client.mood === 'blocked' ? null : [section('Báo tin', pushSwitch(client)), grantForm(client), live(() => looked(client))], live(() => leave(client)));
}

const moods = { idle: 'Máy đã có đủ tin mới.', busy: 'Đang đồng bộ…', offline: 'Chưa có mạng. Cứ làm như thường, có sóng máy tự gửi.', waiting: 'Xã đang bận, máy tự gửi lại.', 'signed-out': 'Cần đăng nhập lại. Việc chưa gửi vẫn còn trên máy.', blocked: 'Máy này đã bị chặn, sổ và hồ sơ trên máy đã được xóa. Xin gặp cán bộ một cửa. Việc chưa gửi vẫn còn.', old: 'Ứng dụng đã cũ. Có mạng thì mở lại để dùng bản mới.' };

/** @param {Client} c */
function state(c) {
  return h('div', null, h('div.card', null, h('p.card-title', null, c.account?.person.name), facts([['Máy này', c.account?.label], ['Đồng bộ lần cuối', ago(c.notes.synced)]]), h('p', null, moods[c.mood]),
    c.notes.held?.length ? h('p.note', null, `Máy còn giữ ${c.notes.held.length} việc chưa gửi của người dùng trước. Người ấy vào lại thì máy gửi.`) : null,
    h('div.buttons', null, c.mood === 'signed-out' || c.mood === 'blocked' ? go('#/dang-nhap', 'Đăng nhập lại', c.mood === 'blocked' ? 'quiet' : 'main') : act('Đồng bộ ngay', () => c.sync(), 'main'), go('#/gui-giup', 'Nhờ gửi giúp, mang giúp', 'quiet'))));
}

/** What an edit is, in words. @param {Client} c @param {Kept} k */
function about(c, { edit: e }) {
  if (e.do) {
    const of = e.args?.procedure && c.get('procedures', e.args.procedure)?.name || e.args?.lines && c.get('products', e.args.lines[0]?.product)?.name;
    return word(actions, e.do) + (of ? ': ' + of : '');
  }
  const r = e.create ?? c.get(e.coll ?? '', e.id ?? ''), called = e.coll === 'health_entries' && r ? line(r) + (r.person === c.me ? '' : ' · ' + nameOf(c, r.person)) : r?.title ?? r?.name;
  return word(collections, e.coll) + (e.delete ? ' (xóa)' : called ? ': ' + called : '');
}

/** Where a refused edit is written again; undefined when it can only be dropped. @param {Kept} k */
function mend({ edit: e }) {
  const q = '?sua=' + e.n;
  if (e.coll === 'health_entries' && e.create) return `#/suc-khoe/${e.create.person}/ghi/${e.create.kind}${q}`;
  if (e.coll === 'announcements' && e.create) return '#/truyen-thanh/moi' + q;
  if (e.coll === 'products' && e.create) return `#/gian-hang/${e.create.stall}/them${q}`;
  if (e.do === 'publicservice.submit') return `#/ho-so/moi/${e.args.procedure}${q}`;
  if (e.do === 'market.order') return e.args.lines.length > 1 ? `#/cho/gian/${e.args.stall}/dat${q}` : `#/cho/hang/${e.args.lines[0]?.product}${q}`;
  if (e.do === 'publicservice.step') return '#/mot-cua/' + e.args.dossier;
  if (e.coll === 'drafts' && e.create) return '#/ho-so/nhap/' + e.id;
  if (e.do === 'sync.settle') return '#/viec-cho';
  if (mendable(e)) return '#/sua/' + e.n;
}

/** @param {Client} c */
function unsettled(c) {
  if (!c.unsettled.length) return null;
  return section('Chưa được nhận', c.unsettled.map(k => {
    const where = mend(k);
    return h('div.card', null, h('p.card-title', null, about(c, k), ' ', k.verdict?.is === 'parked' ? badge('chờ cán bộ xem', 'warn') : badge('bị từ chối', 'bad')),
      h('p', null, k.verdict?.say || 'Xã không nhận việc này.'), later(m => [m.beside(c, k), h('p', null, m.whatNext(k))].flat()), h('p.note', null, 'Làm lúc ' + moment(k.edit.at)),
      h('div.buttons', null, where ? go(where, 'Sửa và gửi lại', 'main') : null, act('Bỏ', async () => { if (await sure('Bỏ việc này khỏi máy?', 'Bỏ')) await c.dismiss(k); }, 'quiet')));
  }));
}

/** @param {Client} c */
function pending(c) {
  return section('Chờ gửi', list([...c.waiting.map(k => h('div.step', null, about(c, k), h('div.row-under', null, moment(k.edit.at)))), ...(filesOf(c).waiting ? [underWay(c)] : [])], 'Không còn việc nào chờ gửi.'));
}

/** @param {Client} c */
function grantForm(c) {
  const now = today();
  const given = live(() => {
    const mine = c.all('guardians').filter(g => g.person === c.me && (!g.to || g.to >= now)), ending = new Set(c.asked('people.revoke_grant').map(k => k.edit.args.id));
    return list([...c.asked('people.grant').map(k => h('div.step', null, k.edit.args.number ?? nameOf(c, k.edit.args.guardian), ' ', badge('chờ gửi', 'wait'))),
      ...mine.map(g => h('div.step', null, h('b', null, c.get('persons', g.guardian)?.name ?? g.guardian_name ?? 'Người thân'), ` · ${word(guardianKinds, g.kind)}`, g.to ? ` · đến ${day(g.to)}` : '', ' ',
        ending.has(g.id) ? badge('sẽ thôi khi có mạng', 'wait') : g.kind === 'granted' ? act('Thôi không cho nữa', async () => { if (await sure('Người này sẽ không còn xem được sổ của bà con.', 'Thôi cho xem')) await c.edit({ do: 'people.revoke_grant', args: { id: g.id } }); }, 'quiet') : null))], 'Chưa cho ai xem.');
  });
  return section('Người xem được sổ của tôi', given, h('details', null, h('summary', null, 'Cho người thân xem sổ'), form([
    { name: 'number', label: 'Số điện thoại người thân', kind: 'tel', must: true, example: '0912345678' }, { name: 'to', label: 'Đến hết ngày', kind: 'date', hint: 'Để trống: tới khi bà con thôi.' }],
  'Cho xem', async v => {
    await c.edit({ do: 'people.grant', args: { number: v.number, to: v.to } });
    say('Đã ghi. Có hiệu lực khi máy có mạng.');
  })));
}

/** @param {Client} c */
function looked(c) {
  const log = c.all('access_log').filter(l => l.person === c.me).sort(newest('at'));
  return section('Ai đã xem hồ sơ của tôi', longList(log, l => h('div.step', null, h('b', null, l.who), l.what ? ' xem ' + l.what : '', h('div.row-under', null, moment(l.at)), l.why ? h('div', null, 'Lý do: ', l.why) : null), 'Chưa ai ở xã mở xem hồ sơ riêng của bà con.', 10));
}

/** @param {Client} c */
function leave(c) {
  return section('Thôi dùng máy này', act('Đăng xuất', async () => {
    const n = c.waiting.length + filesOf(c).waiting;
    if (!await sure(n ? `Còn ${n} việc CHƯA GỬI. Đăng xuất bây giờ là mất. Nên chờ có mạng.` : 'Đăng xuất và xóa sổ, hồ sơ của bà con khỏi máy này?', 'Đăng xuất')) return;
    if (n && !await sure(`Chắc chắn bỏ ${n} việc chưa gửi?`, 'Bỏ và đăng xuất')) return;
    await c.signOut();
  }, 'quiet'));
}

/** @param {At} at */
function persons({ client }) {
  return search('Tìm người: tên, năm sinh, số máy', 'nguoi-dan', q => longList(
    client.all('persons').filter(p => matches(q, p.name, p.born, phone(p.phone_number))).sort(byGiven),
    p => row('#/nguoi-dan/' + p.id, p.name, [p.sex, age(p.born), p.born ? 'sinh ' + day(p.born) : '', home(client, p)].filter(Boolean).join(' · ')), q ? 'Không tìm thấy ai.' : 'Chưa có danh sách người dân trên máy.', 30));
}
