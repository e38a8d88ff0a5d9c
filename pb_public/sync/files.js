// @ts-check
// Photos and scans (docs/PROTOCOL.md, Files). A picture is drawn anew before it
// is named: smaller, upright, without the place where it was taken. It is stored
// here first and a record may name it at once; it goes up in pieces when there is
// a road, from where the last one ended, and others' come down the same way. A
// file stays as long as a record or an edit on this phone names it.

import { NoRoad, Refusal } from './client.js';
import { authorization } from './keys.js';

/**
 * @typedef {import('./client.js').Client} Client @typedef {'' | 'screen' | 'thumb'} Size
 * @typedef {{key: string, hash: string, size: Size, person: string, state: 'have' | 'part' | 'waiting' | 'sent' | 'refused',
 *   blob: Blob, upload?: string, etag?: string, code?: string, say?: string, epoch?: string, at: string}} Kept
 */

const base = '/api/files/', uploads = base + 'uploads';
const mostBytes = 10 << 20, side = 1600, thumbSide = 96;
const pieceLeast = 4 << 10, pieceFirst = 32 << 10, pieceMost = 1 << 20, quick = 2000, inVain = 3, patience = 45_000, unnamed = 30 * 86_400_000;
const final = new Set(['too_big', 'bad_type', 'too_many_pixels']);

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
  #sending = false;

  /** @param {Client} client @param {{fetch?: typeof fetch}} [with_] */
  constructor(client, with_ = {}) {
    super();
    this.client = client;
    this.fetch = with_.fetch ?? ((...a) => fetch(...a));
  }

  // The store.

  #open() {
    this.#db ??= new Promise((yes, no) => {
      const r = indexedDB.open('langso-files', 1);
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
  #get(hash, size) { return this.#store('readonly', s => s.get(hash + '/' + size)); }

  /** @param {Kept} k */
  #put(k) { return this.#store('readwrite', s => { s.put(k); }); }

  /** @returns {Promise<Kept[]>} */
  #all() { return this.#store('readonly', s => s.getAll()); }

  // What screens do.

  /** Stores a picture or PDF, to be sent, and returns the name by which a record refers to it. @param {Blob} file @returns {Promise<string>} */
  async add(file) {
    const whole = file.type === 'application/pdf' ? file : await drawn(file, side, 'image/webp', 0.75);
    if (whole.size > mostBytes) throw new Refusal('too_big', 'Tệp quá lớn, hãy chọn ảnh nhỏ hơn.', 0, undefined);
    const hash = await sum(whole), person = this.client.me, at = this.client.now().toISOString();
    const had = await this.#get(hash, '');
    const state = had?.state === 'sent' && had.person === person ? 'sent' : 'waiting';
    await this.#put({ key: hash + '/', hash, size: '', person, state, blob: whole, at, upload: had?.upload, epoch: had?.epoch });
    if (whole !== file) await this.#put({ key: hash + '/thumb', hash, size: 'thumb', person, state: 'have', blob: await drawn(whole, thumbSide, 'image/jpeg', 0.5), at });
    this.send().catch(() => {});
    return hash;
  }

  /** Files of this person that wait to be sent or were refused. @returns {Promise<Kept[]>} */
  async unsent() { return (await this.#all()).filter(k => k.size === '' && k.person === this.client.me && (k.state === 'waiting' || k.state === 'refused')); }

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
    if (!this.#named().has(hash) && (await this.#get(hash, ''))?.person !== this.client.me) return undefined;
    for (const s of /** @type {Size[]} */ (size === 'screen' ? ['screen', ''] : [size])) {
      const k = await this.#get(hash, s);
      if (k && k.state !== 'part') return k.blob;
    }
    const i = this.#turn++ % this.#gate.length;
    const mine = this.#gate[i].then(() => this.#bring(hash, size));
    this.#gate[i] = mine.then(() => {}, () => {});
    return mine;
  }

  // Down.

  /** Brings a file, from where the last attempt ended. @param {string} hash @param {Size} size @returns {Promise<Blob | undefined>} */
  async #bring(hash, size) {
    for (let vain = 0; ;) {
      const before = (await this.#get(hash, size))?.blob.size ?? 0;
      try { return await this.#part(hash, size); } catch (err) {
        if (err instanceof Refusal && err.code === 'not_found') return undefined;
        if (err instanceof Refusal && err.code !== 'range') throw err;
        const now = (await this.#get(hash, size))?.blob.size ?? 0;
        if (now > before) vain = 0; else if (++vain >= inVain) throw err;
      }
    }
  }

  /** @param {string} hash @param {Size} size @returns {Promise<Blob>} */
  async #part(hash, size) {
    const had = await this.#get(hash, size), key = hash + '/' + size;
    /** @type {Record<string, string>} */
    const more = had?.etag && had.blob.size ? { Range: `bytes=${had.blob.size}-`, 'If-Range': had.etag } : {};
    const res = await this.#ask('GET', base + hash, size && '?size=' + size, more);
    if (res.status === 416) {
      await this.#store('readwrite', s => { s.delete(key); });
      throw new Refusal('range', '', 416, undefined);
    }
    const etag = res.headers.get('ETag') ?? '', type = res.headers.get('Content-Type') ?? '';
    if (!/^"[0-9a-f]{64}"$/.test(etag) || !res.body) throw new NoRoad('not our answer');
    const first = res.status === 206 ? had?.blob.size ?? 0 : 0;
    const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(res.headers.get('Content-Range') ?? '');
    if (res.status === 206 && Number(range?.[1]) !== first) throw new NoRoad('another range');
    const total = res.status === 206 ? Number(range?.[2]) : Number(res.headers.get('Content-Length'));
    /** @type {BlobPart[]} */
    const parts = first && had ? [had.blob] : [];
    let broken;
    try { for await (const b of chunks(res.body)) parts.push(b); } catch (err) { broken = err; }
    const blob = new Blob(parts, { type });
    const k = { key, hash, size, person: '', blob, etag, at: this.client.now().toISOString() };
    if (broken || blob.size < total) {
      await this.#put({ ...k, state: 'part' });
      throw broken ?? new NoRoad('cut');
    }
    if (`"${await sum(blob)}"` !== etag) {
      await this.#store('readwrite', s => { s.delete(key); });
      throw new NoRoad('damaged');
    }
    await this.#put({ ...k, state: 'have' });
    return blob;
  }

  // Up.

  /** Sends what waits, the oldest first, and forgets what nothing names any more. One window does it at a time. */
  async send() {
    if (this.#sending || !this.client.account) return;
    this.#sending = true;
    try {
      const locks = globalThis.navigator?.locks;
      if (!locks) await this.#send();
      else await locks.request('langso-files', { ifAvailable: true }, async lock => { if (lock) await this.#send(); });
    } finally { this.#sending = false; }
  }

  async #send() {
    await this.#sweep();
    const { epoch } = this.client.state.place;
    const wait = (await this.#all()).filter(k => k.size === '' && k.person === this.client.me && (k.state === 'waiting' || (k.state === 'sent' && k.epoch !== epoch)))
      .sort((a, b) => a.at.localeCompare(b.at)).slice(0, 100);
    if (!wait.length) return;
    const { have } = await this.client.signedCall(base + 'have', { hashes: wait.map(k => k.hash) });
    for (const k of wait) {
      try {
        if (!have.includes(k.hash)) await this.#sendOne(k);
        await this.#put({ ...k, state: 'sent', upload: undefined, code: undefined, say: undefined, epoch });
      } catch (err) {
        if (!(err instanceof Refusal) || !final.has(err.code)) throw err;
        await this.#put({ ...k, state: 'refused', upload: undefined, code: err.code, say: err.message });
      }
      this.dispatchEvent(new Event('change'));
    }
  }

  /** @param {Kept} k */
  async #sendOne(k) {
    let at = 0, ask = Boolean(k.upload), piece = pieceFirst, begun = 0;
    for (let vain = 0; ;) {
      const was = at;
      try {
        if (ask && k.upload) at = offset(await this.#ask('HEAD', k.upload, '', {}));
        ask = false;
        if (k.upload && at === k.blob.size) return;
        const since = Date.now();
        at = await this.#sendPiece(k, at, piece);
        if (Date.now() - since < quick) piece = Math.min(piece * 2, pieceMost);
        vain = 0;
      } catch (err) {
        const code = err instanceof Refusal ? err.code : '';
        if (code === 'not_found' || code === 'upload_expired') {
          if (++begun >= inVain) throw err;
          k.upload = undefined;
          at = 0;
        } else if (!(err instanceof NoRoad) && code !== 'bad_checksum' && code !== 'offset') throw err;
        ask = Boolean(k.upload);
        piece = Math.max(piece >> 1, pieceLeast);
        if (at > was) vain = 0; else if (++vain >= inVain) throw err;
      }
    }
  }

  /** Sends the next piece and returns how far the upload is then. @param {Kept} k @param {number} at @param {number} most */
  async #sendPiece(k, at, most) {
    const bytes = new Uint8Array(await k.blob.slice(at, at + most).arrayBuffer());
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    /** @type {Record<string, string>} */
    const more = { 'Content-Type': 'application/offset+octet-stream', 'Upload-Checksum': 'sha256 ' + btoa(String.fromCharCode(...digest)) };
    if (k.upload) return offset(await this.#ask('PATCH', k.upload, '', { ...more, 'Upload-Offset': String(at) }, bytes));
    const res = await this.#ask('POST', uploads, '', { ...more, 'Upload-Length': String(k.blob.size), 'Upload-Metadata': 'sha256 ' + btoa(k.hash) }, bytes);
    const place = res.headers.get('Location') ?? '';
    if (!place.startsWith(uploads + '/')) throw new NoRoad('answered without a place');
    k.upload = place;
    await this.#put(k);
    return offset(res);
  }

  /** Sends a signed request. What is signed in the place of an upload's body are four headers. @param {string} method @param {string} path @param {string} query @param {Record<string, string>} more @param {Uint8Array} [body] @returns {Promise<Response>} */
  async #ask(method, path, query, more, body) {
    const { account } = this.client;
    if (!account) throw new NoRoad('signed out');
    const tus = method !== 'GET';
    const text = tus ? ['Upload-Length', 'Upload-Metadata', 'Upload-Offset', 'Upload-Checksum'].map(h => more[h] ?? '').join('\n') : '';
    const headers = { ...more, ...(tus ? { 'Tus-Resumable': '1.0.0' } : {}), Authorization: await authorization(account.key, account.phone, method, path, new TextEncoder().encode(text)) };
    const stop = new AbortController(), timer = setTimeout(() => stop.abort(), tus ? 2 * patience : patience);
    let res;
    try {
      // Nothing of a circle that is left may lie in the browser's cache.
      res = await this.fetch(path + query, { method, headers, body: /** @type {any} */ (body), cache: 'no-store', credentials: 'omit', signal: stop.signal });
    } catch (err) { throw new NoRoad(String(err)); } finally { clearTimeout(timer); }
    if (res.ok || res.status === 416) return res;
    if (method === 'HEAD') throw new Refusal(res.status === 404 ? 'not_found' : res.status === 410 ? 'upload_expired' : 'unknown', '', res.status, undefined);
    const got = await res.json().catch(() => { throw new NoRoad('HTTP ' + res.status); });
    throw new Refusal(got.code ?? 'unknown', got.say ?? '', res.status, got);
  }

  // What stays.

  /** Forgets what nothing names any more; after a sign-out, everything. */
  async forget() {
    if (this.client.account) return this.#sweep();
    this.#urls.clear();
    await this.#store('readwrite', s => { s.clear(); });
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
    const gone = (await this.#all()).filter(k => !named.has(k.hash));
    const young = new Set(gone.filter(k => (k.state === 'waiting' || k.state === 'refused') && now - Date.parse(k.at) < unnamed).map(k => k.hash));
    for (const k of gone) if (!young.has(k.hash)) {
      this.#urls.delete(k.key);
      await this.#store('readwrite', s => { s.delete(k.key); });
    }
  }
}

/** How far an upload is; what does not say so is not our server. @param {Response} res */
function offset(res) {
  const n = Number(res.headers.get('Upload-Offset') ?? NaN);
  if (!(n >= 0)) throw new NoRoad('answered without an offset');
  return n;
}

/** @param {Blob} b */
async function sum(b) { return [...new Uint8Array(await crypto.subtle.digest('SHA-256', await b.arrayBuffer()))].map(x => x.toString(16).padStart(2, '0')).join(''); }

/** Draws a picture anew, upright and at most so many pixels long: only what is seen is left. @param {Blob} file @param {number} most @param {string} type @param {number} quality @returns {Promise<Blob>} */
async function drawn(file, most, type, quality) {
  const no = () => { throw new Refusal('bad_type', 'Máy không mở được ảnh này. Xin chọn ảnh khác.', 0, undefined); };
  const image = await createImageBitmap(file, { imageOrientation: 'from-image' }).catch(no);
  const scale = Math.min(1, most / Math.max(image.width, image.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(image.width * scale));
  canvas.height = Math.max(1, Math.round(image.height * scale));
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  pen.fillStyle = '#fff';
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingQuality = 'high';
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  image.close();
  const made = await new Promise((/** @type {(b: Blob | null) => void} */ yes) => canvas.toBlob(yes, type, quality));
  if (made && made.type === type) return made;
  // A browser that does not write WebP gives a PNG: five times as large.
  return type === 'image/jpeg' ? made ?? no() : drawn(file, most, 'image/jpeg', 0.75);
}

/** Reads a stream; one that stays silent is no road. @param {ReadableStream<Uint8Array>} stream @returns {AsyncGenerator<any>} */
async function* chunks(stream) {
  const reader = stream.getReader();
  try {
    for (;;) {
      /** @type {any} */
      let timer;
      const late = new Promise((_, no) => { timer = setTimeout(() => no(new NoRoad('silence')), patience); });
      const { done, value } = await Promise.race([reader.read(), late]).catch(err => { throw new NoRoad(String(err)); }).finally(() => clearTimeout(timer));
      if (done) return;
      yield value;
    }
  } finally { reader.cancel().catch(() => {}); }
}
