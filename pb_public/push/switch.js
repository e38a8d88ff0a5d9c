// @ts-check
// The switch "Báo tin khi có việc mới": the person asks for it, the app never does.

import { h } from '../ui/el.js';
import { say, sentence } from '../ui/parts.js';
import { coming } from './coming.js';
import { ledger, plan } from './ledger.js';
import { permission, remind } from './remind.js';
import { keep, subscribe, unsubscribe } from './subscribe.js';

/** @typedef {import('../sync/client.js').Client} Client @typedef {'on' | 'off' | 'denied' | 'none' | 'home'} Standing */

const words = {
  on: 'Đang bật. Có việc mới thì máy này báo, kể cả khi không mở ứng dụng.',
  off: 'Đang tắt. Thông báo vẫn có khi bà con mở ứng dụng.',
  denied: 'Trình duyệt đang chặn thông báo. Muốn bật, nhờ con cháu mở cài đặt của trang này và cho phép Thông báo.',
  none: 'Trình duyệt này không báo tin được. Thông báo vẫn có khi bà con mở ứng dụng.',
  home: 'Trên iPhone: thêm ứng dụng vào màn hình chính (Chia sẻ → Thêm vào MH chính), mở từ đó rồi bật.',
};

/** The worker that hears wake-ups, if this browser has it. @returns {Promise<ServiceWorkerRegistration | undefined>} */
async function worker() {
  const reg = await navigator.serviceWorker?.getRegistration();
  const script = (reg?.active ?? reg?.waiting ?? reg?.installing)?.scriptURL ?? '';
  return reg && 'pushManager' in reg && 'Notification' in globalThis && script.endsWith('/worker.js') ? reg : undefined;
}

/** How it stands on this phone. @param {Client} client @returns {Promise<Standing>} */
export async function standing(client) {
  const reg = await worker();
  if (!reg) return /iPhone|iPad/.test(navigator.userAgent) && !matchMedia('(display-mode: standalone)').matches ? 'home' : 'none';
  if (Notification.permission === 'denied') return 'denied';
  const on = Notification.permission === 'granted' && client.account && (await ledger()).phone === client.account.phone && await reg.pushManager.getSubscription();
  return on ? 'on' : 'off';
}

/** The switch, with how it stands written under it. @param {Client} client */
export function pushSwitch(client) {
  const box = /** @type {HTMLInputElement} */ (h('input', { type: 'checkbox', role: 'switch', name: 'bao-tin', disabled: true }));
  const how = h('p.hint', { role: 'status' }, '…');
  const show = async () => {
    const s = await standing(client).catch(() => /** @type {Standing} */ ('none'));
    box.checked = s === 'on';
    box.disabled = s === 'none' || s === 'home' || s === 'denied';
    how.textContent = words[s];
  };
  box.addEventListener('change', async () => {
    const want = box.checked;
    box.disabled = true;
    how.textContent = want ? 'Đang bật…' : 'Đang tắt…';
    try {
      const reg = await worker();
      if (!reg) throw new Error(words.none);
      if (!want) await unsubscribe(reg, client);
      else if (await Notification.requestPermission() === 'granted') {
        askForHours().catch(() => {});
        await subscribe(await navigator.serviceWorker.ready, client);
      }
    } catch (err) { say(sentence(err), 'bad'); }
    await show();
  });
  show();
  return h('div.field', null, h('label.check', null, box, h('span', null, 'Báo tin khi có việc mới')), how);
}

/** What this phone can do about reminders, from the best to the least, as it is told to the person. */
const reach = {
  exact: 'Máy này tự nhắc đúng giờ, kể cả khi không mở ứng dụng và không có mạng.',
  hours: 'Máy này nhắc vài giờ một lần, hoặc khi mở ứng dụng. Có thể nhắc trễ.',
  woken: 'Máy này nhắc khi mở ứng dụng hoặc khi xã báo tin. Có thể nhắc trễ.',
  open: 'Máy này chỉ nhắc được khi bà con mở ứng dụng.',
  off: 'Máy này chưa được phép hiện thông báo nên không nhắc được. Ngày hẹn vẫn ghi trong ứng dụng.',
  none: 'Trình duyệt này không nhắc được. Ngày hẹn vẫn ghi trong ứng dụng.',
};

/** @returns {Promise<keyof typeof reach>} */
export async function reminding() {
  const reg = /** @type {any} */ (await navigator.serviceWorker?.getRegistration());
  if (!reg || permission() === 'none') return 'none';
  if (permission() !== 'granted') return 'off';
  if ('TimestampTrigger' in globalThis) return 'exact';
  if (!await worker()) return 'open';
  if ((await reg.periodicSync?.getTags().catch(() => []))?.includes(tag)) return 'hours';
  return await reg.pushManager.getSubscription() ? 'woken' : 'open';
}

/** A line that says so. */
export function reminderNote() {
  const line = h('p.note', { role: 'status' }, '…');
  reminding().catch(() => /** @type {const} */ ('none')).then(how => { line.textContent = reach[how]; });
  return line;
}

/** By which the browser knows what it lets the worker do now and then. */
const tag = 'langso', sixHours = 6 * 3600_000, farthest = 2 ** 31 - 1;

/** Shows reminders at their hour while the app is open, and what became due while it was not. @param {Client} client */
export function remindHere(client) {
  /** @type {any} */
  let timer;
  const look = async () => {
    const reg = permission() === 'granted' && await navigator.serviceWorker?.getRegistration();
    if (!reg) return;
    const next = await remind(reg, client.account ? coming(client) : [], plan);
    clearTimeout(timer);
    if (next) timer = setTimeout(again, Math.min(next, farthest));
  };
  const again = () => { look().catch(() => {}); };
  client.addEventListener('change', again);
  document.addEventListener('visibilitychange', again); // timers sleep with the phone
  again();
}

/** Asks the browser to let the worker run every few hours. Few do. */
async function askForHours() {
  const reg = /** @type {any} */ (permission() === 'granted' && await worker());
  if (reg) await reg.periodicSync?.register(tag, { minInterval: sixHours });
}

/** Asks the browser to let the worker run when there is a network again, for what waits to be sent. @param {Client} client */
async function askForNetwork(client) {
  if (client.mood !== 'offline' || !client.waiting.length) return;
  const reg = /** @type {any} */ (await worker());
  await reg?.sync?.register(tag);
}

/** Opens what a tapped notice is about, and keeps the phone's address right. @param {Client} client */
export function listen(client) {
  navigator.serviceWorker?.addEventListener('message', ev => {
    if (typeof ev.data?.open === 'string' && ev.data.open.startsWith('#/')) location.hash = ev.data.open;
    if (ev.data?.sync) client.sync();
  });
  /** @type {string | undefined} */
  let last;
  const look = async () => {
    const phone = client.account?.phone ?? '';
    if (phone === last) return;
    last = phone;
    const reg = await worker();
    if (reg) await keep(reg, client);
  };
  const again = () => { look().catch(() => { last = undefined; }); };
  client.addEventListener('change', again);
  client.addEventListener('mood', () => { askForNetwork(client).catch(() => {}); });
  askForHours().catch(() => {});
  again();
}
