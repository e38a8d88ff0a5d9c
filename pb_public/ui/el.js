// @ts-check
// Elements without a framework. Text from data becomes text nodes, never HTML.

/** @typedef {Node | string | number | null | undefined | false | any[]} Child */

/**
 * Makes an element: h('button.big', {onclick}, 'Gửi').
 * @param {string} what tag and classes: "p.note.small"
 * @param {Record<string, any> | null} [props] `on…` are listeners, `class` adds to the classes; false and undefined are left out
 * @param {...Child} children
 * @returns {any}
 */
export function h(what, props, ...children) {
  const [tag, ...classes] = what.split('.');
  const el = document.createElement(tag || 'div');
  if (classes.length) el.className = classes.join(' ');
  for (const [k, v] of Object.entries(props ?? {})) {
    if (v === undefined || v === false || v === null) continue;
    if (k.startsWith('on')) el.addEventListener(k.slice(2), v);
    else if (k === 'class') el.classList.add(...String(v).split(' ').filter(Boolean));
    else if (k === 'value') /** @type {any} */ (el).value = v;
    else el.setAttribute(k, v === true ? '' : String(v));
  }
  add(el, children);
  return el;
}

/** @param {Node} el @param {Child[]} children */
function add(el, children) {
  for (const c of children) {
    if (c === null || c === undefined || c === false || c === '') continue;
    if (Array.isArray(c)) add(el, c);
    else el.appendChild(c instanceof Node ? c : document.createTextNode(String(c)));
  }
}

/** @type {Map<Element, () => void>} */
const alive = new Map();

/** What keys can reach, and by what it is known again when it was drawn anew. */
const reach = 'a[href], button, input, select, textarea, summary';
/** @param {Element} e */
const known = e => e.tagName + (e.getAttribute('href') || e.getAttribute('name') || e.textContent);

/**
 * A part of a screen that is drawn again when records change; forms stay outside of it. Who is in it with the keys
 * stays where they were, or next to it; what was unfolded stays so.
 * @param {() => Child} draw @param {string} [what] @returns {any}
 */
export function live(draw, what = 'div.live') {
  const el = h(what), all = () => /** @type {HTMLElement[]} */ ([...el.querySelectorAll(reach)]);
  const again = () => {
    const had = all(), at = had.findIndex(e => e === document.activeElement), open = had.filter(e => e.parentElement?.hasAttribute('open')).map(known);
    el.replaceChildren();
    add(el, [draw()]);
    if (at < 0 && !open.length) return;
    const now = all();
    for (const e of now) if (e.tagName === 'SUMMARY' && open.includes(known(e))) e.parentElement?.setAttribute('open', '');
    if (at >= 0) (now.find(e => known(e) === known(had[at])) ?? now[Math.min(at, now.length - 1)] ?? document.getElementById('main'))?.focus({ preventScroll: true });
  };
  again();
  alive.set(el, again);
  return el;
}

/** Draws the living parts again that are on the page, and forgets the others. */
export function redraw() {
  for (const [el, again] of [...alive]) if (el.isConnected) again(); else alive.delete(el);
}

/** Draws one living part again. @param {Element} el */
export function redrawOne(el) { alive.get(el)?.(); }

/**
 * A place that is drawn when its module is there. @template M @param {() => Promise<M>} load @param {(m: M) => any} draw
 */
export function later(load, draw) {
  const place = h('div');
  load().then(m => { const el = draw(m); if (el) place.replaceChildren(...[el].flat().filter(Boolean)); }).catch(() => place.replaceChildren(h('p.note', null, 'Phần này chưa có trên máy. Có mạng thì mở lại.')));
  return place;
}
