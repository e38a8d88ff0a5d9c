// @ts-check
// What the fields of records are called and how their values are written, for
// screens that show an edit field by field.

import { day, moment, money, whole } from '../../ui/text.js';
import { categories, guardianKinds, sources, units, word } from '../../words/vi.js';

/** @typedef {{title: string, kind?: 'long' | 'number' | 'money' | 'date' | 'moment' | 'check' | 'choice' | 'ref' | 'hidden', of?: any}} FieldWords */

/** @type {Record<string, Record<string, string | FieldWords>>} */
const fields = {
  persons: {
    name: 'Họ và tên', born: { title: 'Ngày sinh', kind: 'date' }, sex: { title: 'Giới tính', kind: 'choice', of: { nam: 'nam', nữ: 'nữ' } }, phone_number: 'Số điện thoại',
    household: { title: 'Hộ', kind: 'ref', of: 'households' }, identity_level: { title: 'Mức định danh', kind: 'number' }, why: { title: 'Vì sao sửa', kind: 'long' },
    status: { title: 'Tình trạng', kind: 'choice', of: { active: 'đang ở xã', moved: 'đã chuyển đi', dead: 'đã mất' } },
  },
  households: { name: 'Tên hộ', village: { title: 'Thôn', kind: 'ref', of: 'villages' }, address: 'Địa chỉ' },
  guardians: { person: { title: 'Người được chăm sóc', kind: 'ref', of: 'persons' }, guardian: { title: 'Người chăm sóc', kind: 'ref', of: 'persons' }, kind: { title: 'Vì sao', kind: 'choice', of: guardianKinds }, from: { title: 'Từ ngày', kind: 'date' }, to: { title: 'Đến hết ngày', kind: 'date' } },
  products: {
    name: 'Tên hàng', description: { title: 'Mô tả', kind: 'long' }, category: { title: 'Nhóm hàng', kind: 'choice', of: categories }, grade: 'Hạng', unit: { title: 'Bán theo', kind: 'choice', of: units },
    price: { title: 'Giá', kind: 'money' }, stock: { title: 'Số đang có', kind: 'number' }, hidden: { title: 'Tạm ẩn', kind: 'check' }, adult: { title: 'Chỉ bán cho người từ 18 tuổi', kind: 'check' }, stall: { title: 'Gian hàng', kind: 'ref', of: 'stalls' },
  },
  stalls: { name: 'Tên gian hàng', story: { title: 'Giới thiệu', kind: 'long' }, pickup: 'Nơi nhận hàng', closed: { title: 'Nghỉ bán', kind: 'check' }, village: { title: 'Thôn', kind: 'ref', of: 'villages' } },
  drafts: { note: { title: 'Lời nhắn', kind: 'long' }, procedure: { title: 'Thủ tục', kind: 'ref', of: 'procedures' }, person: { title: 'Của ai', kind: 'ref', of: 'persons' } },
  announcements: { title: 'Tiêu đề', body: { title: 'Nội dung', kind: 'long' }, village: { title: 'Thôn', kind: 'ref', of: 'villages' }, urgent: { title: 'Khẩn', kind: 'check' }, from: { title: 'Từ ngày', kind: 'date' }, to: { title: 'Đến hết ngày', kind: 'date' } },
  broadcasts: { title: 'Tiêu đề', body: { title: 'Nội dung', kind: 'long' }, village: { title: 'Thôn', kind: 'ref', of: 'villages' } },
  health_entries: { occurred_on: { title: 'Ngày', kind: 'date' }, text: { title: 'Ghi chép', kind: 'long' }, reason: 'Vì sao', source: { title: 'Nguồn', kind: 'choice', of: sources }, person: { title: 'Của ai', kind: 'ref', of: 'persons' } },
  errands: { done_at: { title: 'Ghé lúc', kind: 'moment' }, note: { title: 'Ghi chú', kind: 'long' } },
  'market.order': { note: { title: 'Lời nhắn', kind: 'long' } },
  'market.step': { why: 'Vì sao' },
  'market.sale': { quantity: { title: 'Bán mấy', kind: 'number' }, amount: { title: 'Thu bao nhiêu tiền (đ)', kind: 'number' } },
  'people.grant': { number: 'Số điện thoại người thân', to: { title: 'Đến hết ngày', kind: 'date' } },
  'publicservice.step': { say: { title: 'Lời dặn', kind: 'long' }, due: { title: 'Hẹn ngày', kind: 'date' } },
};

/** What is known of a field; undefined when it has no words yet. @param {string | undefined} of a collection or action @param {string} field @returns {FieldWords | undefined} */
export function known(of, field) {
  const w = fields[of ?? '']?.[field];
  return typeof w === 'string' ? { title: w } : w;
}

/** What a field is called. @param {string | undefined} of @param {string} field */
export const titleOf = (of, field) => known(of, field)?.title ?? 'Ô «' + field + '»';

/**
 * A field's value as a person reads it; nothing is said aloud.
 * @param {{get: (coll: string, id: string) => any}} client @param {string | undefined} of @param {string} field @param {any} v @returns {string}
 */
export function shown(client, of, field, v) {
  const w = known(of, field);
  if (w?.kind === 'check') return v ? 'có' : 'không';
  if (v === undefined || v === null || v === '') return '(để trống)';
  switch (w?.kind) {
    case 'number': return whole(v);
    case 'money': return money(v);
    case 'date': return day(v);
    case 'moment': return moment(v);
    case 'choice': return word(w.of, v);
    case 'ref': return client.get(w.of, v)?.name ?? 'mục khác';
  }
  if (Array.isArray(v)) return v.length ? v.map(x => shown(client, of, field, x)).join(', ') : '(để trống)';
  if (typeof v === 'object') return Object.values(v).map(x => (typeof x === 'object' ? '…' : String(x))).join(' · ') || '(để trống)';
  return typeof v === 'number' ? whole(v) : String(v);
}
