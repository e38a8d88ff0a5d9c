// @ts-check
// What waits for a person: its maker sees what was sent beside what stands, and
// may put it right; who may decide about the record chooses between the two.

import { h, live } from '../../ui/el.js';
import { act, badge, facts, form, list, row, say, section, sure, waits } from '../../ui/parts.js';
import { moment, readNumber } from '../../ui/text.js';
import { known, shown, titleOf } from './fields.js';
import { open } from '../settling.js';
import { actions, collections, word } from '../../words/vi.js';

/** @typedef {import('../../app.js').Domain} Domain @typedef {import('../../app.js').At} At @typedef {import('../../sync/client.js').Client} Client @typedef {import('../../sync/overlay.js').Kept} Kept @typedef {import('../../sync/overlay.js').Edit} Edit */

/** The edit inside a parked one. @param {any} p @returns {Edit} */
const editOf = p => (typeof p.edit === 'string' ? JSON.parse(p.edit) : p.edit ?? {});

/** What a record is called. @param {Client} c @param {string | undefined} coll @param {string | undefined} id */
function nameOf(c, coll, id) {
  const r = coll && id ? c.get(coll, id) : undefined;
  return r?.name ?? r?.title ?? '';
}

/** @param {Client} c @param {any} p */
const headline = (c, p) => [word(collections, p.coll), nameOf(c, p.coll, p.record)].filter(Boolean).join(': ');

/** @param {At} at */
export function all({ client }) {
  return live(() => h('div', null, h('p', null, 'Hai người ghi khác nhau vào cùng một ô. Bà con chọn giá trị đúng; không có mạng cũng chọn được.'),
    list(open(client).map(p => row('#/viec-cho/' + p.id, headline(client, p), [p.maker && 'Người gửi: ' + p.maker, moment(p.at)].filter(Boolean).join(' · '), badge('chờ quyết', 'warn'))), 'Không còn việc nào chờ quyết định.'),
    client.asked('sync.settle').map(k => h('div.step', null, 'Đã chọn, ', waits()))));
}

/**
 * Two values of a field beside each other.
 * @param {Client} c @param {string | undefined} of @param {string} field @param {string} who @param {any} mine @param {any} theirs
 */
function both(c, of, field, who, mine, theirs) {
  return h('div.both', null, h('p.both-title', null, titleOf(of, field)),
    h('div', null, h('small', null, who), h('b', null, shown(c, of, field, mine))),
    h('div', null, h('small', null, 'Đang có'), h('b', null, shown(c, of, field, theirs))));
}

/** The fields of an edit in which it says another than what stands. @param {Edit} e @param {any} met @param {any} now */
function questions(e, met, now) {
  return Object.entries(e.change ?? {}).flatMap(([field, mine]) => {
    const theirs = now ? now[field] : met?.[field]?.theirs;
    return (met && field in met) || (now && JSON.stringify(theirs ?? '') !== JSON.stringify(mine ?? '')) ? [{ field, mine, theirs, asked: Boolean(met && field in met) }] : [];
  });
}

/** @param {At} at */
export function decide({ client, params }) {
  const p = client.get('parked_edits', params.id);
  if (!p) return list([], 'Việc này đã có người quyết định.');
  const e = editOf(p), met = typeof p.theirs === 'string' ? JSON.parse(p.theirs) : p.theirs ?? {}, now = client.get(p.coll, p.record), ask = questions(e, met, now).filter(q => q.asked);
  /** @param {string} take @param {Record<string, any>} [fields] */
  const settle = async (take, fields) => {
    if (e.delete && take === 'mine' && !await sure('Xóa hẳn mục này?', 'Xóa')) return;
    await client.edit({ do: 'sync.settle', args: { phone: p.phone, n: p.n, take, ...(fields ? { fields } : {}) } });
    say('Đã chọn. Máy gửi khi có mạng, người gửi sẽ được báo.');
    location.hash = '#/viec-cho';
  };
  const other = h('div'), inputs = ask.map(q => input(p.coll, q.field, q.mine)).filter(Boolean);
  const write = () => other.replaceChildren(form(/** @type {any} */ (inputs), 'Ghi giá trị này', v => settle('value', values(p.coll, v))));
  const rest = questions(e, met, now).filter(q => !q.asked);
  return h('div', null, h('p.card-title', null, headline(client, p)),
    facts([['Người gửi', p.maker], ['Gửi tới lúc', moment(p.at)], ['Ghi trên máy lúc', moment(e.at)]]),
    e.delete ? h('p.warning', null, 'Người gửi muốn xóa mục này, nhưng có người vừa sửa nó. Giữ lại hay xóa?') : null,
    e.delete && now ? facts(Object.keys(now).filter(f => known(p.coll, f)).map(f => [titleOf(p.coll, f), shown(client, p.coll, f, now[f])])) : null,
    ask.map(q => both(client, p.coll, q.field, 'Người gửi ghi', q.mine, q.theirs)),
    rest.length ? section('Cùng gửi, không ai sửa khác', facts(rest.map(q => [titleOf(p.coll, q.field), shown(client, p.coll, q.field, q.mine)]))) : null,
    h('div.buttons', null, act(e.delete ? 'Giữ lại' : 'Giữ giá trị đang có', () => settle('theirs'), 'main'), act(e.delete ? 'Xóa' : 'Lấy của người gửi', () => settle('mine'), 'main'), inputs.length ? act('Giá trị khác', write, 'quiet') : null), other);
}

/** The input of a field, holding a value; undefined when there is none for its kind. @param {string | undefined} of @param {string} field @param {any} value */
function input(of, field, value) {
  const w = known(of, field);
  if (!w || w.kind === 'ref' || w.kind === 'moment' || w.kind === 'hidden' || (typeof value === 'object' && value !== null)) return;
  const number = w.kind === 'number' || w.kind === 'money';
  return { name: field, label: w.title, must: number, kind: number ? 'number' : w.kind ?? 'text', options: w.of, value: number ? String(value ?? '').replace('.', ',') : value };
}

/** What a form of such inputs says. @param {string | undefined} of @param {Record<string, any>} v @returns {Record<string, any>} */
function values(of, v) {
  return Object.fromEntries(Object.entries(v).map(([field, x]) => {
    const kind = known(of, field)?.kind;
    if (kind !== 'number' && kind !== 'money') return [field, x];
    const n = readNumber(x);
    if (Number.isNaN(n)) throw new Error(`Xin ghi một con số ở «${titleOf(of, field)}».`);
    return [field, n];
  }));
}

/** What can be put right in an edit: its own words, by field. @param {Edit} e */
const parts = e => ({ of: e.do ?? e.coll, has: e.do ? e.args ?? {} : { ...e.create, ...e.change, ...e.add } });

/** An edit put right in its own fields, beside what stands. @param {At} at */
export function mendForm({ client, params }) {
  const k = client.state.edits.get(Number(params.n));
  if (!k || !k.verdict || k.dismissed || k.decided) return list([], 'Việc này không còn chờ sửa.');
  const e = k.edit, { of, has } = parts(e), inputs = Object.entries(has).flatMap(([field, v]) => input(of, field, v) ?? []);
  return h('div', null, h('p.card-title', null, [word(e.do ? actions : collections, of), nameOf(client, e.coll, e.id)].filter(Boolean).join(': ')), h('p.warning', null, k.verdict.say),
    beside(client, k),
    !inputs.length ? h('p', null, 'Việc này không sửa được ở đây. Bà con ghi lại từ đầu, hoặc bỏ.') : form(/** @type {any} */ (inputs), 'Gửi lại', async v => {
      const more = values(of, v), { n: _, base: __, at: ___, after: ____, fixes: _____, ...wish } = e;
      /** @param {Record<string, any> | undefined} into */
      const over = into => into && { ...into, ...Object.fromEntries(Object.entries(more).filter(([f]) => f in into)) };
      await client.edit({ ...wish, ...(e.do ? { args: over(e.args) } : { create: over(e.create), change: over(e.change), add: over(e.add) }), fixes: e.n });
      say('Đã sửa. Máy gửi lại khi có mạng.');
      location.hash = '#/tai-khoan';
    }));
}

/** What was sent beside what stands, where the server told. @param {Client} c @param {Kept} k */
export function beside(c, k) {
  const e = k.edit, met = k.verdict?.met ?? {};
  return Object.keys(met).filter(f => f in (e.change ?? {})).map(f => both(c, e.coll, f, 'Bà con ghi', e.change?.[f], met[f].theirs));
}

/** @type {Record<string, string>} */
const next = {
  needs_person: 'Cán bộ sẽ xem và chọn, có kết quả máy báo. Bà con không phải làm gì thêm.', changed_since: 'Người phụ trách sẽ xem rồi quyết định. Bà con không phải làm gì thêm.',
  waits_for: 'Việc này tự gửi lại khi việc trước được sửa.', record_gone: 'Mục ấy không còn nữa. Bà con ghi sang mục mới, hoặc bỏ việc này.', internal: 'Xã sẽ xem lỗi này. Bà con có thể gửi lại, hoặc cứ để yên.',
  unknown_field: 'Xã chưa nhận loại này. Cứ để yên, hoặc gửi lại sau.', unknown_collection: 'Xã chưa nhận loại này. Cứ để yên, hoặc gửi lại sau.', unknown_action: 'Xã chưa nhận loại này. Cứ để yên, hoặc gửi lại sau.',
};

/** What happens next with a parked edit, in a sentence. @param {Kept} k */
export const whatNext = k => (k.verdict?.is === 'parked' ? next[k.verdict.code ?? ''] ?? '' : '');

/** The decisions about this phone's edits, newest first. @param {Client} c */
export function decisions(c) {
  const done = [...c.state.edits.values()].filter(k => k.decided && !k.dismissed).sort((a, b) => b.edit.n - a.edit.n);
  if (!done.length) return null;
  /** @type {Record<string, string>} */
  const took = { mine: 'lấy điều bà con ghi', theirs: 'giữ như đang có', value: 'ghi khác đi' };
  return section('Đã có người quyết', done.map(k => h('div.card', null, h('p.card-title', null, [word(k.edit.do ? actions : collections, k.edit.do ?? k.edit.coll), nameOf(c, k.edit.coll, k.edit.id)].filter(Boolean).join(': '), ' ', badge('đã xong', 'good')),
    h('p', null, `${k.decided?.by || 'Xã'} đã ${took[k.decided?.take ?? ''] ?? 'xem'}.`), k.decided?.say ? h('p', null, k.decided.say) : null, h('p.note', null, moment(k.decided?.at)))));
}
