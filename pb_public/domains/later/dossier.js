// @ts-check
// Writing a dossier: a new one, a draft, one that was refused, and the answer to
// a request for papers. A paper may be a photo. Loaded when somebody writes.

import { newId } from '../../sync/edits.js';
import { h } from '../../ui/el.js';
import { act, facts, form, list, say, sure } from '../../ui/parts.js';
import { album, namesOf, pictures } from '../../ui/picture.js';
import { cameFrom, components, onestop } from '../publicservice.js';
import { caredFor, nameOf } from '../people.js';

/** @typedef {import('../../app.js').At} At @typedef {import('../../sync/client.js').Client} Client */

/** Most photos of papers; the server takes no more. */
const most = 20;

/** The photos of papers in a form. @param {Client} client @param {() => string[]} get @param {(names: string[]) => void} set */
function papers(client, get, set) {
  const box = h('div');
  const draw = () => box.replaceChildren(pictures(client, get(), most, names => { set(names); draw(); }, 'Chụp ảnh giấy tờ'));
  draw();
  return h('div.field', { role: 'group', 'aria-label': 'Ảnh giấy tờ' }, h('p', null, h('b', null, 'Ảnh giấy tờ'), h('span.optional', null, ' (không bắt buộc)')), box, h('p.hint', null, 'Chụp đủ bốn góc, đọc rõ chữ. Không có mạng cũng chụp được.'));
}

/** What is counted or numbered fits on one line. @param {{name: string}} k @returns {'text' | 'long'} */
const kindOf = k => (k.name.startsWith('Số ') ? 'text' : 'long');

/** The form of a new dossier, of a draft, or of a submission that was refused. @param {At} at */
export function write({ client, params, query }) {
  const fixes = Number(query.get('sua')) || undefined, refused = fixes ? client.state.edits.get(fixes)?.edit.args : undefined;
  const draft = params.draft ? client.get('drafts', params.draft) : undefined;
  if (params.draft && !draft) return list([], 'Bản nháp này không còn.');
  const old = refused ?? draft ?? {}, procedure = client.get('procedures', params.procedure ?? old.procedure);
  if (!procedure) return list([], 'Thủ tục này không còn trên máy.');
  const person = old.person ?? query.get('cho') ?? client.me;
  const people = onestop(client) || !caredFor(client).some(p => p.id === person) ? [{ id: person, why: '' }] : caredFor(client);
  const needed = components(procedure);
  let scans = namesOf(old.scans);
  /** @param {Record<string, any>} v */
  const read = v => ({ person: v.person, procedure: procedure.id, content: Object.fromEntries(needed.map(k => [k.key, v['c_' + k.key]]).filter(([, t]) => t)), note: v.note, ...(scans.length || old.scans ? { scans: scans.join(' ') } : {}) });

  /** @param {Record<string, any>} v */
  const keep = async v => {
    const w = read(v);
    if (draft) await client.edit({ coll: 'drafts', id: draft.id, change: { content: w.content, note: w.note, ...('scans' in w ? { scans: w.scans } : {}) } });
    else await client.edit({ coll: 'drafts', id: newId(), create: { ...w, person: client.me } }); // a draft is its writer's own
    say('Đã cất bản nháp.');
    location.hash = '#/ho-so';
  };
  /** @param {Record<string, any>} v */
  const submit = async v => {
    const w = read(v), id = newId();
    await client.edit({ do: 'publicservice.submit', args: { id, ...(draft ? { draft: draft.id } : {}), ...w }, ...(draft ? { after: made(client, draft.id) } : {}), ...(fixes ? { fixes } : {}) });
    say('Đã nộp. Hồ sơ đi khi có mạng.');
    location.hash = (onestop(client) && person !== client.me ? '#/mot-cua/' : '#/ho-so/') + id;
  };
  const f = form([
    { name: 'person', label: 'Nộp cho ai', kind: 'choice', options: people.map(p => /** @type {[string, string]} */ ([p.id, nameOf(client, p.id)])), value: person, must: true },
    ...needed.map(k => ({ name: 'c_' + k.key, label: k.name, kind: kindOf(k), value: old.content?.[k.key], must: k.required })),
    { name: 'note', label: 'Lời nhắn cho cán bộ', kind: 'long', value: old.note },
  ], 'Nộp hồ sơ', submit);
  f.querySelector('.main').before(papers(client, () => scans, names => { scans = names; }));
  const save = act('Cất nháp', () => keep(Object.fromEntries(new FormData(f))), 'quiet');
  return h('div', null, h('h2', null, procedure.name), procedure.verified || !onestop(client) ? null : h('p.warning', null, 'Thủ tục này chưa kiểm chứng với quyết định công bố.'),
    facts([[procedure.verified ? 'Thời hạn' : 'Thời hạn dự kiến', procedure.limit], [procedure.verified ? 'Lệ phí' : 'Lệ phí dự kiến', procedure.fee]]),
    needed.length ? h('p.note', null, 'Giấy nào đã có thì ghi số, nơi cấp, hoặc chụp ảnh ở cuối trang. Giấy nào sẽ đem tới thì ghi «mang bản giấy».') : null, f,
    h('div.buttons', null, fixes ? null : save, draft ? act('Bỏ bản nháp', async () => {
      if (!await sure('Bỏ hẳn bản nháp này?', 'Bỏ')) return;
      await client.edit({ coll: 'drafts', id: draft.id, delete: true });
      location.hash = '#/ho-so';
    }, 'quiet') : null));
}

/** The waiting edits of a draft: the submission makes no sense without them. @param {Client} c @param {string} id */
const made = (c, id) => c.waiting.filter(k => k.edit.coll === 'drafts' && k.edit.id === id).map(k => k.edit.n);

/** The applicant's answer to a request for papers. @param {At} at */
export function answer({ client, params }) {
  const d = client.get('dossiers', params.id), back = d ? cameFrom(client, d) : 0;
  if (!d || d.status !== 5 || !back) return list([], 'Hồ sơ này không chờ bổ sung.');
  const asked = components(client.get('procedures', d.procedure));
  /** @type {string[]} */
  let scans = [];
  const f = form([
    ...asked.map(k => ({ name: 'c_' + k.key, label: k.name, kind: kindOf(k), value: d.content?.[k.key] })),
    { name: 'say', label: 'Lời nhắn cho cán bộ', kind: 'long' },
  ], 'Gửi bổ sung', async v => {
    const content = Object.fromEntries(asked.map(k => [k.key, v['c_' + k.key]]).filter(([k, t]) => t && t !== d.content?.[k]));
    await client.edit({ do: 'publicservice.step', args: { dossier: d.id, to: back, say: v.say, content, ...(scans.length ? { scans: scans.join(' ') } : {}) } });
    say('Đã ghi. Gửi đi khi có mạng.');
    location.hash = '#/ho-so/' + d.id;
  });
  f.querySelector('.main').before(papers(client, () => scans, names => { scans = names; }));
  return h('div', null, d.say ? h('p.warning', null, h('b', null, 'Cán bộ nhắn: '), d.say) : null, album(client, d.scans, 'Giấy tờ đã chụp'), f);
}
