// @ts-check
// One order of several goods of a stall, as on a paper order form: the goods
// under each other, a number beside each, the sum below.

import { newId } from '../../sync/edits.js';
import { h } from '../../ui/el.js';
import { badge, form, list, say } from '../../ui/parts.js';
import { byName, money, readNumber, whole } from '../../ui/text.js';
import { units, word } from '../../words/vi.js';
import { left, onSale, parts, per, stepper } from '../market.js';

/** @typedef {import('../../app.js').At} At */

/** @param {At} at */
export function sheet({ client, params, query }) {
  const s = client.get('stalls', params.id), fixes = Number(query.get('sua')) || undefined;
  if (!s || s.closed) return list([], s ? 'Gian hàng đang nghỉ bán. Bà con quay lại sau nhé.' : 'Gian hàng này không còn.');
  const before = fixes ? client.state.edits.get(fixes)?.edit.args : undefined;
  /** @type {Record<string, string>} */
  const asked = before ? Object.fromEntries(before.lines.map((/** @type {any} */ l) => [l.product, whole(l.quantity)])) : { [query.get('mon') ?? '']: query.get('so') ?? '' };
  const goods = onSale(client).filter(p => p.stall === s.id && p.stock > 0).sort((a, b) => Number(Boolean(asked[b.id])) - Number(Boolean(asked[a.id])) || byName(a, b));
  if (!goods.length) return list([], 'Gian này đang hết hàng.');

  /** The number that stands beside a product; throws what is wrong with it. @param {any} p */
  const wanted = p => {
    const text = inputs.get(p.id)?.value.trim() ?? '', n = text === '' ? 0 : readNumber(text), now = client.get('products', p.id) ?? p;
    if (!(n >= 0)) throw new Error(`«${text}» không phải là số. Xin ghi lại ở «${p.name}».`);
    if (!parts(p) && !Number.isInteger(n)) throw new Error(`${p.name} bán theo ${word(units, p.unit)}, xin ghi số nguyên.`);
    if (n > now.stock) throw new Error(`${p.name} ${left(now)}. Xin đặt ít hơn.`);
    return n;
  };
  /** @type {Map<string, HTMLInputElement>} */
  const inputs = new Map();
  const sum = h('p.sum', { role: 'status' });
  const count = () => {
    let n = 0, total = 0;
    for (const p of goods) { const q = readNumber(inputs.get(p.id)?.value ?? ''); if (q > 0) { n++; total += Math.round(q * p.price); } }
    sum.textContent = n ? `${n} món, thành tiền: ${money(total)}` : 'Chưa chọn món nào.';
  };
  const line = (/** @type {any} */ p) => {
    const input = h('input', { inputmode: 'decimal', autocomplete: 'off', name: 'q_' + p.id, 'aria-label': `${p.name}, mua mấy ${word(units, p.unit)}`, value: asked[p.id] || '0', oninput: count, onfocus: () => input.select() });
    inputs.set(p.id, input);
    const el = h('div.card.want', null, h('p', null, h('b', null, p.name), p.grade ? h('small', null, ' · loại ' + p.grade) : null, ' ', p.adult ? badge('từ 18 tuổi', 'warn') : null,
      h('br', null), h('span.price', null, money(p.price), h('small', null, per(p))), h('small', null, ' · ' + left(p))), input);
    stepper(input, 0);
    return el;
  };
  const f = form([{ name: 'note', label: 'Lời nhắn cho người bán', kind: 'long', value: before?.note }], 'Đặt hàng', async v => {
    const lines = goods.map(p => ({ product: p.id, quantity: wanted(p), price: (client.get('products', p.id) ?? p).price })).filter(l => l.quantity > 0);
    if (!lines.length) throw new Error('Bà con chưa chọn món nào. Bấm dấu + cạnh món cần mua.');
    const id = newId();
    await client.edit({ do: 'market.order', args: { id, stall: s.id, lines, note: v.note }, ...(fixes ? { fixes } : {}) });
    say('Đã đặt. Đơn đi khi có mạng, gian hàng sẽ trả lời.');
    location.hash = '#/don-hang/' + id;
  }, goods.map(line));
  f.querySelector('.main').before(sum);
  count();
  return h('div', null, h('h2', null, s.name), f);
}
