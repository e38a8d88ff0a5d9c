// @ts-check
// The one-stop desk: what waits, the most pressing first, and the next step of
// what is open. Loaded when an officer opens it.

import { h, live, redrawOne } from '../../ui/el.js';
import { form, longList, say, search, section, waits } from '../../ui/parts.js';
import { fold, matches, whole } from '../../ui/text.js';
import { dossierStatus, word } from '../../words/vi.js';
import { cameFrom, dossierRow, dossiers, movable, procedureName, promised } from '../publicservice.js';
import { nameOf } from '../people.js';

/** @typedef {import('../../app.js').At} At @typedef {import('../../sync/client.js').Client} Client */

/** The steps an officer may take from a status; 7 goes back to where it came from, or stops. @type {Record<number, number[]>} */
const next = { 1: [2, 5, 3], 2: [4], 4: [9, 5, 6, 8], 6: [4], 7: [8], 9: [10] };

/** What an officer presses to bring a dossier to a status. @type {Record<number, string>} */
const verbs = { 1: 'Trả về: chờ tiếp nhận', 2: 'Tiếp nhận', 3: 'Không tiếp nhận', 4: 'Bắt đầu xử lý', 5: 'Yêu cầu bổ sung', 6: 'Yêu cầu nộp lệ phí', 8: 'Dừng xử lý', 9: 'Đã có kết quả', 10: 'Đã trả kết quả' };

/** The officer's form; it is drawn again when the dossier moves, not while somebody writes. @param {At} at */
export function officer({ client, params }) {
  const box = h('div');
  let drawn = '';
  const draw = () => {
    const d = movable(client, params.id), to = d ? [...next[d.status] ?? [], ...(d.status === 7 ? [cameFrom(client, d)].filter(Boolean) : []), ...(d.status === 5 && d.channel === 'counter' ? [cameFrom(client, d)].filter(Boolean) : [])] : [];
    if (drawn === String(to)) return null;
    drawn = String(to);
    box.replaceChildren(to.length ? section('Bước tiếp theo', stepForm(client, d, to)) : '');
    return null;
  };
  return h('div', null, box, live(draw));
}

/** @param {Client} client @param {any} d @param {number[]} to */
function stepForm(client, d, to) {
  const accepting = to.includes(2);
  return form([
    { name: 'to', label: 'Việc', kind: 'choice', options: to.map(t => /** @type {[string, string]} */ ([String(t), verbs[t] ?? word(dossierStatus, t)])), must: true },
    { name: 'say', label: 'Lời cho người dân', kind: 'long', hint: 'Nói rõ cần gì, đến đâu, bao giờ. Phải ghi khi yêu cầu bổ sung, nộp lệ phí, không tiếp nhận hoặc dừng.' },
    ...(accepting ? [{ name: 'due', label: 'Hẹn trả ngày', kind: /** @type {'date'} */ ('date') }] : []),
  ], 'Ghi bước này', async v => {
    const t = Number(v.to);
    if ([3, 5, 6].includes(t) || (t === 8 && d.status === 4)) if (!v.say) throw new Error('Xin ghi lời cho người dân: cần bổ sung gì, hoặc vì sao.');
    await client.edit({ do: 'publicservice.step', args: { dossier: d.id, to: t, say: v.say, ...(t === 2 && v.due ? { due: v.due } : {}) } });
    say('Đã ghi bước.');
  });
}

/** @param {At} at */
export function queue({ client }) {
  let shown = '1';
  const groups = { 1: 'Mới nộp', 2: 'Đã nhận', 4: 'Đang xử lý', 5: 'Chờ dân', 7: 'Xin rút', 9: 'Chờ trả', x: 'Đã xong' };
  const group = (/** @type {any} */ d) => ({ 0: '1', 1: '1', 2: '2', 4: '4', 5: '5', 6: '5', 7: '7', 9: '9' })[/** @type {number} */ (d.status)] ?? 'x';
  return search('Tìm mã hồ sơ, tên người, thủ tục', 'mot-cua', q => {
    const all = dossiers(client);
    if (fold(q)) return longList(all.filter(d => matches(q, d.code, nameOf(client, d.person), procedureName(client, d.procedure))), d => dossierRow(client, d, '/mot-cua'), 'Không tìm thấy hồ sơ nào.');
    /** @type {Map<string, number>} */
    const sizes = new Map();
    for (const d of all) sizes.set(group(d), (sizes.get(group(d)) ?? 0) + 1);
    const box = live(() => [h('div.chips', { role: 'group', 'aria-label': 'Hồ sơ ở bước nào' }, Object.entries(groups).map(([k, t]) => h('button.chip', { type: 'button', 'aria-pressed': String(k === shown), onclick: () => { shown = k; redrawOne(box); } }, `${t} (${whole(sizes.get(k) ?? 0)})`))),
        longList(all.filter(d => group(d) === shown).sort((a, b) => String(a.due || a.submitted_at).localeCompare(String(b.due || b.submitted_at))), d => dossierRow(client, d, '/mot-cua', d.$waits ? waits() : promised(d)), 'Không có hồ sơ nào ở bước này.')]);
    return box;
  });
}
