// @ts-check
// Keeps the whole app on the phone. A version is fetched into a cache of its own
// and is used only when every file is there with the right hash; until then, and
// until the person says so, the old one serves. Calls to /api/ pass by untouched.
/// <reference lib="webworker" />

const sw = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const prefix = 'langso-', pointer = 'langso', workers = ['/sw.js', '/worker.js'];

sw.addEventListener('install', ev => ev.waitUntil(fetchVersion()));
sw.addEventListener('activate', ev => ev.waitUntil(adopt().then(() => sw.clients.claim())));

sw.addEventListener('message', ev => {
  if (ev.data === 'check') ev.waitUntil(fetchVersion().then(tellWaiting, () => {}));
  if (ev.data === 'take') ev.waitUntil(sw.skipWaiting().then(adopt).then(() => tell({ taken: true })));
});

sw.addEventListener('fetch', ev => {
  const url = new URL(ev.request.url);
  if (ev.request.method !== 'GET' || url.origin !== location.origin || /^\/(api|_)\//.test(url.pathname)) return;
  ev.respondWith(serve(ev.request, url.pathname));
});

/** Which version serves, which is whole and waits. @returns {Promise<{now: string, next: string}>} */
async function read() {
  const res = await (await caches.open(pointer)).match('/pointer');
  return res ? res.json() : { now: '', next: '' };
}

/** @param {{now: string, next: string}} p */
async function write(p) { await (await caches.open(pointer)).put('/pointer', new Response(JSON.stringify(p))); }

/** @param {Request} req @param {string} path */
async function serve(req, path) {
  let { now, next } = await read();
  if (next && req.mode === 'navigate' && (await sw.clients.matchAll({ type: 'window' })).length === 0) now = await adopt();
  const cache = now && await caches.open(prefix + now);
  return (cache && await cache.match(path === '/' ? '/index.html' : path)) || fetch(req);
}

/** One fetch of a version at a time. @type {Promise<void> | undefined} */
let fetching;

function fetchVersion() {
  fetching ??= bring().finally(() => { fetching = undefined; });
  return fetching;
}

/** Brings the server's version whole into a cache of its own. */
async function bring() {
  const res = await fetch('/app.json', { cache: 'no-store' });
  const list = await res.json();
  const p = await read();
  if (!res.ok || list.version === p.now || list.version === p.next) return;
  const name = prefix + list.version;
  const cache = await caches.open(name), old = p.now ? await caches.open(prefix + p.now) : undefined;
  const had = await (await old?.match('/app.json'))?.json();
  await Promise.all(Object.entries(list.files).filter(([path]) => !workers.includes(path)).map(async ([path, f]) => {
    const kept = had?.files[path]?.hash === f.hash && await old?.match(path);
    await cache.put(path, kept || await bringFile(path, f.hash));
  }));
  await cache.put('/app.json', new Response(JSON.stringify(list), { headers: { 'Content-Type': 'application/json' } }));
  await write(p.now ? { now: p.now, next: list.version } : { now: list.version, next: '' });
  await clear();
}

/** Fetches one file and checks it; the browser's own cache is good when its hash is. @param {string} path @param {string} hash */
async function bringFile(path, hash) {
  for (const cache of /** @type {RequestCache[]} */ (['force-cache', 'reload'])) {
    const res = await fetch(path, { cache });
    if (!res.ok) continue;
    const body = await res.arrayBuffer();
    const sum = [...new Uint8Array(await crypto.subtle.digest('SHA-256', body))].map(b => b.toString(16).padStart(2, '0')).join('');
    if (sum === hash) return new Response(body, { headers: { 'Content-Type': res.headers.get('Content-Type') ?? '', 'Content-Security-Policy': res.headers.get('Content-Security-Policy') ?? '' } });
  }
  throw new Error('bring ' + path + ': not the promised file');
}

/** The version that waits serves from now on. @returns {Promise<string>} */
async function adopt() {
  const p = await read();
  if (!p.next) return p.now;
  await write({ now: p.next, next: '' });
  await clear();
  return p.next;
}

/** Forgets the caches that neither serve nor wait. */
async function clear() {
  const { now, next } = await read();
  for (const name of await caches.keys()) if (name.startsWith(prefix) && name !== prefix + now && name !== prefix + next) await caches.delete(name);
}

async function tellWaiting() { if ((await read()).next || sw.registration.waiting) await tell({ waiting: true }); }

/** @param {any} word */
async function tell(word) { for (const c of await sw.clients.matchAll({ type: 'window', includeUncontrolled: true })) c.postMessage(word); }
