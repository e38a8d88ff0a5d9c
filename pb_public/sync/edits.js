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

/**
 * Completes what a screen asks for into an edit. `after` names the edits that
 * made the same record and are not taken yet: without them this one makes no sense.
 * @param {Omit<Edit, 'n'>} wish @param {number} n @param {number} base cursor of what the person saw
 * @param {Date} at @param {Iterable<Kept>} kept @returns {Edit}
 */
export function compose(wish, n, base, at, kept) {
  /** @type {Edit} */
  const e = { n, base, at: at.toISOString().replace(/\.\d+Z$/, 'Z'), ...wish };
  const after = new Set(wish.after ?? []);
  for (const k of kept) {
    if (k.edit.n > 0 && e.id && k.edit.create && k.edit.coll === e.coll && k.edit.id === e.id && !isTaken(k)) after.add(k.edit.n);
  }
  if (after.size) e.after = [...after].sort((a, b) => a - b);
  return e;
}

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
  return [...kept].filter(k => k.verdict && !isTaken(k) && !k.dismissed).sort((a, b) => Math.abs(b.edit.n) - Math.abs(a.edit.n));
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
  return [...kept].filter(k => (isTaken(k) || k.dismissed) && k.heard && now.getTime() - Date.parse(k.heard) > keepFor).map(k => k.edit.n);
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
