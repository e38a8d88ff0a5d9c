// @ts-check
// Hears wake-ups. Each is answered by an exchange, in the background, and by
// what that brought: notices in the phone's own words, a repeated one in the place of
// the first. One that says that somebody should look now is not kept waiting for the
// network: it sounds at once, without a word of what it is, and the words take its place
// when they are there. All others wait for their words, at most `bound` long: nobody
// counts those seconds, and a line that changes under the thumb, or sounds for nothing,
// teaches people to look away. A tap opens what the notice is about and marks it as read. The browser may
// wake it, too: when there is a network again, or every few hours. And whenever it is
// awake it shows the reminders that are due.
/// <reference lib="webworker" />

import { Client, later } from '../sync/client.js';
import * as snapshot from '../sync/later/snapshot.js';
import { BrowserStore } from '../sync/store.js';
import { compose, first, readWake, replace, show } from './compose.js';
import { coming } from './coming.js';
import { ledger, plan } from './ledger.js';
import { mark } from './mark.js';
import { permission, remind } from './remind.js';
import { keep } from './subscribe.js';

const sw = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

later.snapshot = async () => snapshot;

/** A browser lets a wake-up work for about half a minute: no exchange is put off for longer, and then something is on the screen. */
const longest = 15, bound = 25_000, grace = 2000, glance = 300;

sw.addEventListener('push', ev => ev.waitUntil(hear(readWake(ev.data?.text()))));
for (const type of ['sync', 'periodicsync']) sw.addEventListener(type, ev => /** @type {ExtendableEvent} */ (ev).waitUntil(hear()));
sw.addEventListener('notificationclick', ev => { ev.notification.close(); ev.waitUntil(tapped(ev.notification.data ?? {})); });
sw.addEventListener('pushsubscriptionchange', ev => /** @type {ExtendableEvent} */ (ev).waitUntil(withClient(c => keep(sw.registration, c)).catch(() => {})));

/** @typedef {import('./compose.js').Wake} Wake */

/** One wake-up at a time, so that each sees what the others have shown. @type {Promise<any>} */
let queue = Promise.resolve();

/** @param {Wake} [wake] absent: nobody in the commune calls, and nothing need be shown */
function hear(wake) {
  const end = Date.now() + bound, shout = wake?.u ? announce(wake).catch(() => undefined) : undefined;
  const mine = queue.then(async () => answer(end, wake, await shout));
  queue = mine.catch(() => {});
  return mine;
}

/** Shows at once that there is something to look at, unless it was shown before. It waits for no other wake-up. @param {Wake} wake */
async function announce(wake) {
  const known = await Promise.race([ledger().then(l => l.shown?.includes(wake.g ?? ''), () => false), sleep(glance)]);
  if (known) return;
  const s = first(wake);
  await show(sw.registration, [s]);
  return s;
}

/** @param {number} end until when, in milliseconds @param {Wake} [wake] @param {import('./compose.js').Shown} [before] what was shown at once */
async function answer(end, wake, before) {
  /** @type {import('./compose.js').Shown[]} */
  let out = [];
  try {
    const l = await ledger();
    const late = sleep(end - Date.now() + grace).then(() => Promise.reject(new Error('late'))); // another window may keep the store
    late.catch(() => {});
    out = await Promise.race([late, withClient(async c => {
      const fresh = !!c.account && await meet(c, wake?.j ?? 0, end);
      if (permission() === 'granted') await remind(sw.registration, c.account ? coming(c) : [], plan).catch(() => {});
      if (!wake && (!c.account || l.phone !== c.account.phone)) return []; // who did not agree to be woken
      return compose({ notices: c.all('notices'), marks: c.all('notice_marks'), choices: c.all('notice_choices'), me: c.me }, l.shown ?? [], wake ?? {}, fresh, new Date(), !!before);
    })]);
  } catch { /* the store did not open: say that there is something */ }
  if (!wake) out = out.filter(s => s.ids.length);
  else if (!out.length) out = [first(wake)];
  await replace(sw.registration, before, out, !!wake && await watched());
  const ids = out.flatMap(s => s.ids);
  if (ids.length) await ledger(l => ({ ...l, shown: [...(l.shown ?? []), ...ids.filter(id => !l.shown?.includes(id))] })).catch(() => {});
}

/** Whether the person has the app before their eyes, in a browser known to ask for nothing on the screen then: Chromium. */
async function watched() {
  return 'userAgentData' in navigator && (await sw.clients.matchAll({ type: 'window', includeUncontrolled: true })).some(w => w.visibilityState === 'visible' && new URL(w.url).pathname === '/');
}

/**
 * Meets the server at a random moment of the next so many seconds; when that is past a worker's life, it is
 * left to the app. @param {Client} c @param {number} spread @param {number} end @returns {Promise<boolean>} whether the phone is complete
 */
async function meet(c, spread, end) {
  const wait = Math.random() * spread, left = () => sleep(end - Date.now());
  if (wait > longest || wait * 1000 > end - Date.now()) return false;
  await sleep(wait * 1000);
  const before = c.notes.synced;
  for (const pause of [0, 1000, 3000, 6000]) { // the radio of a phone that was asleep takes a moment
    await sleep(pause);
    await Promise.race([c.sync(), left()]);
    if (c.notes.synced !== before) return true;
    if (c.mood !== 'offline' || Date.now() >= end) break;
  }
  if (c.mood !== 'idle') return false;
  // A window was meeting the server: what it brought is what we want.
  await Promise.race([sw.navigator.locks?.request('langso-sync', () => {}), left()]);
  await c.reload();
  return c.notes.synced !== before;
}

/** @param {number} ms */
const sleep = ms => new Promise(y => { setTimeout(y, ms); });

/** Runs work on the phone's own store, which windows share. @template T @param {(c: Client) => Promise<T>} work @returns {Promise<T>} */
async function withClient(work) {
  const store = await BrowserStore.open(), channel = typeof BroadcastChannel === 'function' ? new BroadcastChannel('langso') : undefined;
  const client = new Client(store, { channel, app: '' }); // the app has said which it is
  try {
    await client.reload();
    return await work(client);
  } finally {
    client.account = undefined; // what it planned for later is the windows' affair
    channel?.close();
    await store.close();
  }
}

/** @param {{link?: string, notice?: string}} about */
async function tapped({ link = '#/thong-bao', notice }) {
  const marked = notice && withClient(c => mark(c, notice).then(() => c.sync())).catch(() => {});
  const windows = await sw.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const window = windows.find(w => w.focused) ?? windows[0];
  if (window) {
    window.postMessage({ open: link });
    window.focus().catch(() => {}); // its promise may never settle
  } else await sw.clients.openWindow('/' + link);
  await marked;
  window?.postMessage({ sync: true }); // it may have held the road meanwhile
}
