// @ts-check
// The pieces that all screens are built of.

import { h, live, redrawOne } from './el.js';

/** @typedef {import('./el.js').Child} Child */

/** One line of a list that opens a screen. @param {string} href @param {Child} title @param {Child} [under] @param {Child} [aside] */
export function row(href, title, under, aside) {
  return h('a.row', { href, class: href === location.hash ? 'current' : '' }, h('span.row-text', null, h('span.row-title', null, title), under ? h('span.row-under', null, under) : null), aside ? h('span.row-aside', null, aside) : null);
}

/** A list, or a friendly word when there is nothing. @param {Child[]} rows @param {string} empty @param {Child} [after] what helps then */
export function list(rows, empty, after) {
  return rows.length ? h('div.list', null, rows) : h('div.empty', null, h('p', null, empty), after);
}

/** A long list, shown a page at a time. @template T @param {T[]} items @param {(item: T) => Child} draw @param {string} empty @param {number} [page] */
export function longList(items, draw, empty, page = 40) {
  if (!items.length) return list([], empty);
  const box = h('div.list'), key = location.hash + empty;
  let shown = 0;
  const more = h('button.plain', { type: 'button', onclick: () => show(page) }, 'Xem thêm');
  const show = (/** @type {number} */ n) => {
    for (const it of items.slice(shown, shown + n)) { const el = /** @type {any} */ (draw(it)); if (el) box.append(el); }
    shown += n;
    unfolded.set(key, shown);
    more.hidden = shown >= items.length;
  };
  show(unfolded.get(key) ?? page);
  return h('div', null, box, more);
}

/** How far each long list was unfolded: a list that is drawn again stays so. @type {Map<string, number>} */
const unfolded = new Map();

/** A short mark. @param {string} text @param {'' | 'good' | 'warn' | 'bad' | 'wait'} [kind] */
export function badge(text, kind = '') { return h('span.badge', { class: kind }, text); }

/** The mark of an edit that waits for the road. */
export const waits = () => badge('chờ gửi', 'wait');

/** @param {string} title @param {...Child} inside */
export function section(title, ...inside) { return h('section', null, h('h2', null, title), ...inside); }

/** Name and value under each other. @param {[string, Child][]} pairs */
export function facts(pairs) {
  return h('dl.facts', null, pairs.filter(([, v]) => v !== undefined && v !== null && v !== '' && v !== false).map(([k, v]) => [h('dt', null, k), h('dd', null, v)]));
}

/** A link that looks like a button. @param {string} href @param {Child} text @param {string} [more] */
export function go(href, text, more = '') { return h('a.button', { href, class: more }, text); }

/** A button that runs work once at a time and says what went wrong. @param {Child} text @param {() => any} work @param {string} [more] */
export function act(text, work, more = '') {
  const b = h('button.button', {
    type: 'button', class: more,
    onclick: async () => {
      b.disabled = true;
      try { await work(); } catch (err) { say(sentence(err), 'bad'); } finally { rest(b); }
    },
  }, text);
  return b;
}

/** Lets a button be pressed again. A browser takes the keys off one that is out of use: they come back to it, to the one drawn in its place, or to the screen. @param {any} b */
function rest(b) {
  b.disabled = false;
  if (document.activeElement !== document.body) return;
  /** @type {any[]} */ const all = [...document.querySelectorAll('main button')];
  (b.isConnected ? b : all.find(e => e.textContent === b.textContent) ?? document.getElementById('main'))?.focus({ preventScroll: true });
}

/** What to tell a person of an error. @param {any} err */
export function sentence(err) {
  if (err?.constructor?.name === 'NoRoad') return 'Chưa có mạng. Bà con thử lại khi có sóng nhé.';
  if (err?.name === 'QuotaExceededError') return 'Máy đã đầy bộ nhớ, chưa lưu được. Xin xóa bớt ảnh, video rồi thử lại.';
  return err?.message || 'Có lỗi, xin thử lại.';
}

/** A short word at the bottom of the screen. @param {string} text @param {'' | 'good' | 'bad'} [kind] */
export function say(text, kind = 'good') {
  const box = /** @type {HTMLElement} */ (document.getElementById('say'));
  box.replaceChildren(h('p', { class: kind }, text));
  clearTimeout(/** @type {any} */ (say).timer);
  /** @type {any} */ (say).timer = setTimeout(() => box.replaceChildren(), kind === 'bad' ? 9000 : 4000);
}

/** Asks before something that cannot be undone. @param {string} question @param {string} yes @returns {Promise<boolean>} */
export function sure(question, yes) {
  return new Promise(answer => {
    const d = h('dialog', { 'aria-label': question, onclose: () => { d.remove(); answer(d.returnValue === 'yes'); } },
      h('p', null, question),
      h('div.buttons', null, h('button.button.bad', { type: 'button', onclick: () => d.close('yes') }, yes), h('button.button.quiet', { type: 'button', autofocus: true, onclick: () => d.close('') }, 'Thôi')));
    document.body.append(d);
    d.showModal();
  });
}

/**
 * @typedef {{name: string, label: string, kind?: 'text' | 'long' | 'number' | 'tel' | 'date' | 'time' | 'datetime-local' | 'choice' | 'check', value?: any,
 *   options?: Record<string, string> | [string, string][], hint?: string, must?: boolean, example?: string}} Field
 */

/** One input with its label. @param {Field} f */
function field(f) {
  const id = 'f-' + f.name, value = f.value ?? '';
  if (f.kind === 'check') return h('label.check', null, h('input', { type: 'checkbox', name: f.name, checked: Boolean(f.value) }), h('span', null, f.label));
  const common = { id, name: f.name, autocomplete: 'off', required: f.must, 'aria-describedby': f.hint && id + '-hint' };
  let input;
  if (f.kind === 'choice') {
    const options = Array.isArray(f.options) ? f.options : Object.entries(f.options ?? {});
    input = h('select', common, options.map(([v, t]) => h('option', { value: v, selected: v === String(value) }, t)));
  } else if (f.kind === 'long') input = h('textarea', { ...common, rows: 3, value });
  else {
    input = h('input', { ...common, value, placeholder: f.example && 'ví dụ ' + f.example, type: f.kind && ['date', 'tel', 'time', 'datetime-local'].includes(f.kind) ? f.kind : 'text', inputmode: f.kind === 'number' ? 'decimal' : f.kind === 'tel' ? 'tel' : undefined });
  }
  return h('div.field', null, h('label', { for: id }, f.label, f.must || f.kind === 'choice' ? null : h('span.optional', null, ' (không bắt buộc)')), input, f.hint ? h('p.hint', { id: id + '-hint' }, f.hint) : null);
}

/**
 * A form. `done` gets the values; what it throws is shown as a sentence under the fields.
 * @param {Field[]} fields @param {string} submit @param {(v: Record<string, any>) => any} done @param {...Child} before
 */
export function form(fields, submit, done, ...before) {
  const wrong = h('p.wrong', { role: 'alert', hidden: true });
  const button = h('button.button.main', { type: 'submit' }, submit);
  const el = h('form', {
    novalidate: true,
    onsubmit: async (/** @type {Event} */ ev) => {
      ev.preventDefault();
      wrong.hidden = true;
      el.querySelector('[aria-invalid]')?.removeAttribute('aria-invalid');
      button.disabled = true;
      /** @type {Record<string, any>} */
      const v = {};
      for (const f of fields) {
        const input = /** @type {any} */ (el.elements.namedItem(f.name));
        v[f.name] = f.kind === 'check' ? input.checked : String(input.value).normalize('NFC').trim();
      }
      const missing = fields.find(f => f.must && v[f.name] === '');
      try {
        if (missing) throw new Error(`Xin ghi «${missing.label}».`);
        await done(v);
      } catch (err) {
        const at = missing && /** @type {any} */ (el.elements.namedItem(missing.name));
        (at ? at.closest('.field').lastChild : button).before(wrong);
        wrong.textContent = sentence(err);
        wrong.hidden = false;
        wrong.scrollIntoView({ block: 'center' });
        at?.setAttribute('aria-invalid', 'true');
        at?.focus({ preventScroll: true });
      } finally { rest(button); }
    },
  }, before, fields.map(field), wrong, button);
  return el;
}

/** A search field over a list; the list is drawn again at each letter. @param {string} label @param {string} key remembers the words while the app is open @param {(query: string) => Child} draw */
export function search(label, key, draw) {
  const input = h('input.search', { type: 'search', 'aria-label': label, placeholder: label, value: remembered.get(key) ?? '', autocomplete: 'off', enterkeyhint: 'search' });
  const out = live(() => draw(input.value));
  input.addEventListener('input', () => { remembered.set(key, input.value); redrawOne(out); });
  return h('div', null, input, out);
}

/** @type {Map<string, string>} */
const remembered = new Map();
