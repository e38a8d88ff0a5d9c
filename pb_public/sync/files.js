// @ts-check
// Photos and scans (docs/PROTOCOL.md, Files). A picture is drawn anew before it
// is named: smaller, upright, without the place where it was taken. It is stored
// here first and a record may name it at once; it goes up in pieces when there is
// a road, from where the last one ended, and others' come down the same way. A
// file stays as long as a record or an edit on this phone names it.

/**
 * @typedef {import('./client.js').Client} Client @typedef {'' | 'screen' | 'thumb'} Size
 * @typedef {{key: string, hash: string, size: Size, person: string, state: 'have' | 'part' | 'waiting' | 'sent' | 'refused',
 *   blob: Blob, upload?: string, done?: number, etag?: string, code?: string, say?: string, epoch?: string, at: string}} Kept
 *   done: so many bytes of it were at the server when it last said so
 */

/** How long a file stays that nothing names and that was not sent. */
const unnamed = 30 * 86_400_000;

/** What only who sends or sees a photo needs comes when it is needed. */
const later = () => import('./later/road.js');

/** @type {WeakMap<Client, Files>} */
const all = new WeakMap();

/** The files of a client's phone. From the first call on they are sent after each meeting with the server. @param {Client} client @returns {Files} */
export function filesOf(client) {
  let f = all.get(client);
  if (!f) {
    all.set(client, f = new Files(client));
    const files = f;
    client.addEventListener('mood', () => {
      if (client.mood === 'idle') files.send().catch(() => {});
      if (client.mood === 'blocked') files.forget().catch(() => {});
    });
    client.addEventListener('change', () => { if (!client.account) files.forget().catch(() => {}); });
  }
  return f;
}

/** The names that a record's field holds. @param {any} field @returns {string[]} */
export const namesIn = field => String(field ?? '').split(' ').filter(n => /^[0-9a-f]{64}$/.test(n));

export class Files extends EventTarget {
  /** @type {Promise<IDBDatabase> | undefined} */ #db;
  /** What was read, as data: URLs, by key. @type {Map<string, string>} */ #urls = new Map();
  /** @type {Map<string, Promise<Blob | undefined>>} */ #coming = new Map();
  /** At most two come down at once: a list of thirty thumbnails is thirty requests. */ #gate = [Promise.resolve(), Promise.resolve()]; #turn = 0;
  #sending = false; #name;
  /** What is going up now, and how much of it the server said it has. @type {{hash: string, at: number} | undefined} */ going;
  /** How many files wait to be sent, as unsent counted last. */ waiting = 0;

  /** @param {Client} client @param {{fetch?: typeof fetch}} [with_] */
  constructor(client, with_ = {}) {
    super();
    this.client = client;
    this.#name = (client.store.name ?? 'langso') + '-files';
    this.fetch = with_.fetch ?? ((...a) => fetch(...a));
  }

  // The store.

  #open() {
    this.#db ??= new Promise((yes, no) => {
      const r = indexedDB.open(this.#name, 1);
      r.onupgradeneeded = () => { r.result.createObjectStore('files', { keyPath: 'key' }); };
      r.onsuccess = () => { r.result.onversionchange = () => r.result.close(); yes(r.result); };
      r.onerror = () => no(r.error);
    });
    return this.#db;
  }

  /** @template T @param {IDBTransactionMode} mode @param {(s: IDBObjectStore) => IDBRequest<T> | void} work @returns {Promise<T>} */
  async #store(mode, work) {
    const db = await this.#open();
    return new Promise((yes, no) => {
      const tx = db.transaction('files', mode, { durability: 'strict' });
      const r = work(tx.objectStore('files'));
      tx.oncomplete = () => yes(/** @type {any} */ (r)?.result);
      tx.onabort = tx.onerror = () => no(tx.error ?? new Error('files: transaction aborted'));
    });
  }

  /** @param {string} hash @param {Size} size @returns {Promise<Kept | undefined>} */
  read(hash, size) { return this.#store('readonly', s => s.get(hash + '/' + size)); }

  /** @param {Kept} k */
  keep(k) { return this.#store('readwrite', s => { s.put(k); }); }

  /** @param {string} key @returns {Promise<void>} */
  drop(key) { return this.#store('readwrite', s => { s.delete(key); }); }

  /** @returns {Promise<Kept[]>} */
  kept() { return this.#store('readonly', s => s.getAll()); }

  // What screens do.

  /** Stores a picture or PDF, to be sent, and returns the name by which a record refers to it. @param {Blob} file @returns {Promise<string>} */
  async add(file) {
    const hash = await (await later()).add(this, file);
    this.dispatchEvent(new Event('change'));
    this.send().catch(() => {});
    return hash;
  }

  /** Files of this person that wait to be sent or were refused. @returns {Promise<Kept[]>} */
  async unsent() {
    const all = (await this.kept()).filter(k => k.size === '' && k.person === this.client.me && (k.state === 'waiting' || k.state === 'refused'));
    this.waiting = all.filter(k => k.state === 'waiting').length;
    return all;
  }

  /** An address for <img> of what was read before; undefined: ask get. @param {string} hash @param {Size} size */
  ready(hash, size) { return this.#urls.get(hash + '/' + size); }

  /** An address for <img>, or undefined while the file is nowhere. @param {string} hash @param {Size} size @returns {Promise<string | undefined>} */
  async url(hash, size) {
    const key = hash + '/' + size, known = this.#urls.get(key);
    if (known) return known;
    const blob = await this.get(hash, size);
    if (!blob) return undefined;
    const url = await new Promise((/** @type {(s: string) => void} */ yes, no) => {
      const r = new FileReader();
      r.onload = () => yes(String(r.result));
      r.onerror = () => no(r.error);
      r.readAsDataURL(blob);
    });
    if (this.#urls.size > 300) this.#urls.clear();
    this.#urls.set(key, url);
    return url;
  }

  /** The file, from this phone or the server; undefined: not there, or not for this person. @param {string} hash @param {Size} size @returns {Promise<Blob | undefined>} */
  get(hash, size) {
    const key = hash + '/' + size;
    let p = this.#coming.get(key);
    if (!p) this.#coming.set(key, p = this.#find(hash, size).finally(() => this.#coming.delete(key)));
    return p;
  }

  /** @param {string} hash @param {Size} size */
  async #find(hash, size) {
    if (!this.#named().has(hash) && (await this.read(hash, ''))?.person !== this.client.me) return undefined;
    for (const s of /** @type {Size[]} */ (size === 'screen' ? ['screen', ''] : [size])) {
      const k = await this.read(hash, s);
      if (k && k.state !== 'part') return k.blob;
    }
    const i = this.#turn++ % this.#gate.length;
    const mine = this.#gate[i].then(() => later().then(l => l.bring(this, hash, size)));
    this.#gate[i] = mine.then(() => {}, () => {});
    return mine;
  }

  // The road.

  /** Sends what waits, the oldest first, and forgets what nothing names any more. One window does it at a time. */
  async send() {
    if (this.#sending || !this.client.account) return;
    this.#sending = true;
    try {
      const locks = globalThis.navigator?.locks;
      if (!locks) await this.#send();
      else await locks.request(this.#name, { ifAvailable: true }, async lock => { if (lock) await this.#send(); });
    } finally { this.#sending = false; }
  }

  async #send() {
    await this.#sweep();
    const { epoch } = this.client.state.place;
    const wait = (await this.kept()).filter(k => k.size === '' && k.person === this.client.me && (k.state === 'waiting' || (k.state === 'sent' && k.epoch !== epoch)));
    if (wait.length) await (await later()).send(this, wait.sort((a, b) => a.at.localeCompare(b.at)).slice(0, 100));
  }

  // What stays.

  /** Forgets what nothing names any more; after a sign-out, everything. */
  async forget() {
    if (this.client.account) return this.#sweep();
    this.#urls.clear();
    await this.#store('readwrite', s => { s.clear(); });
    this.dispatchEvent(new Event('change'));
  }

  /** The names of files that records and open edits on this phone hold. */
  #named() {
    const c = this.client, names = new Set();
    const read = (/** @type {any} */ v) => { for (const n of JSON.stringify(v).match(/\b[0-9a-f]{64}\b/g) ?? []) names.add(n); };
    for (const coll of c.state.records.keys()) for (const r of c.all(coll)) for (const v of Object.values(r)) if (typeof v === 'string' && v.length >= 64) read(v);
    for (const k of [...c.waiting, ...c.unsettled]) read(k.edit);
    read(c.notes.held ?? []);
    return names;
  }

  /** Forgets what nothing names: above all the files of a circle that the person has left. Not while the phone is being filled. */
  async #sweep() {
    const { epoch, cursor } = this.client.state.place;
    if (epoch && !cursor) return;
    const named = this.#named(), now = this.client.now().getTime();
    const gone = (await this.kept()).filter(k => !named.has(k.hash));
    const young = new Set(gone.filter(k => (k.state === 'waiting' || k.state === 'refused') && now - Date.parse(k.at) < unnamed).map(k => k.hash));
    for (const k of gone) if (!young.has(k.hash)) {
      this.#urls.delete(k.key);
      await this.drop(k.key);
    }
  }
}

/** @param {Blob} b */
export async function sum(b) { return [...new Uint8Array(await crypto.subtle.digest('SHA-256', await b.arrayBuffer()))].map(x => x.toString(16).padStart(2, '0')).join(''); }
