// @ts-check
// Where this phone is woken: made when the person agrees, told to the server, and
// renewed when the browser or the server gives another.

import { NoRoad } from '../sync/client.js';
import { unbase64url } from '../sync/keys.js';
import { ledger } from './ledger.js';

/** @typedef {import('../sync/client.js').Client} Client */

const week = 7 * 24 * 3600_000, patience = 45_000;

/**
 * Subscribes and tells the server. Throws a sentence for the person.
 * @param {ServiceWorkerRegistration} reg @param {Client} client
 */
export async function subscribe(reg, client) {
  if (!client.account) throw new Error('Bà con đăng nhập rồi bật lại nhé.');
  const key = await serverKey(client);
  if (!key) throw new Error('Xã chưa mở đường báo tin cho trình duyệt. Thông báo vẫn có trong ứng dụng.');
  const sub = await make(reg, key);
  await client.signedCall('/api/phones/address', { transport: 'webpush', address: sub.toJSON() });
  const known = client.all('notices').map(n => n.id), phone = client.account.phone;
  await ledger(l => ({ phone, endpoint: sub.endpoint, key, at: Date.now(), shown: l.phone === phone ? l.shown : known }));
}

/** @param {Client} client @returns {Promise<string>} */
async function serverKey(client) {
  const res = await client.fetch('/api/langso', { cache: 'no-store', credentials: 'omit' }).catch(() => { throw new NoRoad('no network'); });
  return String((await res.json()).push ?? '');
}

/** @param {ServiceWorkerRegistration} reg @param {string} key @returns {Promise<PushSubscription>} */
async function make(reg, key) {
  const had = await reg.pushManager.getSubscription();
  if (had && (await ledger()).key === key) return had;
  await had?.unsubscribe(); // made for another key, or not known whose
  const late = new Promise((_, no) => { setTimeout(no, patience); });
  const made = /** @type {Promise<PushSubscription>} */ (Promise.race([reg.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: unbase64url(key) }), late]));
  // What the browser says of it is for programmers.
  return made.catch(() => { throw new Error('Máy chưa nối được với dịch vụ báo tin của trình duyệt. Bà con thử lại khi có mạng tốt hơn.'); });
}

/** Stops being woken; without a network the server learns it when it next tries. @param {ServiceWorkerRegistration} reg @param {Client} client */
export async function unsubscribe(reg, client) {
  await ledger(() => ({}));
  if (client.account) await client.signedCall('/api/phones/address', { transport: 'none' }).catch(() => {});
  await (await reg.pushManager.getSubscription())?.unsubscribe();
}

/** Puts right what changed since: another person, another address or key, an address that was lost. @param {ServiceWorkerRegistration} reg @param {Client} client */
export async function keep(reg, client) {
  const l = await ledger(), sub = await reg.pushManager.getSubscription();
  if (!client.account || l.phone !== client.account.phone) { // who agreed has left this phone
    if (l.phone) {
      await ledger(() => ({}));
      for (const n of await reg.getNotifications()) n.close(); // they are theirs, and may lie on the screen of the shop's phone
    }
    await sub?.unsubscribe();
    return;
  }
  if (Notification.permission !== 'granted') return;
  if (!sub || sub.endpoint !== l.endpoint || !(Date.now() - (l.at ?? 0) < week) || (await serverKey(client)) !== l.key) await subscribe(reg, client);
}
