// @ts-check
// Photos on a screen: the small one first, the larger when it has come; and the
// field in which a person adds them.

import { filesOf, namesIn } from '../sync/files.js';
import { h } from './el.js';
import { act, badge, say, sentence, waits } from './parts.js';

/** @typedef {import('../sync/client.js').Client} Client */

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
  const marks = new Map(names.map(n => [n, h('span', { role: 'status' })]));
  const el = h('div.pictures', null,
    names.map((n, i) => h('div.picture', null, picture(client, n, 'Ảnh ' + (i + 1)), marks.get(n), act('Bỏ', () => save(names.filter(x => x !== n)), 'quiet'))),
    names.length < most ? act(words, () => input.click()) : null, input);
  const mark = async () => {
    const open = new Map((await files.unsent()).map(k => [k.hash, k]));
    for (const [n, at] of marks) {
      const k = open.get(n);
      at.replaceChildren(...k ? [k.state === 'refused' ? badge(k.say || 'không gửi được', 'bad') : waits()] : []);
    }
  };
  const again = () => { if (el.isConnected) mark(); else files.removeEventListener('change', again); };
  files.addEventListener('change', again);
  mark().catch(() => {});
  return el;
}

/** Photos that are only looked at; they come when they are unfolded. @param {Client} client @param {any} field @param {string} title */
export function album(client, field, title) {
  const names = namesOf(field), inside = h('div');
  if (!names.length) return null;
  return h('details.card', { ontoggle: () => { if (!inside.firstChild) inside.append(...names.map((n, i) => picture(client, n, `${title}, ảnh ${i + 1}`, true))); } },
    h('summary', null, `${title} (${names.length} ảnh)`), inside);
}
