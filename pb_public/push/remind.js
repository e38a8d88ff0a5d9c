// @ts-check
// Reminders that need no network. What is to come is planned whenever records
// change. A browser that can hold a notification until its hour gets it at once;
// any other shows it the next time that the app or its worker is awake: open,
// woken by the server, or let run by the browser. Each is shown once, whoever
// comes first: it leaves the plan in the transaction that finds it due.

/**
 * @typedef {{tag: string, at: number, title: string, link: string}} Reminder at: milliseconds
 * @typedef {Record<string, number>} Plan tag → its hour, of those that were seen before it
 * @typedef {(change: (was: Plan) => Plan | undefined) => Promise<any>} Keep changes the plan in one transaction; undefined: it stays
 * @typedef {Pick<ServiceWorkerRegistration, 'showNotification' | 'getNotifications'>} Shower
 */

/** How late a reminder may still be shown: a day. */
const late = 86_400_000;

/** Whether this phone may show notifications: as the browser says, or "none". */
export const permission = () => typeof Notification === 'function' ? Notification.permission : 'none';

/**
 * One look at the plan. @param {Plan} was @param {Reminder[]} all that are known now; what is in the plan and not here is off @param {number} now
 * @returns {{plan: Plan, due: Reminder[], added: Reminder[], off: string[], next: number}} due: to be shown now; off: the tags that are not to be shown any more; next: milliseconds until the next hour, 0: none
 */
export function look(was, all, now) {
  const ahead = all.filter(r => r.at > now);
  /** @type {Plan} */
  const plan = Object.fromEntries(ahead.map(r => [r.tag, r.at]));
  return {
    plan, added: ahead.filter(r => was[r.tag] !== r.at),
    due: all.filter(r => r.at <= now && r.at > now - late && was[r.tag] === r.at),
    off: Object.keys(was).filter(tag => was[tag] > now && plan[tag] !== was[tag]),
    next: ahead.length ? Math.min(...ahead.map(r => r.at - now)) : 0,
  };
}

/**
 * Shows what is due and plans the rest. @param {Shower} reg @param {Reminder[]} all @param {Keep} keep @param {number} [now]
 * @returns {Promise<number>} milliseconds until the next hour, 0: none, or the browser holds them
 */
export async function remind(reg, all, keep, now = Date.now()) {
  let l = look({}, [], now);
  await keep(was => {
    l = look(was, all, now);
    return l.added.length || l.off.length || l.due.length || Object.keys(l.plan).length !== Object.keys(was).length ? l.plan : undefined;
  });
  const Trigger = /** @type {any} */ (globalThis).TimestampTrigger;
  const show = (/** @type {Reminder} */ r, more = {}) => reg.showNotification(r.title, { tag: r.tag, lang: 'vi', icon: '/icon.svg', data: { link: r.link }, ...more });
  if (!Trigger) {
    await Promise.allSettled(l.due.map(r => show(r)));
    return l.next;
  }
  for (const tag of l.off) for (const n of await reg.getNotifications(/** @type {any} */ ({ tag, includeTriggered: true }))) n.close();
  await Promise.allSettled(l.added.map(r => show(r, { showTrigger: new Trigger(r.at) })));
  return 0;
}
