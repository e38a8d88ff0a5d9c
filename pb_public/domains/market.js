// @ts-check
// The country market (chợ quê): what is sold, my orders, and the seller's own
// stall. Stock moves by differences, so that two sellers apart both count.

import { newId } from '../sync/edits.js';
import { h, later, live } from '../ui/el.js';
import { act, badge, facts, form, go, list, longList, row, say, search, section, waits } from '../ui/parts.js';
import { byName, fold, matches, moment, money, newest, readNumber, whole } from '../ui/text.js';
import { categories, orderStates, units, word } from '../words/vi.js';
import { nameOf } from './people.js';
import { picture, namesOf } from '../ui/picture.js';

/** @typedef {import('../app.js').Domain} Domain @typedef {import('../app.js').At} At @typedef {import('../sync/client.js').Client} Client */

/** The counter behind a stall, and the order of several goods: few phones need them at once. */
const behind = () => import('./later/stall.js'), sheet = () => import('./later/sheet.js');

/** @type {Domain} */
export const market = {
  name: 'market', title: 'Chợ quê',
  tiles: c => [
    { href: '#/cho', title: 'Chợ quê', icon: 'basket' },
    ...c.circles('stall').map((id, _, all) => ({ href: '#/gian-hang/' + id, title: all.length > 1 ? c.get('stalls', id)?.name ?? 'Gian hàng' : 'Gian hàng của tôi', icon: 'stall', duty: true,
      count: c.all('orders').filter(o => o.stall === id && o.state === 'confirmed').length })),
  ],
  screens: {
    '/cho': { title: 'Chợ quê', draw: shop },
    '/don-hang': { title: 'Đơn của tôi', draw: orders, list: '/cho' },
    '/don-hang/:id': { title: 'Đơn hàng', draw: order, list: '/don-hang' },
    '/cho/hang/:id': { title: at => at.client.get('products', at.params.id)?.name ?? 'Mặt hàng', draw: product, list: '/cho' },
    '/cho/gian/:id': { title: at => at.client.get('stalls', at.params.id)?.name ?? 'Gian hàng', draw: stall, list: '/cho' },
    '/cho/gian/:id/dat': { title: 'Đặt nhiều món', draw: at => later(sheet, m => m.sheet(at)), list: '/cho' },
    '/gian-hang/:id': { title: 'Gian hàng của tôi', draw: at => later(behind, m => m.counter(at)) },
    '/gian-hang/:id/them': { title: 'Thêm mặt hàng', draw: at => later(behind, m => m.newGoods(at)), list: '/gian-hang/:id' },
    '/gian-hang/:id/don/:order': { title: 'Đơn hàng', draw: at => order({ ...at, params: { ...at.params, id: at.params.order } }), list: '/gian-hang/:id' },
    '/gian-hang/:id/hang/:product': { title: at => at.client.get('products', at.params.product)?.name ?? 'Mặt hàng', draw: at => later(behind, m => m.goods(at)), list: '/gian-hang/:id' },
  },
};

/** @param {any} p */
export const per = p => '/' + word(units, p.unit);

/** Whether a unit is sold in parts. @param {any} p */
export const parts = p => p.unit === 'kg' || p.unit === 'lit';

/** @param {any} p */
export const left = p => (p.stock > 0 ? `còn ${whole(p.stock)} ${word(units, p.unit)}` : 'hết hàng');

/** @param {Client} c @param {any} p @param {boolean} [inStall] the reader knows whose it is */
const productRow = (c, p, inStall) => withPhoto(c, p, row('#/cho/hang/' + p.id, [p.name, p.grade ? h('small', null, ' · loại ' + p.grade) : null], [inStall ? '' : c.get('stalls', p.stall)?.name, left(p)].filter(Boolean).join(' · '), h('b.price', null, money(p.price), h('small', null, per(p)))));

/** A line of a list with the first photo before it. @param {Client} c @param {any} p @param {any} line */
export function withPhoto(c, p, line) {
  const [first] = namesOf(p.photos);
  if (first) line.prepend(picture(c, first, ''));
  return line;
}

/** What can be bought now. @param {Client} c */
export const onSale = c => c.all('products').filter(p => !p.hidden && !c.get('stalls', p.stall)?.closed);

/** @param {At} at */
function shop({ client }) {
  return h('div', null, h('div.buttons', null, live(() => go('#/don-hang', `Đơn của tôi (${buying(client).length})`), 'span')),
    search('Tìm hàng, ví dụ: vai thieu', 'cho', q => h('div', null, kinds(client), found(client, q))));
}

/** The goods that a search finds: what is there before what is sold out, then whose name begins so. @param {Client} client @param {string} q */
function found(client, q) {
  const begins = (/** @type {any} */ p) => Number(fold(p.name).startsWith(fold(q)));
  const goods = onSale(client).filter(p => (!kind || p.category === kind) && matches(q, p.name, p.description, word(categories, p.category), client.get('stalls', p.stall)?.name));
  goods.sort((a, b) => Number(b.stock > 0) - Number(a.stock > 0) || begins(b) - begins(a) || rank(a) - rank(b) || byName(a, b));
  return longList(goods, p => productRow(client, p), q ? 'Không thấy hàng này. Bà con thử từ khác.' : 'Chợ chưa có hàng trên máy.', 30);
}

/** The kind of goods that is shown; "" is all. */
let kind = '';

/** What this land is known for stands first. @param {any} p */
const rank = p => Object.keys(categories).indexOf(p.category);

/** @param {Client} client */
function kinds(client) {
  const have = new Set(onSale(client).map(p => p.category));
  return h('div.chips', { role: 'group', 'aria-label': 'Nhóm hàng' }, Object.entries({ '': 'Tất cả', ...categories }).filter(([k]) => !k || have.has(k)).map(([k, t]) => h('button.chip', {
    type: 'button', 'aria-pressed': String(k === kind), onclick: () => { kind = k; client.dispatchEvent(new Event('change')); },
  }, t)));
}

/** @param {At} at */
function stall({ client, params }) {
  return live(() => {
    const s = client.get('stalls', params.id);
    if (!s) return list([], 'Gian hàng này không còn.');
    return h('div', null, h('h2', null, s.name), s.closed ? badge('đang nghỉ bán', 'warn') : null, s.story ? h('p', null, s.story) : null,
      facts([['Nơi nhận hàng', s.pickup], ['Thôn', client.get('villages', s.village)?.name]]),
      s.closed ? null : h('div.buttons', null, go(`#/cho/gian/${s.id}/dat`, 'Đặt nhiều món một lần', 'main')),
      section('Hàng đang bán', longList(onSale(client).filter(p => p.stall === s.id).sort(byName), p => productRow(client, p, true), 'Gian chưa bày hàng.')));
  });
}

/** @param {At} at */
function product({ client, params, query }) {
  const fixes = Number(query.get('sua')) || undefined, before = fixes ? client.state.edits.get(fixes)?.edit.args : undefined;
  const p = client.get('products', params.id);
  if (!p) return list([], 'Mặt hàng này không còn bán.');
  const sum = h('p.sum');
  const f = form([
    { name: 'quantity', label: `Mua bao nhiêu (${word(units, p.unit)})`, kind: 'number', must: true, value: before?.lines?.[0]?.quantity ?? 1 },
    { name: 'note', label: 'Lời nhắn cho người bán', kind: 'long', value: before?.note },
  ], 'Đặt hàng', async v => {
    const quantity = readNumber(v.quantity), now = client.get('products', p.id) ?? p;
    if (!(quantity > 0)) throw new Error('Xin ghi số lượng, ví dụ 2 hoặc 1,5.');
    if (!parts(p) && !Number.isInteger(quantity)) throw new Error(`Hàng bán theo ${word(units, p.unit)}, xin ghi số nguyên.`);
    if (quantity > now.stock) throw new Error(`Gian hàng ${left(now)}. Xin đặt ít hơn.`);
    const id = newId();
    await client.edit({ do: 'market.order', args: { id, stall: p.stall, lines: [{ product: p.id, quantity, price: now.price }], note: v.note }, ...(fixes ? { fixes } : {}) });
    say('Đã đặt. Đơn đi khi có mạng, gian hàng sẽ trả lời.');
    location.hash = '#/don-hang/' + id;
  });
  const input = /** @type {HTMLInputElement} */ (f.elements.namedItem('quantity'));
  const total = () => { const n = readNumber(input.value); sum.textContent = n > 0 ? 'Thành tiền: ' + money(n * p.price) : ''; };
  input.addEventListener('input', total);
  stepper(input, 1).after(sum);
  total();
  const open = p.stock > 0 && !client.get('stalls', p.stall)?.closed;
  return h('div', null, live(() => {
    const now = client.get('products', p.id) ?? p, s = client.get('stalls', now.stall);
    return h('div.card', null, namesOf(now.photos).map(n => picture(client, n, now.name, true)), h('p.card-title', null, now.name), h('p.price.big', null, money(now.price), h('small', null, per(now))), now.adult ? badge('từ 18 tuổi', 'warn') : null,
      now.description ? h('p', null, now.description) : null,
      facts([['Loại', now.grade], ['Số lượng', left(now)], ['Gian hàng', s ? h('a', { href: '#/cho/gian/' + s.id }, s.name) : ''], ['Nơi nhận hàng', s?.pickup]]));
  }), open ? [f, h('div.buttons', null, act('Mua thêm món khác của gian này', () => { location.hash = `#/cho/gian/${p.stall}/dat?mon=${p.id}&so=${encodeURIComponent(input.value)}`; }, 'quiet'))] : h('p.warning', null, 'Hiện chưa bán. Bà con quay lại sau nhé.'));
}

/** Puts buttons for less and more around a number. @param {HTMLInputElement} input @param {number} least @returns {HTMLElement} */
export function stepper(input, least) {
  const holder = h('div.stepper');
  const by = (/** @type {number} */ n) => h('button.step-by', {
    type: 'button', 'aria-label': n > 0 ? 'Thêm một' : 'Bớt một',
    onclick: () => { input.value = whole(Math.max(least, (readNumber(input.value) || 0) + n)); input.dispatchEvent(new Event('input')); },
  }, n > 0 ? '+' : '−');
  input.replaceWith(holder);
  holder.append(by(-1), input, by(1));
  return holder;
}

/** Orders of this person, the ones that wait to be sent first. @param {Client} c @returns {any[]} */
function buying(c) { return allOrders(c).filter(o => o.buyer === c.me); }

/** @param {Client} c @returns {any[]} */
export function allOrders(c) {
  const known = c.all('orders'), ids = new Set(known.map(o => o.id));
  const sent = c.asked('market.order').filter(k => !ids.has(k.edit.args.id)).map(({ edit: { args, at } }) => {
    const lines = args.lines.map((/** @type {any} */ l) => ({ ...l, name: c.get('products', l.product)?.name, unit: c.get('products', l.product)?.unit }));
    return { ...args, lines, buyer: c.me, total: lines.reduce((/** @type {number} */ t, /** @type {any} */ l) => t + l.price * l.quantity, 0), placed_at: at, $waits: true };
  });
  return [...sent, ...known].sort((a, b) => Number(Boolean(b.$waits)) - Number(Boolean(a.$waits)) || newest('placed_at')(a, b));
}

/** @param {any} o */
const stateBadge = o => (o.$waits ? waits() : badge(word(orderStates, o.state), /** @type {any} */ ({ delivered: 'good', rejected: 'bad', cancelled: 'bad', packed: 'warn' })[o.state]));

/** @param {any} o */
export const what = o => (o.lines ?? []).map((/** @type {any} */ l) => `${l.name ?? 'Hàng'} ${whole(l.quantity)} ${word(units, l.unit)}`).join(', ');

/** @param {any} o @param {string} base @param {Client} c */
export const orderRow = (o, base, c) => row(`#${base}/${o.id}`, what(o), [base === '/don-hang' ? c.get('stalls', o.stall)?.name : buyer(c, o), moment(o.placed_at)].filter(Boolean).join(' · '), [h('b.price', null, money(o.total)), stateBadge(o)]);

/** @param {Client} c @param {any} o */
const buyer = (c, o) => (c.get('persons', o.buyer) || o.buyer === c.me ? nameOf(c, o.buyer) : o.code ? 'Đơn ' + o.code : 'Khách mua');

/** @param {At} at */
function orders({ client }) {
  return live(() => list(buying(client).map(o => orderRow(o, '/don-hang', client)), 'Bà con chưa đặt đơn nào.', go('#/cho', 'Ra chợ xem hàng', 'main')));
}

/** @param {At} at */
function order({ client, params }) {
  const why = h('div');
  return h('div', null, live(() => {
    const o = allOrders(client).find(x => x.id === params.id);
    if (!o) return list([], 'Đơn này không còn trên máy.');
    const pending = client.asked('market.step').find(k => k.edit.args.order === o.id), selling = client.stands('stall:' + o.stall);
    const step = (/** @type {string} */ to, /** @type {string} */ text, more = '') => act(text, () => client.edit({ do: 'market.step', args: { order: o.id, to, why: '' } }), more);
    const no = (/** @type {string} */ text) => act(text, () => why.replaceChildren(form([{ name: 'why', label: 'Vì sao', must: true, example: 'hết hàng' }], 'Hủy đơn', async v => {
      await client.edit({ do: 'market.step', args: { order: o.id, to: 'cancelled', why: v.why } });
      why.replaceChildren();
    })) ?? why.querySelector('input').focus(), 'quiet');
    const can = !o.$waits && !pending;
    return h('div', null, h('p', null, stateBadge(o), ' ', pending ? [badge('→ ' + word(orderStates, pending.edit.args.to), 'wait'), ' ', waits()] : null),
      o.why ? h('p.warning', null, o.why) : null,
      h('div.card', null, (o.lines ?? []).map((/** @type {any} */ l) => h('p.line', null, h('span', null, `${l.name ?? 'Hàng'} · ${whole(l.quantity)} ${word(units, l.unit)} × ${money(l.price)}`), h('b', null, money(l.price * l.quantity)))), h('p.line.total', null, h('span', null, 'Tổng cộng'), h('b', null, money(o.total)))),
      facts([['Gian hàng', client.get('stalls', o.stall)?.name], ['Người mua', selling && client.get('persons', o.buyer) ? nameOf(client, o.buyer) : ''], [selling ? 'Mã khách đọc khi nhận' : 'Mã đơn, ghi khi chuyển tiền', o.code], ['Đặt lúc', moment(o.placed_at)], ['Nơi nhận hàng', client.get('stalls', o.stall)?.pickup], ['Lời nhắn', o.note]]),
      o.$waits ? h('p.note', null, 'Đơn đã lưu trên máy, tự gửi khi có mạng. Hàng chưa được giữ tới khi đơn gửi đi.') : null,
      h('div.buttons', null, can && selling && o.state === 'confirmed' ? [step('packed', 'Đã gói hàng', 'main'), no('Không bán được')] : null,
        can && selling && o.state === 'packed' ? [step('delivered', 'Đã giao hàng', 'main'), no('Không giao được')] : null,
        can && !selling && o.state === 'confirmed' && o.buyer === client.me ? no('Hủy đơn') : null));
  }), why);
}
