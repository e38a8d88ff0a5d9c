// @ts-check
// The frame around the screens: where we are, the way back, the state of the
// road, and on a wide display the list at the left of what was opened.

import { filesOf } from '../sync/files.js';
import { h, live, redraw } from './el.js';
import { icon } from './icons.js';
import { badge } from './parts.js';
import { ago } from './text.js';

/** @typedef {import('../app.js').Domain} Domain @typedef {import('../app.js').Screen} Screen @typedef {import('../app.js').At} At @typedef {import('../sync/client.js').Client} Client */

const wide = matchMedia('(min-width: 1000px)');

/** Builds the frame; the function it returns shows the place in the address bar. @param {Client} client @param {Domain[]} domains */
export function frame(client, domains) {
  /** @type {[string, Screen][]} */
  const screens = [['/', home(domains)], ...domains.flatMap(d => Object.entries(d.screens))];
  const head = h('header.top'), main = h('main', { id: 'main', tabindex: -1 }), nav = h('nav.bottom', { 'aria-label': 'Chính' });
  // One element all the while, changed only when its words do: a screen reader tells each state once.
  const state = h('a.road', { href: '#/tai-khoan', 'aria-live': 'polite' });
  const files = filesOf(client);
  let photos = 0;
  const tell = () => { const now = road(client); if (!state.firstChild?.isEqualNode(now)) state.replaceChildren(now); };
  for (const what of ['change', 'mood']) client.addEventListener(what, tell);
  for (const what of ['online', 'offline']) addEventListener(what, tell);
  const count = () => files.unsent().then(() => { if (photos !== files.waiting) { photos = files.waiting; tell(); redraw(); } }, () => {});
  files.addEventListener('change', count);
  count();
  tell();
  document.body.replaceChildren(h('button.skip', { type: 'button', onclick: () => main.focus() }, 'Tới nội dung'), head, h('div', { id: 'version' }), h('div.body', null, nav, main), h('div', { id: 'say', role: 'status' }));
  let shown = '', signedIn = client.me;

  /** @param {string} path @returns {{screen: Screen, pattern: string, params: Record<string, string>} | undefined} */
  const find = path => {
    for (const [pattern, screen] of screens) {
      const params = match(pattern, path);
      if (params) return { screen, pattern, params };
    }
  };

  const show = () => {
    const [path, query] = (location.hash.slice(1) || '/').split('?');
    const found = find(path);
    if (!found) return void (location.hash = '#/');
    if (!client.me && !found.screen.open) return void (location.hash = '#/dang-nhap');
    const at = { client, params: found.params, query: new URLSearchParams(query) };
    const title = typeof found.screen.title === 'string' ? found.screen.title : found.screen.title(at);
    document.title = title + ' — Làng Số';
    main.setAttribute('aria-label', title);
    head.replaceChildren(...[
      path === '/' || !client.me ? h('span.brand', null, h('img', { src: '/icon.svg', alt: '', width: 34, height: 34 }), client.notes.name ? h('span', null, client.notes.name) : 'Làng Số')
        : h('a.back', { href: '#' + up(path, found.screen, screens), 'aria-label': 'Quay lại' }, '‹'),
      path === '/' || !client.me ? null : h('h1', null, title), client.me ? state : null].filter(el => el !== null));
    nav.hidden = !client.me;
    nav.replaceChildren(client.me ? live(() => tabs(client, domains, path)) : '');
    draw(at, found.screen, found.pattern);
    if (shown && shown !== path) { scrollTo(0, 0); main.focus({ preventScroll: true }); }
    shown = path;
  };

  /**
   * On a wide display a list keeps its place at the left, scrolled as it was, while what is opened changes.
   * @param {At} at @param {Screen} screen @param {string} pattern
   */
  const draw = (at, screen, pattern) => {
    const isList = screens.some(([, s]) => s.list === pattern);
    const path = wide.matches && client.me ? (screen.list ? fill(screen.list, at.params) : isList ? fill(pattern, at.params) : '') : '';
    const left = path ? find(path) : undefined;
    if (!left) {
      main.className = '';
      main.replaceChildren(h('div.page', null, screen.draw(at)));
      return;
    }
    const old = main.querySelector('.left');
    const kept = old?.getAttribute('data-path') === path ? old : h('div.left', { 'data-path': path }, left.screen.draw({ client, params: left.params, query: new URLSearchParams() }));
    main.className = 'split';
    if (kept !== old) main.replaceChildren(kept);
    main.querySelector('.right')?.remove();
    main.append(h('div.right', null, left.screen === screen ? h('p.empty', null, 'Chọn một mục ở bên trái để xem.') : screen.draw(at)));
    for (const a of kept.querySelectorAll('a.row')) a.classList.toggle('current', a.getAttribute('href') === location.hash);
  };

  // A tablet that is turned keeps what was typed.
  wide.addEventListener('change', () => { if (find(shown)?.screen.list && !main.querySelector('form')) show(); });
  client.addEventListener('change', () => { if (client.me !== signedIn) { signedIn = client.me; count(); show(); } });
  return show;
}

/** Matches "/ho-so/:id" against a path. @param {string} pattern @param {string} path @returns {Record<string, string> | undefined} */
export function match(pattern, path) {
  const a = pattern.split('/'), b = path.split('/');
  if (a.length !== b.length) return;
  /** @type {Record<string, string>} */
  const params = {};
  for (let i = 0; i < a.length; i++) {
    if (a[i].startsWith(':')) params[a[i].slice(1)] = decodeURIComponent(b[i]);
    else if (a[i] !== b[i]) return;
  }
  return params;
}

/** @param {string} pattern @param {Record<string, string>} params */
const fill = (pattern, params) => pattern.replace(/:(\w+)/g, (_, k) => params[k] ?? '');

/** The place above: the screen's own list, else the next shorter path that is a screen. @param {string} path @param {Screen} screen @param {[string, Screen][]} screens */
function up(path, screen, screens) {
  for (let p = path.slice(0, path.lastIndexOf('/')); p; p = p.slice(0, p.lastIndexOf('/'))) {
    if (screens.some(([pattern, s]) => s !== screen && match(pattern, p))) return p;
  }
  return '/';
}

/** The state of the road in three words. @param {Client} c */
function road(c) {
  const n = c.waiting.length + filesOf(c).waiting, bad = c.unsettled.length;
  if (c.mood === 'blocked') return badge('Máy bị chặn', 'bad');
  if (c.mood === 'signed-out') return badge('Cần đăng nhập lại', 'bad');
  if (bad) return badge(`${bad} việc cần xem`, 'bad');
  if (c.mood === 'busy' && n) return badge('Đang đồng bộ…', 'wait');
  if (n) return badge(`${n} việc chờ gửi`, 'wait');
  if (c.mood === 'offline' || !navigator.onLine) return badge('Chưa có mạng', 'warn');
  return c.notes.synced ? badge('Đã đồng bộ', 'good') : badge('Đang lấy tin…', 'wait');
}

/** The ways that are always there. @param {Client} c @param {Domain[]} domains @param {string} path */
function tabs(c, domains, path) {
  /** @param {string} href @param {string} drawing @param {string} text @param {number} [count] */
  const tab = (href, drawing, text, count) => h('a.tab', { href: '#' + href, 'aria-current': path === href ? 'page' : undefined },
    icon(drawing), h('span', null, text), count ? h('span.count', null, count > 99 ? '99+' : count) : null);
  const tiles = domains.flatMap(d => d.tiles?.(c) ?? []);
  const inbox = tiles.find(t => t.href === '#/thong-bao');
  return h('div.tabs', null, tab('/', 'home', 'Trang chính'), h('div.more', null, tiles.filter(t => t !== inbox).map(t => tab(t.href.slice(1), t.icon, t.title, t.count))),
    tab('/thong-bao', 'bell', 'Thông báo', inbox?.count), tab('/tai-khoan', 'person', 'Tài khoản'));
}

/** The first screen: large tiles, and what is new. @param {Domain[]} domains @returns {Screen} */
function home(domains) {
  return {
    title: 'Trang chính',
    draw: ({ client }) => live(() => {
      const tiles = domains.flatMap(d => d.tiles?.(client) ?? []), news = domains.toReversed().flatMap(d => d.news?.(client) ?? []); // what the person has to do stands first
      const draw = (/** @type {any} */ t) => h('a.tile', { href: t.href }, icon(t.icon), h('span.tile-title', null, t.title), t.count ? h('span.count', null, t.count) : null);
      const duty = tiles.filter(t => t.duty);
      return h('div', null,
        h('p.hello', null, 'Chào ', h('b', null, client.account?.person.name ?? 'bà con'), ' ạ!'),
        h('div.tiles', null, tiles.filter(t => !t.duty).map(draw)),
        duty.length ? [h('h2', null, 'Việc của tôi ở xã'), h('div.tiles', null, duty.map(draw))] : null,
        h('h2', null, 'Tin mới'),
        news.length ? h('div.list', null, news) : h('p.empty', null, client.notes.synced ? 'Chưa có tin mới.' : 'Đang lấy tin về máy. Lần đầu cần có mạng.'),
        h('p.note', null, 'Đồng bộ lần cuối: ' + ago(client.notes.synced)));
    }),
  };
}
