// @ts-check
// Behind the counter of a stall: what has to be packed, what has to be handed
// over, the goods and their stock. Loaded when a seller opens it.

import { newId } from '../../sync/edits.js';
import { h, live, redrawOne } from '../../ui/el.js';
import { act, badge, form, go, list, longList, row, say, section, waits } from '../../ui/parts.js';
import { pictures, namesOf } from '../../ui/picture.js';
import { byName, money, newest, readNumber, whole } from '../../ui/text.js';
import { categories, units, word } from '../../words/vi.js';
import { allOrders, left, orderRow, per, withPhoto } from '../market.js';

/** @typedef {import('../../app.js').At} At @typedef {import('../../sync/client.js').Client} Client */

/** Which part of the counter is open, by stall. @type {Map<string, string>} */
const part = new Map();

/** The seller's counter: one part at a time, the oldest order first. @param {At} at */
export function counter({ client, params }) {
  const el = live(() => {
    const of = (/** @type {string[]} */ ...states) => allOrders(client).filter(o => o.stall === params.id && states.includes(o.state)).sort((a, b) => newest('placed_at')(b, a));
    const pack = of('confirmed'), give = of('packed'), mine = client.all('products').filter(p => p.stall === params.id).sort(byName);
    const order = (/** @type {any} */ o) => orderRow(o, `/gian-hang/${params.id}/don`, client);
    /** @type {Record<string, [string, () => any]>} */
    const parts = {
      goi: [`Cần gói (${pack.length})`, () => [toPack(pack), longList(pack, order, 'Chưa có đơn mới.', 15)]],
      giao: [`Chờ giao (${give.length})`, () => longList(give, order, 'Không có đơn nào chờ giao.', 15)],
      hang: [`Hàng của tôi (${mine.length})`, () => [h('div.buttons', null, go(`#/gian-hang/${params.id}/them`, 'Thêm mặt hàng', 'main')), list(mine.map(p => goodsRow(client, params.id, p)), 'Gian chưa có mặt hàng.')]],
      xong: ['Đã xong', () => longList(of('delivered', 'cancelled', 'rejected').reverse(), order, 'Chưa có đơn nào xong.', 15)],
    };
    const shown = part.get(params.id) ?? (pack.length || !give.length ? 'goi' : 'giao');
    return h('div', null, h('h2', null, client.get('stalls', params.id)?.name ?? 'Gian hàng'),
      h('div.chips', { role: 'group', 'aria-label': 'Xem phần nào' }, Object.entries(parts).map(([k, [words]]) => h('button.chip', {
        type: 'button', 'aria-pressed': String(k === shown), onclick: () => { part.set(params.id, k); redrawOne(el); },
      }, words))), parts[shown][1]());
  });
  return el;
}

/** What all orders together need, so that the goods are fetched once. @param {any[]} orders */
function toPack(orders) {
  /** @type {Map<string, {name: string, unit: string, n: number}>} */
  const all = new Map();
  for (const l of orders.flatMap(o => o.lines ?? [])) {
    const had = all.get(l.product) ?? { name: l.name, unit: l.unit, n: 0 };
    all.set(l.product, { ...had, n: had.n + l.quantity });
  }
  if (orders.length < 2) return null;
  return h('div.card', null, h('p.card-title', null, 'Lấy ra một lượt'), [...all.values()].sort(byName).map(l => h('p.line', null, h('span', null, l.name), h('b', null, `${whole(l.n)} ${word(units, l.unit)}`))));
}

/** @param {Client} client @param {string} stall @param {any} p */
const goodsRow = (client, stall, p) => withPhoto(client, p, row(`#/gian-hang/${stall}/hang/${p.id}`, p.name, left(p), [h('b.price', null, money(p.price)), p.hidden ? badge('đang ẩn') : null, p.$waits ? waits() : null]));

/** One product behind the counter: stock, price, a sale at the roadside. @param {At} at */
export function goods({ client, params }) {
  const p = client.get('products', params.product);
  if (!p) return list([], 'Mặt hàng này không còn.');
  const unit = word(units, p.unit);
  /** @param {string} text @param {boolean} [nothing] 0 is good as well */
  const number = (text, nothing) => { const n = readNumber(text); if (!(nothing ? n >= 0 : n > 0)) throw new Error('Xin ghi một con số.'); return n; };
  const sale = form([
    { name: 'quantity', label: `Bán mấy ${unit}`, kind: 'number', must: true, value: 1 },
    { name: 'amount', label: 'Thu bao nhiêu tiền (đ)', kind: 'number', must: true, value: whole(p.price) },
    { name: 'tender', label: 'Trả bằng', kind: 'choice', options: { cash: 'Tiền mặt', bank: 'Chuyển khoản' }, must: true },
  ], 'Ghi bán', async v => {
    await client.edit({ do: 'market.sale', args: { id: newId(), stall: params.id, product: p.id, quantity: number(v.quantity), amount: Math.round(number(v.amount, true)), tender: v.tender, at: new Date().toISOString() } });
    say('Đã ghi bán.');
    location.hash = '#/gian-hang/' + params.id;
  });
  const quantity = /** @type {any} */ (sale.elements).quantity, amount = /** @type {any} */ (sale.elements).amount;
  quantity.addEventListener('input', () => { const n = readNumber(quantity.value); if (n > 0) amount.value = whole(Math.round(n * p.price)); });
  const change = (/** @type {number} */ sign) => async (/** @type {any} */ v) => {
    await client.edit({ coll: 'products', id: p.id, add: { stock: sign * number(v.by) } });
    say('Đã ghi kho.');
  };
  return h('div', null,
    live(() => { const now = client.get('products', p.id) ?? p; return h('div.card', null, h('p.card-title', null, now.name, ' ', now.$waits ? waits() : null), h('p.price.big', null, money(now.price), h('small', null, per(now))), h('p', null, left(now))); }),
    section('Bán tại chỗ', sale),
    section('Ảnh', live(() => pictures(client, namesOf((client.get('products', p.id) ?? p).photos), 6, names => client.edit({ coll: 'products', id: p.id, change: { photos: names.join(' ') } })))),
    less('Thêm hàng vào kho', form([{ name: 'by', label: `Thêm mấy ${unit}`, kind: 'number', must: true, value: '' }], 'Thêm', change(1))),
    less('Bớt hàng: hỏng, biếu', form([{ name: 'by', label: `Bớt mấy ${unit}`, kind: 'number', must: true, value: '' }], 'Bớt', change(-1))),
    less('Đổi giá, tạm ẩn', form([{ name: 'price', label: `Giá một ${unit} (đ)`, kind: 'number', must: true, value: whole(p.price) }, { name: 'hidden', label: 'Tạm ẩn, không bán', kind: 'check', value: p.hidden }], 'Lưu', async v => {
      /** @type {Record<string, any>} */
      const c = {}, price = Math.round(number(v.price));
      if (price !== p.price) c.price = price;
      if (Boolean(v.hidden) !== Boolean(p.hidden)) c.hidden = v.hidden;
      if (!Object.keys(c).length) return say('Không có gì thay đổi.', '');
      await client.edit({ coll: 'products', id: p.id, change: c });
      say('Đã lưu.');
      location.hash = '#/gian-hang/' + params.id;
    })));
}

/** What is done less often stays folded: one main thing on a page. @param {string} title @param {any} inside */
const less = (title, inside) => h('details.card', null, h('summary', null, title), inside);

/** A new product on the counter. @param {At} at */
export function newGoods({ client, params, query }) {
  const fixes = Number(query.get('sua')) || undefined, before = (fixes && client.state.edits.get(fixes)?.edit.create) || {};
  return form([
    { name: 'name', label: 'Tên hàng', must: true, value: before.name, example: 'Vải thiều' },
    { name: 'category', label: 'Nhóm hàng', kind: 'choice', options: categories, must: true, value: before.category ?? 'vai' },
    { name: 'unit', label: 'Bán theo', kind: 'choice', options: units, must: true, value: before.unit ?? 'kg' },
    { name: 'price', label: 'Giá mỗi kg, hộp, chai… (đ)', kind: 'number', must: true, value: before.price ? whole(before.price) : '' },
    { name: 'stock', label: 'Đang có bao nhiêu', kind: 'number', must: true, value: before.stock ?? '' },
    { name: 'grade', label: 'Loại', value: before.grade, example: '1 hoặc VIP' },
    { name: 'description', label: 'Mô tả', kind: 'long', value: before.description },
  ], 'Bày bán', async v => {
    const price = readNumber(v.price), stock = readNumber(v.stock);
    if (!(price > 0) || !(stock >= 0)) throw new Error('Giá và số đang có xin ghi bằng số, ví dụ 45.000 và 20.');
    await client.edit({ coll: 'products', id: newId(), create: { ...v, stall: params.id, price: Math.round(price), stock, adult: v.category === 'ruou' }, ...(fixes ? { fixes } : {}) });
    say('Đã bày hàng. Khách thấy khi máy này có mạng.');
    location.hash = '#/gian-hang/' + params.id;
  });
}
