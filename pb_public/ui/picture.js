// @ts-check
// Photos on a screen: the small one first, the larger when it has come; and the
// field in which a person adds them.

import { filesOf, namesIn } from '../sync/files.js';
import { h } from './el.js';
import { act, badge, say, sentence, waits } from './parts.js';
import { whole } from './text.js';

/** @typedef {import('../sync/client.js').Client} Client @typedef {import('../sync/files.js').Kept} Kept */

export const namesOf = namesIn;

/**
 * A photo. Nothing stands in its place while it is nowhere.
 * @param {Client} client @param {string} hash @param {string} alt what is seen on it @param {boolean} [large] as wide as the screen
 */
export function picture(client, hash, alt, large) {
  const files = filesOf(client), img = h(large ? 'img.photo' : 'img.thumb', { alt, decoding: 'async' });
  const show = (/** @type {string | undefined} */ url) => { if (url) { img.src = url; img.hidden = false; } };
  img.hidden = true;
  show((large && files.ready(hash, 'screen')) || files.ready(hash, 'thumb'));
  const bring = async () => {
    if (!img.src) show(await files.url(hash, 'thumb'));
    if (large) show(await files.url(hash, 'screen'));
  };
  bring().catch(() => {}); // no road: the next time the screen is drawn
  return img;
}

/**
 * The photos of a record, which the person may add to and take from. Under each
 * stands what became of it while it is not at the server.
 * @param {Client} client @param {string[]} names @param {number} most @param {(names: string[]) => any} save stores the new list @param {string} [words] on the button
 */
export function pictures(client, names, most, save, words = 'Thêm ảnh') {
  const files = filesOf(client);
  const input = h('input', {
    type: 'file', accept: 'image/*', hidden: true,
    onchange: async () => {
      const file = input.files[0];
      input.value = '';
      if (!file) return;
      try {
        const hash = await files.add(file);
        if (!names.includes(hash)) await save([...names, hash]);
        say('Đã lưu ảnh. Ảnh tự gửi khi có mạng.');
      } catch (err) { say(sentence(err), 'bad'); }
    },
  });
  const marks = new Map(names.map(n => [n, h('span')]));
  const el = h('div.pictures', null,
    names.map((n, i) => h('div.picture', null, picture(client, n, 'Ảnh ' + (i + 1)), marks.get(n), act('Bỏ', () => save(names.filter(x => x !== n)), 'quiet'))),
    names.length < most ? act(words, () => input.click()) : null, input);
  return watch(client, el, open => { for (const [n, at] of marks) at.replaceChildren(...open.filter(k => k.hash === n).map(k => fate(client, k))); });
}

/** Draws a part of a screen again as photos go up and the network comes and goes. @param {Client} client @param {HTMLElement} el @param {(open: Kept[]) => void} draw gets what is not at the server */
function watch(client, el, draw) {
  const files = filesOf(client), on = /** @type {[EventTarget, string][]} */ ([[files, 'change'], [client, 'mood'], [globalThis, 'online'], [globalThis, 'offline']]);
  const mark = () => { files.unsent().then(draw).catch(() => {}); };
  const again = () => { if (el.isConnected) mark(); else for (const [who, what] of on) who.removeEventListener(what, again); };
  for (const [who, what] of on) who.addEventListener(what, again);
  mark();
  return el;
}

/** What became of a photo that is not at the server: never more than the server has said. @param {Client} client @param {Kept} k */
function fate(client, k) {
  const { going } = filesOf(client), all = k.blob.size, at = (going?.hash === k.hash ? going.at : k.done) ?? 0;
  if (k.state === 'refused') return badge(k.say || 'không gửi được', 'bad');
  const now = going?.hash === k.hash && navigator.onLine && client.mood !== 'offline';
  if (!now && !at) return waits();
  const of = all < 1e6 ? `${Math.floor(at / 1e3)} trên ${Math.ceil(all / 1e3)} kB` : `${whole(Math.floor(at / 1e5) / 10)} trên ${whole(Math.ceil(all / 1e5) / 10)} MB`;
  return h('span', null, h('progress', { value: at, max: all, 'aria-label': 'Đã gửi' }), now ? `Đang gửi: ${Math.floor(at / all * 100)}% (${of})` : `Mới gửi được ${of}. Có mạng thì gửi tiếp.`);
}

/** The photos that are not at the server, under each other: this person's, or those of a record. @param {Client} client @param {string[]} [names] */
export function underWay(client, names) {
  const el = h('div.list');
  return watch(client, el, open => el.replaceChildren(...open.filter(k => !names || names.includes(k.hash)).map(k => h('div.step', null, h('b', null, 'Ảnh: '), fate(client, k)))));
}

/** Photos that are only looked at; they come when they are unfolded. @param {Client} client @param {any} field @param {string} title */
export function album(client, field, title) {
  const names = namesOf(field), inside = h('div');
  if (!names.length) return null;
  return h('div', null, underWay(client, names), h('details.card', { ontoggle: () => { if (!inside.firstChild) inside.append(...names.map((n, i) => picture(client, n, `${title}, ảnh ${i + 1}`, true))); } },
    h('summary', null, `${title} (${names.length} ảnh)`), inside));
}
