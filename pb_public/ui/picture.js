// @ts-check
// Photos on a screen: the small one first, the larger when it has come; and the
// field in which a person adds them.

import { filesOf, namesIn } from '../sync/files.js';
import { h } from './el.js';
import { act, say, sentence } from './parts.js';

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
 * The photos of a record, which the person may add to and take from.
 * @param {Client} client @param {string[]} names @param {number} most @param {(names: string[]) => any} save stores the new list
 */
export function pictures(client, names, most, save) {
  const input = h('input', {
    type: 'file', accept: 'image/*', hidden: true,
    onchange: async () => {
      const file = input.files[0];
      input.value = '';
      if (!file) return;
      try {
        const hash = await filesOf(client).add(file);
        if (!names.includes(hash)) await save([...names, hash]);
        say('Đã lưu ảnh. Ảnh tự gửi khi có mạng.');
      } catch (err) { say(sentence(err), 'bad'); }
    },
  });
  return h('div.pictures', null,
    names.map((n, i) => h('div.picture', null, picture(client, n, 'Ảnh ' + (i + 1)), act('Bỏ', () => save(names.filter(x => x !== n)), 'quiet'))),
    names.length < most ? act('Thêm ảnh', () => input.click()) : null, input);
}
