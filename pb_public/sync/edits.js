// @ts-check
// The phone's own edits: how one is made, which of them wait, and what becomes
// of them when the phone is signed in anew. An edit is never thrown away before
// its verdict.

/** @typedef {import('./overlay.js').Edit} Edit @typedef {import('./overlay.js').Kept} Kept */

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** A new record id: 15 characters a–z0–9, each as likely. @returns {string} */
export function newId() {
  let id = '';
  while (id.length < 15) {
    for (const b of crypto.getRandomValues(new Uint8Array(24))) {
      if (b < 252 && id.length < 15) id += letters[b % 36];
    }
  }
  return id;
}

/** Most edits that one may name in `after`. */
const maxAfter = 50;

/**
 * Completes what a screen asks for into an edit. `after` names the edits that make a record
 * which this one names, as its own or anywhere in its fields, and that are neither taken nor
 * put aside: without them it makes no sense.
 * @param {Omit<Edit, 'n'>} wish @param {number} n @param {number} base cursor of what the person saw
 * @param {Date} at @param {Iterable<Kept>} kept @returns {Edit}
 */
export function compose(wish, n, base, at, kept) {
  /** @type {Edit} */
  const e = { n, base, at: at.toISOString().replace(/\.\d+Z$/, 'Z'), ...wish };
  const after = new Set(wish.after ?? []), names = new Set(texts(wish));
  if (wish.create) names.delete(wish.id ?? '');
  for (const k of kept) {
    const made = makes(k.edit);
    if (k.edit.n > 0 && made && names.has(made) && !isTaken(k) && !k.dismissed && !k.decided) after.add(k.edit.n);
  }
  delete e.after;
  if (after.size) e.after = [...after].sort((a, b) => a - b).slice(0, maxAfter);
  return e;
}

/** The id of the record that an edit makes, or "". @param {Edit | undefined} e @returns {string} */
function makes(e) {
  if (e?.create) return e.id ?? '';
  return e?.do && typeof e.args?.id === 'string' ? e.args.id : '';
}

/** All texts in a value. @param {any} v @returns {Iterable<string>} */
function* texts(v) {
  if (typeof v === 'string') yield v;
  else if (v && typeof v === 'object') for (const x of Object.values(v)) yield* texts(x);
}

/** The value with one text for another, wherever it stands. @param {any} v @param {string} from @param {string} to @returns {any} */
function renamed(v, from, to) {
  if (v === from) return to;
  if (Array.isArray(v)) return v.map(x => renamed(x, from, to));
  if (!v || typeof v !== 'object') return v;
  return Object.fromEntries(Object.entries(v).map(([f, x]) => [f, renamed(x, from, to)]));
}

/**
 * All that is to be stored at once when a person writes: the edit; when it repairs a refused or parked
 * one, that one put aside; and what was parked for an edit that is put right by now, again under a new
 * number. Nothing given is changed.
 * @param {Omit<Edit, 'n'> | undefined} wish undefined: nothing new, only what was parked
 * @param {number} n the next number @param {number} base @param {Date} at @param {Iterable<Kept>} kept @returns {Kept[]}
 */
export function write(wish, n, base, at, kept) {
  const all = new Map([...kept].map(k => [k.edit.n, k]));
  /** @type {Map<number, Kept>} */
  const out = new Map();
  const put = (/** @type {Kept} */ k) => { all.set(k.edit.n, k); out.set(k.edit.n, k); };
  if (wish) {
    const { fixes, ...rest } = wish, old = all.get(fixes ?? 0);
    if (old && isOpen(old)) put({ ...old, dismissed: true });
    const e = compose(amended(rest, old?.edit), n++, base, at, all.values());
    if (fixes && fixes > 0) e.fixes = fixes; // what is below zero was another phone's: this one's server knows it not
    put({ edit: e });
  }
  for (const k of [...all.values()].filter(k => k.edit.n > 0).sort((a, b) => a.edit.n - b.edit.n)) {
    const again = freed(k, all);
    if (!again) continue;
    put({ ...k, dismissed: true });
    put({ edit: { ...compose(again, n++, base, at, all.values()), fixes: k.edit.n } });
  }
  return [...out.values()];
}

/** The edits that are parked because the server knows what they name not yet. @param {Iterable<Kept>} kept @returns {Kept[]} */
export function unknown(kept) {
  return [...kept].filter(k => k.edit.n > 0 && isOpen(k) && k.verdict?.is === 'parked' && ['unknown_collection', 'unknown_field', 'unknown_action'].includes(k.verdict.code ?? ''));
}

/** Bytes of one edit, and room for what one that is sent again says more. */
const maxEdit = 64 * 1024, moreWhenAgain = 1024;

/**
 * What is to be stored when the server may know more than before: those edits put aside, and again under new
 * numbers from n on, as they were typed, with what waited for them.
 * @param {number} n @param {Iterable<Kept>} kept @returns {Kept[]}
 */
export function offeredAgain(n, kept) {
  const all = new Map([...kept].map(k => [k.edit.n, k])), out = new Map();
  for (const { edit: { n: fixes, after: _, ...wish } } of unknown(all.values()).sort((a, b) => a.edit.n - b.edit.n)) {
    if (new Blob([JSON.stringify(wish)]).size > maxEdit - moreWhenAgain) continue; // it stays where it is, for the person
    for (const k of write({ ...wish, fixes }, n, 0, new Date(0), all.values())) {
      all.set(k.edit.n, k); out.set(k.edit.n, k);
      n = Math.max(n, k.edit.n + 1);
    }
  }
  return [...out.values()];
}

/** A repair of differences is differences too, though a screen should write plain values. @param {Omit<Edit, 'n'>} wish @param {Edit | undefined} old */
function amended(wish, old) {
  if (!old?.add || !wish.change) return wish;
  const { change, add, ...rest } = wish;
  const fields = Object.entries(change), sums = fields.filter(([f]) => f in (old.add ?? {})), plain = fields.filter(([f]) => !(f in (old.add ?? {})));
  return { ...rest, ...(plain.length ? { change: Object.fromEntries(plain) } : {}), add: { ...add, ...Object.fromEntries(sums) } };
}

/**
 * What an edit that was parked for others asks for now that one of those is put right, naming what stands in
 * its place; undefined while none is. @param {Kept} k @param {Map<number, Kept>} all @returns {Omit<Edit, 'n'> | undefined}
 */
function freed(k, all) {
  if (k.verdict?.is !== 'parked' || k.verdict.code !== 'waits_for' || k.dismissed) return;
  const { n: _, fixes: __, after = [], ...rest } = k.edit, fixed = new Map([...all.values()].flatMap(({ edit }) => (edit.fixes ? [[edit.fixes, edit]] : [])));
  const done = (/** @type {number} */ a) => { const d = all.get(a)?.decided; return Boolean(d) && d?.take !== 'theirs'; };
  if (!after.some(a => fixed.has(a) || done(a))) return;
  /** @type {number[]} */
  const still = [];
  let e = rest;
  for (const a of after) {
    let now = all.get(a)?.edit;
    const from = makes(now);
    for (let next = fixed.get(a); next; next = fixed.get(next.n)) now = next;
    if (from && makes(now)) e = renamed(e, from, makes(now));
    const stands = now && all.get(now.n);
    if (now && stands && !isTaken(stands) && !stands.dismissed && !stands.decided) still.push(now.n);
  }
  return { ...e, after: still };
}

/** Tells whether an edit was refused or parked and the person has not settled it. @param {Kept} k @returns {boolean} */
export function isOpen(k) { return Boolean(k.verdict) && !isTaken(k) && !k.dismissed && !k.decided; }

/** Tells whether the server has done the edit. @param {Kept} k */
export function isTaken(k) {
  return k.verdict?.is === 'taken' || k.verdict?.is === 'merged';
}

/** The edits without a verdict, in order of n. @param {Iterable<Kept>} kept @returns {Kept[]} */
export function waiting(kept) {
  return [...kept].filter(k => k.edit.n > 0 && !k.verdict).sort((a, b) => a.edit.n - b.edit.n);
}

/** The refused and parked edits that the person has not settled, newest first. @param {Iterable<Kept>} kept @returns {Kept[]} */
export function unsettled(kept) {
  return [...kept].filter(isOpen).sort((a, b) => Math.abs(b.edit.n) - Math.abs(a.edit.n));
}

/**
 * Up to which n all verdicts are stored on the phone.
 * @param {Iterable<Kept>} kept @param {number} last the last n given out
 */
export function confirmed(kept, last) {
  const first = waiting(kept)[0];
  return first ? first.edit.n - 1 : last;
}

/** How long a judged edit is kept: a server restored from a backup may ask for it again. */
const keepFor = 7 * 24 * 3600 * 1000;

/** The numbers of edits that nobody needs any more. @param {Iterable<Kept>} kept @param {Date} now @returns {number[]} */
export function spent(kept, now) {
  return [...kept].filter(k => (isTaken(k) || k.dismissed || k.decided) && k.heard && now.getTime() - Date.parse(k.heard) > keepFor).map(k => k.edit.n);
}

/**
 * The outbox of a person who signs in again: a new phone counts from 1, so what
 * waits gets new numbers in the old order. What was refused or parked stays to be
 * read, under a negative number: it belongs to the old phone and is never sent.
 * @param {Iterable<Kept>} kept @returns {{edits: Kept[], n: number}}
 */
export function renumber(kept) {
  /** @type {Map<number, number>} */
  const to = new Map();
  const wait = waiting(kept);
  wait.forEach((k, i) => to.set(k.edit.n, i + 1));
  const moved = wait.map(k => {
    const { after, fixes, ...rest } = k.edit;
    /** @type {Edit} */
    const e = { ...rest, n: to.get(k.edit.n) ?? 0 };
    const still = (after ?? []).flatMap(n => to.get(n) ?? []);
    if (still.length) e.after = still;
    return { edit: e };
  });
  const read = unsettled(kept).map(k => ({ ...k, edit: { ...k.edit, n: -Math.abs(k.edit.n) } }));
  return { edits: [...moved, ...read], n: wait.length };
}

/**
 * The edits of a phone that begins anew: those of the old one, and after them those that were held for
 * the person while somebody else was signed in.
 * @param {Iterable<Kept>} kept @param {Edit[]} held @returns {{edits: Kept[], n: number}}
 */
export function takeUp(kept, held) {
  const { edits, n } = renumber(kept);
  const more = renumber(held.map(edit => ({ edit })));
  const back = more.edits.map(({ edit }) => {
    const e = { ...edit, n: edit.n + n };
    if (edit.after) e.after = edit.after.map(a => a + n);
    return { edit: e };
  });
  return { edits: [...edits, ...back], n: n + more.n };
}
