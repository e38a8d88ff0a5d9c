// @ts-check
// New versions: the service worker fetches them whole; the person says when.

import { h } from './el.js';

/** Starts the service worker and offers a version when it is whole on the phone. @returns {Promise<string>} the version that runs */
export async function newVersions() {
  const road = navigator.serviceWorker;
  if (road) {
    road.addEventListener('message', ev => { if (ev.data?.waiting) offer(); });
    // Browsers whose workers are no modules keep the app all the same; they hear no wake-ups.
    road.register('/worker.js', { type: 'module', updateViaCache: 'none' }).catch(() => road.register('/sw.js', { updateViaCache: 'none' })).then(check).catch(() => {});
    setInterval(() => road.ready.then(check), 3600_000);
    addEventListener('online', () => road.ready.then(check));
  }
  try { return String((await (await fetch('/app.json')).json()).version).slice(0, 12); } catch { return 'unknown'; }
}

/** @param {ServiceWorkerRegistration} reg */
function check(reg) {
  reg.update().catch(() => {});
  reg.active?.postMessage('check');
}

function offer() {
  const bar = /** @type {HTMLElement} */ (document.getElementById('version'));
  if (bar.firstChild) return;
  bar.append(h('button', { type: 'button', onclick: take }, 'Có bản mới — chạm để dùng'));
}

/** Takes the new version and opens the app in it; what is stored stays. */
async function take() {
  const reg = await navigator.serviceWorker.ready;
  navigator.serviceWorker.addEventListener('message', ev => { if (ev.data?.taken) location.reload(); });
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload());
  (reg.waiting ?? reg.active)?.postMessage('take');
}
