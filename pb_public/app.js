// @ts-check
// The phone app: the commune's domains, each with its screens, and the frame
// around them. A screen is a function of the place in the address bar; it reads
// the phone's own records and never waits for a network.

import { broadcast } from './domains/broadcast.js';
import { health } from './domains/health.js';
import { market } from './domains/market.js';
import { people } from './domains/people.js';
import { publicservice } from './domains/publicservice.js';
import { listen, remindHere } from './push/switch.js';
import { settling } from './domains/settling.js';
import { filesOf, hints, open } from './sync/index.js';
import { h, redraw } from './ui/el.js';
import { frame } from './ui/frame.js';
import { newVersions } from './ui/update.js';

/**
 * @typedef {import('./sync/client.js').Client} Client
 * @typedef {{client: Client, params: Record<string, string>, query: URLSearchParams}} At
 * @typedef {{title: string | ((at: At) => string), draw: (at: At) => any, list?: string, open?: boolean}} Screen
 *   list: the screen whose list stands at its left on a wide display; open: also for who is not signed in
 * @typedef {{name: string, title: string, screens: Record<string, Screen>, tiles?: (c: Client) => Tile[], news?: (c: Client) => any[]}} Domain
 * @typedef {{href: string, title: string, icon: string, count?: number, duty?: boolean}} Tile
 */

/** @type {Domain[]} */
const domains = [health, publicservice, market, broadcast, settling, people];

async function start() {
  if (!globalThis.crypto?.subtle) {
    document.body.replaceChildren(h('main.lonely', null, h('h1', null, 'Sai địa chỉ'), h('p', null, 'Địa chỉ đúng bắt đầu bằng https://. Xin hỏi cán bộ một cửa.')));
    return;
  }
  const client = await open();
  filesOf(client);
  client.app = 'web/' + (await newVersions());
  const show = frame(client, domains);
  addEventListener('hashchange', show);
  /** @type {any} */
  let planned;
  const soon = () => { planned ??= setTimeout(() => { planned = undefined; redraw(); }, client.notes.synced ? 40 : 400); };
  client.addEventListener('change', soon);
  client.addEventListener('mood', soon);
  client.addEventListener('mood', () => { if (client.mood === 'idle' && localStorage.getItem('mang-giup')) import('./domains/later/courier.js').then(m => m.carryOn(client)).catch(() => {}); });
  addEventListener('online', () => client.sync());
  document.addEventListener('visibilitychange', () => { if (!document.hidden) client.sync(); });
  navigator.storage?.persist?.();
  show();
  client.hello().catch(() => {});
  listen(client);
  remindHere(client);
  hints(client);
  client.sync();
}

start().catch(err => {
  document.body.replaceChildren(h('main.lonely', null, h('h1', null, 'Chưa mở được'), h('p', null, 'Xin tắt hẳn ứng dụng rồi mở lại. Những gì đã ghi vẫn còn.'), h('p.note', null, String(err))));
});
