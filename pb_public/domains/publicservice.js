// @ts-check
// One-stop shop (một cửa): procedures, drafts and dossiers. A draft is the
// person's own; submitting is an action that the server decides, and until it
// has, the dossier is shown as waiting.

import { newId } from '../sync/edits.js';
import { verify } from '../sync/keys.js';
import { h, live } from '../ui/el.js';
import { act, badge, facts, form, go, list, longList, row, say, search, section, sure, waits } from '../ui/parts.js';
import { day, fold, matches, moment, newest } from '../ui/text.js';
import { dossierStatus, word } from '../words/vi.js';
import { caredFor, nameOf } from './people.js';

/** @typedef {import('../app.js').Domain} Domain @typedef {import('../app.js').At} At @typedef {import('../sync/client.js').Client} Client */

/** @type {Domain} */
export const publicservice = {
  name: 'publicservice', title: 'Hồ sơ',
  tiles: c => [
    { href: '#/ho-so', title: 'Hồ sơ của tôi', icon: 'file' },
    ...(onestop(c) ? [{ href: '#/mot-cua', title: 'Bàn một cửa', icon: 'desk', duty: true, count: c.all('dossiers').filter(d => d.status === 1).length },
      { href: '#/nguoi-dan', title: 'Tìm người dân', icon: 'search', duty: true }] : []),
  ],
  screens: {
    '/ho-so': { title: 'Hồ sơ của tôi', draw: mine },
    '/ho-so/moi': { title: 'Chọn thủ tục', draw: procedures, list: '/ho-so' },
    '/ho-so/moi/:procedure': { title: 'Viết hồ sơ', draw: write, list: '/ho-so' },
    '/ho-so/nhap/:draft': { title: 'Hồ sơ nháp', draw: write, list: '/ho-so' },
    '/ho-so/:id': { title: 'Hồ sơ', draw: at => h('div', null, dossier(at), live(() => applicant(at.client, at.params.id))), list: '/ho-so' },
    '/ho-so/:id/bo-sung': { title: 'Bổ sung giấy tờ', draw: answer, list: '/ho-so' },
    '/mot-cua': { title: 'Bàn một cửa', draw: queue },
    '/mot-cua/:id': { title: 'Xử lý hồ sơ', draw: at => h('div', null, dossier(at), officer(at)), list: '/mot-cua' },
  },
};

/** @param {Client} c */
const onestop = c => c.stands('duty:onestop');

/** @param {Client} c @param {string} id */
const procedureName = (c, id) => c.get('procedures', id)?.name ?? 'Thủ tục';

/** The dossiers on the phone, the ones that wait to be sent first among them. @param {Client} c @returns {any[]} */
function dossiers(c) {
  const known = c.all('dossiers'), ids = new Set(known.map(d => d.id));
  const sent = c.asked('publicservice.submit').filter(k => !ids.has(k.edit.args.id))
    .map(({ edit: { args, at } }) => ({ id: args.id, person: args.person, procedure: args.procedure, content: args.content, note: args.note, status: 0, submitted_at: at, $waits: true }));
  return [...sent, ...known].sort((a, b) => Number(Boolean(b.$waits)) - Number(Boolean(a.$waits)) || newest('submitted_at')(a, b));
}

/** @param {any} d */
function status(d) {
  if (d.$waits) return waits();
  return badge(word(dossierStatus, d.status), [5, 6].includes(d.status) ? 'warn' : [3, 7, 8].includes(d.status) ? 'bad' : [9, 10].includes(d.status) ? 'good' : '');
}

/** @param {Client} c @param {any} d @param {string} base */
const dossierRow = (c, d, base) => row(`#${base}/${d.id}`, procedureName(c, d.procedure), [base === '/mot-cua' || d.person !== c.me ? nameOf(c, d.person) : '', d.code, d.submitted_at ? 'nộp ' + moment(d.submitted_at) : ''].filter(Boolean).join(' · '), status(d));

/** @param {At} at */
function mine({ client }) {
  return live(() => {
    const own = new Set(caredFor(client).map(p => p.id));
    const drafts = client.all('drafts').filter(d => own.has(d.person)), sent = dossiers(client).filter(d => own.has(d.person));
    return h('div', null, h('div.buttons', null, go('#/ho-so/moi', 'Nộp hồ sơ mới', 'main')),
      drafts.length ? section('Đang viết dở', h('div.list', null, drafts.map(d => row('#/ho-so/nhap/' + d.id, procedureName(client, d.procedure), d.note, d.$waits ? waits() : badge('nháp'))))) : null,
      section('Đã nộp', list(sent.map(d => dossierRow(client, d, '/ho-so')), 'Bà con chưa nộp hồ sơ nào.')));
  });
}

/** @param {At} at */
function procedures({ client, query }) {
  const on = query.get('cho');
  return h('div', null, on ? h('p.note', null, 'Nộp hộ ', h('b', null, nameOf(client, on))) : null, search('Tìm thủ tục, ví dụ: khai sinh', 'thu-tuc', q => {
    const found = client.all('procedures').filter(p => p.active && matches(q, p.name, p.code, p.field));
    found.sort((a, b) => fold(a.name).localeCompare(fold(b.name)));
    return longList(found, p => row(`#/ho-so/moi/${p.id}${on ? '?cho=' + on : ''}`, p.name, [p.field, p.limit].filter(Boolean).join(' · '), p.verified ? null : badge('chưa kiểm chứng', 'warn')), q ? 'Không thấy thủ tục này. Bà con thử từ khác.' : 'Chưa có danh sách thủ tục trên máy.');
  }));
}

/** Papers and fields that a procedure asks for. @param {any} p @returns {{key: string, name: string, required?: boolean}[]} */
const components = p => (Array.isArray(p?.components) ? p.components.filter((/** @type {any} */ k) => k?.key && k.name) : []);

/** The form of a new dossier, of a draft, or of a submission that was refused. @param {At} at */
function write({ client, params, query }) {
  const fixes = Number(query.get('sua')) || undefined, refused = fixes ? client.state.edits.get(fixes)?.edit.args : undefined;
  const draft = params.draft ? client.get('drafts', params.draft) : undefined;
  if (params.draft && !draft) return list([], 'Bản nháp này không còn.');
  const old = refused ?? draft ?? {}, procedure = client.get('procedures', params.procedure ?? old.procedure);
  if (!procedure) return list([], 'Thủ tục này không còn trên máy.');
  const person = old.person ?? query.get('cho') ?? client.me;
  const people = onestop(client) || !caredFor(client).some(p => p.id === person) ? [{ id: person, why: '' }] : caredFor(client);
  const needed = components(procedure);
  /** @param {Record<string, any>} v */
  const read = v => ({ person: v.person, procedure: procedure.id, content: Object.fromEntries(needed.map(k => [k.key, v['c_' + k.key]]).filter(([, t]) => t)), note: v.note });

  /** @param {Record<string, any>} v */
  const keep = async v => {
    const w = read(v);
    if (draft) await client.edit({ coll: 'drafts', id: draft.id, change: { content: w.content, note: w.note } });
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
    { name: 'person', label: 'Nộp cho ai', kind: 'choice', options: people.map(p => [p.id, nameOf(client, p.id)]), value: person, must: true },
    ...needed.map(k => ({ name: 'c_' + k.key, label: k.name, kind: /** @type {'long'} */ ('long'), value: old.content?.[k.key], must: k.required, hint: k.required ? 'Ghi nội dung, hoặc ghi «mang bản giấy».' : '' })),
    { name: 'note', label: 'Lời nhắn cho cán bộ', kind: 'long', value: old.note },
  ], 'Nộp hồ sơ', submit);
  const save = act('Cất nháp', () => keep(Object.fromEntries(new FormData(f))), 'quiet');
  return h('div', null, h('h2', null, procedure.name), procedure.verified ? null : h('p.warning', null, 'Thủ tục này chưa kiểm chứng với quyết định công bố.'),
    facts([['Thời hạn', procedure.limit], ['Lệ phí', procedure.fee]]), f,
    h('div.buttons', null, fixes ? null : save, draft ? act('Bỏ bản nháp', async () => {
      if (!await sure('Bỏ hẳn bản nháp này?', 'Bỏ')) return;
      await client.edit({ coll: 'drafts', id: draft.id, delete: true });
      location.hash = '#/ho-so';
    }, 'quiet') : null));
}

/** The waiting edits of a draft: the submission makes no sense without them. @param {Client} c @param {string} id */
const made = (c, id) => c.waiting.filter(k => k.edit.coll === 'drafts' && k.edit.id === id).map(k => k.edit.n);

/** @param {At} at */
function dossier({ client, params }) {
  return live(() => {
    const d = dossiers(client).find(x => x.id === params.id);
    if (!d) return list([], 'Hồ sơ này không còn trên máy.');
    const procedure = client.get('procedures', d.procedure);
    const names = new Map(components(procedure).map(k => [k.key, k.name]));
    const events = client.all('dossier_events').filter(e => e.dossier === d.id).sort((a, b) => newest('at')(a, b) || b.to - a.to);
    return h('div', null, h('h2', null, procedure?.name ?? 'Hồ sơ'), h('p', null, status(d)),
      d.say ? h('p.warning', null, h('b', null, 'Cán bộ nhắn: '), d.say) : null,
      facts([['Mã hồ sơ', d.code], ['Người nộp', nameOf(client, d.person)], ['Nộp lúc', moment(d.submitted_at)], ['Hẹn trả', d.due ? day(d.due) : ''],
        ...Object.entries(d.content ?? {}).map(([k, v]) => /** @type {[string, any]} */ ([names.get(k) ?? k, String(v)])), ['Lời nhắn', d.note]]),
      d.$waits ? h('p.note', null, 'Hồ sơ đã lưu trên máy, tự gửi khi có mạng.') : receipt(client, d),
      section('Các bước', list([
        ...client.asked('publicservice.step').filter(k => k.edit.args.dossier === d.id).map(k => step(k.edit.args.to, k.edit.at, k.edit.args.say, true)),
        ...events.map(e => step(e.to, e.at, e.say))], 'Chưa có bước nào.')));
  });
}

/** @param {number} to @param {any} at @param {any} text @param {boolean} [pending] */
function step(to, at, text, pending) {
  return h('div.step', null, h('b', null, word(dossierStatus, to)), ' ', pending ? waits() : null, h('div.row-under', null, moment(at)), text ? h('div', null, '«', text, '»') : null);
}

/** The receipt, checked with the server's key kept on the phone. @param {Client} c @param {any} d */
function receipt(c, d) {
  if (!d.receipt) return null;
  const mark = h('p.note', null, 'Biên nhận của xã: đang kiểm tra…');
  const said = new TextEncoder().encode(['dossier', d.id, d.person, d.procedure, d.submitted_at].join('\n'));
  Promise.resolve(c.notes.key ? verify(c.notes.key, d.receipt, said) : undefined).then(ok => {
    mark.textContent = ok === undefined ? 'Có biên nhận của xã (máy này không kiểm tra được chữ ký).' : ok ? '✔ Biên nhận của xã, chữ ký đúng.' : '✘ Chữ ký trên biên nhận không khớp. Xin hỏi cán bộ một cửa.';
  });
  return mark;
}

/** The steps an officer may take from a status; 7 goes back to where it came from, or stops. @type {Record<number, number[]>} */
const next = { 1: [2, 5, 3], 2: [4], 4: [9, 5, 6, 8], 6: [4], 7: [8], 9: [10] };

/** What an officer presses to bring a dossier to a status. @type {Record<number, string>} */
const verbs = { 1: 'Trả về: chờ tiếp nhận', 2: 'Tiếp nhận', 3: 'Không tiếp nhận', 4: 'Bắt đầu xử lý', 5: 'Yêu cầu bổ sung', 6: 'Yêu cầu nộp lệ phí', 8: 'Dừng xử lý', 9: 'Đã có kết quả', 10: 'Đã trả kết quả' };

/** From where a dossier came to its status. @param {Client} c @param {any} d @returns {number} */
const cameFrom = (c, d) => c.all('dossier_events').filter(e => e.dossier === d.id && e.to === d.status).sort(newest('at'))[0]?.from ?? 0;

/** The dossier when its next step can be asked for: it is at the server and no step waits. @param {Client} c @param {string} id */
const movable = (c, id) => (c.asked('publicservice.step').some(k => k.edit.args.dossier === id) ? undefined : c.get('dossiers', id));

/** The officer's form; it is drawn again when the dossier moves, not while somebody writes. @param {At} at */
function officer({ client, params }) {
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
    { name: 'to', label: 'Việc', kind: 'choice', options: to.map(t => [String(t), verbs[t] ?? word(dossierStatus, t)]), must: true },
    { name: 'say', label: 'Lời cho người dân', kind: 'long', hint: 'Nói rõ cần gì, đến đâu, bao giờ.' },
    ...(accepting ? [{ name: 'due', label: 'Hẹn trả ngày', kind: /** @type {'date'} */ ('date') }] : []),
  ], 'Ghi bước này', async v => {
    const t = Number(v.to);
    if ([3, 5, 6].includes(t) || (t === 8 && d.status === 4)) if (!v.say) throw new Error('Xin ghi lời cho người dân: cần bổ sung gì, hoặc vì sao.');
    await client.edit({ do: 'publicservice.step', args: { dossier: d.id, to: t, say: v.say, ...(t === 2 && v.due ? { due: v.due } : {}) } });
    say('Đã ghi bước.');
  });
}

/** What the applicant may do: complete what was asked for, or withdraw. @param {Client} client @param {string} id */
function applicant(client, id) {
  const d = movable(client, id);
  if (!d || d.person !== client.me || ![1, 2, 4, 5, 6].includes(d.status)) return null;
  return h('div.buttons', null, d.status === 5 ? go(`#/ho-so/${id}/bo-sung`, 'Bổ sung giấy tờ', 'main') : null, act('Rút hồ sơ', async () => {
    if (await sure('Rút hồ sơ này? Cán bộ sẽ dừng xử lý.', 'Rút hồ sơ')) await client.edit({ do: 'publicservice.step', args: { dossier: id, to: 7, say: '' } });
  }, 'quiet'));
}

/** The applicant's answer to a request for papers. @param {At} at */
function answer({ client, params }) {
  const d = client.get('dossiers', params.id), back = d ? cameFrom(client, d) : 0;
  if (!d || d.status !== 5 || !back) return list([], 'Hồ sơ này không chờ bổ sung.');
  const asked = components(client.get('procedures', d.procedure));
  return h('div', null, d.say ? h('p.warning', null, h('b', null, 'Cán bộ nhắn: '), d.say) : null, form([
    ...asked.map(k => ({ name: 'c_' + k.key, label: k.name, kind: /** @type {'long'} */ ('long'), value: d.content?.[k.key] })),
    { name: 'say', label: 'Lời nhắn cho cán bộ', kind: 'long' },
  ], 'Gửi bổ sung', async v => {
    const content = Object.fromEntries(asked.map(k => [k.key, v['c_' + k.key]]).filter(([k, t]) => t && t !== d.content?.[k]));
    await client.edit({ do: 'publicservice.step', args: { dossier: d.id, to: back, say: v.say, content } });
    say('Đã ghi. Gửi đi khi có mạng.');
    location.hash = '#/ho-so/' + d.id;
  }));
}

/** @param {At} at */
function queue({ client }) {
  let shown = '1';
  const groups = { 1: 'Mới nộp', 2: 'Đã nhận', 4: 'Đang xử lý', 5: 'Chờ dân', 7: 'Xin rút', 9: 'Chờ trả', x: 'Đã xong' };
  const group = (/** @type {any} */ d) => ({ 0: '1', 1: '1', 2: '2', 4: '4', 5: '5', 6: '5', 7: '7', 9: '9' })[/** @type {number} */ (d.status)] ?? 'x';
  return search('Tìm mã hồ sơ, tên người, thủ tục', 'mot-cua', q => {
    const all = dossiers(client);
    if (fold(q)) return longList(all.filter(d => matches(q, d.code, nameOf(client, d.person), procedureName(client, d.procedure))), d => dossierRow(client, d, '/mot-cua'), 'Không tìm thấy hồ sơ.');
    const box = h('div');
    const draw = () => {
      box.replaceChildren(h('div.chips', null, Object.entries(groups).map(([k, t]) => h('button.chip', { type: 'button', 'aria-pressed': String(k === shown), onclick: () => { shown = k; draw(); } }, `${t} (${all.filter(d => group(d) === k).length})`))),
        longList(all.filter(d => group(d) === shown).sort((a, b) => String(a.due || a.submitted_at).localeCompare(String(b.due || b.submitted_at))), d => dossierRow(client, d, '/mot-cua'), 'Không có hồ sơ ở mục này.'));
    };
    draw();
    return box;
  });
}
