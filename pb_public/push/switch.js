// @ts-check
// The switch "Báo tin khi có việc mới": the person asks for it, the app never does.

import { h } from '../ui/el.js';
import { say, sentence } from '../ui/parts.js';
import { ledger } from './ledger.js';
import { keep, subscribe, unsubscribe } from './subscribe.js';

/** @typedef {import('../sync/client.js').Client} Client @typedef {'on' | 'off' | 'denied' | 'none' | 'home'} Standing */

const words = {
  on: 'Đang bật. Có việc mới thì máy này báo, kể cả khi không mở ứng dụng.',
  off: 'Đang tắt. Thông báo vẫn có khi bà con mở ứng dụng.',
  denied: 'Trình duyệt đang chặn thông báo. Muốn bật: mở cài đặt của trang này trong trình duyệt, cho phép Thông báo.',
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
      else if (await Notification.requestPermission() === 'granted') await subscribe(await navigator.serviceWorker.ready, client);
    } catch (err) { say(sentence(err), 'bad'); }
    await show();
  });
  show();
  return h('div.field', null, h('label.check', null, box, h('span', null, 'Báo tin khi có việc mới')), how);
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
  again();
}
