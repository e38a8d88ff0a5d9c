// @ts-check
// Reminders that need no network: what is known to come is planned at every
// sync. A browser that can hold a notification until its hour gets it at once;
// any other shows it at its hour while the app is open, or when it is next opened.

/**
 * @typedef {{tag: string, at: number, title: string, href: string}} Reminder
 *   tag: the same reminder is never shown twice; at: milliseconds
 */

/** The most that one timer may wait. */
const farthest = 2 ** 31 - 1;

/** How late a reminder may still be shown: a day. */
const late = 86_400_000;

/** Whether this phone may show notifications: as the browser says, or "none". */
export const permission = () => typeof Notification === 'function' ? Notification.permission : 'none';

export const askPermission = () => Notification.requestPermission();

/**
 * Splits reminders into those to show now and when to look again. `shown` holds the tags that were shown.
 * @param {Reminder[]} all @param {Set<string>} shown @param {number} now @returns {{due: Reminder[], next: number}} next: in milliseconds from now; 0: never
 */
export function plan(all, shown, now) {
  const open = all.filter(r => !shown.has(r.tag));
  const coming = open.filter(r => r.at > now).map(r => r.at - now);
  return { due: open.filter(r => r.at <= now && r.at > now - late), next: coming.length ? Math.min(farthest, ...coming) : 0 };
}

/** @type {any} */
let timer;

/**
 * Plans anew; called whenever records changed. @param {() => Reminder[]} list
 * @param {{get: () => string[], set: (tags: string[]) => any}} memory the tags that were shown
 */
export async function remind(list, memory) {
  clearTimeout(timer);
  if (permission() !== 'granted') return;
  const worker = await navigator.serviceWorker?.getRegistration();
  if (!worker) return;
  const all = list(), shown = new Set(memory.get());
  const { due, next } = plan(all, shown, Date.now());
  for (const r of due) {
    await worker.showNotification(r.title, { tag: r.tag, data: { href: r.href }, icon: '/icon.svg', lang: 'vi' });
    shown.add(r.tag);
  }
  // Not every browser can hold one until its hour.
  const Trigger = /** @type {any} */ (globalThis).TimestampTrigger;
  if (Trigger) {
    for (const r of all.filter(r => r.at > Date.now() && !shown.has(r.tag))) {
      await worker.showNotification(r.title, /** @type {any} */ ({ tag: r.tag, data: { href: r.href }, icon: '/icon.svg', lang: 'vi', showTrigger: new Trigger(r.at) }));
      shown.add(r.tag);
    }
  } else if (next) timer = setTimeout(() => remind(list, memory), next);
  if (due.length || Trigger) await memory.set([...shown].slice(-200));
}
