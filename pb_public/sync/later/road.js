// @ts-check
// The road of files.js: a picture is drawn anew and sent in pieces, others come
// down by ranges. It is loaded when the first photo is added or looked at.

import { NoRoad, Refusal } from '../client.js';
import { sum } from '../files.js';

/** @typedef {import('../files.js').Files} Files @typedef {import('../files.js').Kept} Kept @typedef {import('../files.js').Size} Size */

const base = '/api/files/', uploads = base + 'uploads';
const mostBytes = 10 << 20, side = 1600, thumbSide = 96;
const pieceLeast = 4 << 10, pieceFirst = 32 << 10, pieceMost = 1 << 20, quick = 2000, inVain = 3, patience = 45_000;
const final = new Set(['too_big', 'bad_type', 'too_many_pixels']);

/** Stores a picture or PDF, to be sent, and returns its name. @param {Files} files @param {Blob} file @returns {Promise<string>} */
export async function add(files, file) {
  const whole = file.type === 'application/pdf' ? file : await drawn(file, side, 'image/webp', 0.75);
  if (whole.size > mostBytes) throw new Refusal('too_big', 'Tệp quá lớn, hãy chọn ảnh nhỏ hơn.', 0, undefined);
  const hash = await sum(whole), person = files.client.me, at = files.client.now().toISOString();
  const had = await files.read(hash, '');
  const state = had?.state === 'sent' && had.person === person ? 'sent' : 'waiting';
  await files.keep({ key: hash + '/', hash, size: '', person, state, blob: whole, at, upload: had?.upload, epoch: had?.epoch });
  if (whole !== file) await files.keep({ key: hash + '/thumb', hash, size: 'thumb', person, state: 'have', blob: await drawn(whole, thumbSide, 'image/jpeg', 0.5), at });
  return hash;
}

/** Sends files, of which the server is first asked which it has. @param {Files} files @param {Kept[]} wait */
export async function send(files, wait) {
  const { epoch } = files.client.state.place;
  const { have } = await files.client.signedCall(base + 'have', { hashes: wait.map(k => k.hash) });
  for (const k of wait) {
    try {
      if (!have.includes(k.hash)) await sendOne(files, k);
      await files.keep({ ...k, state: 'sent', upload: undefined, done: undefined, code: undefined, say: undefined, epoch });
    } catch (err) {
      if (!(err instanceof Refusal) || !final.has(err.code)) {
        if (k.done) await files.keep(k); // to say how far it is when the app is opened without a network
        throw err;
      }
      await files.keep({ ...k, state: 'refused', upload: undefined, done: undefined, code: err.code, say: err.message });
    } finally { there(files); }
  }
}

/** Says how much of a file is at the server, or that none is going up. @param {Files} files @param {Kept} [k] @param {number} [at] */
function there(files, k, at) {
  if (k && at !== undefined) k.done = at;
  files.going = k && { hash: k.hash, at: k.done ?? 0 };
  files.dispatchEvent(new Event('change'));
}

/** @param {Files} files @param {Kept} k */
async function sendOne(files, k) {
  let at = 0, unsure = Boolean(k.upload), piece = pieceFirst, begun = 0;
  there(files, k);
  for (let vain = 0; ;) {
    const was = at;
    try {
      if (unsure && k.upload) there(files, k, at = offset(await ask(files, 'HEAD', k.upload, '', {})));
      unsure = false;
      if (k.upload && at === k.blob.size) return;
      const since = Date.now();
      there(files, k, at = await sendPiece(files, k, at, piece));
      if (Date.now() - since < quick) piece = Math.min(piece * 2, pieceMost);
      vain = 0;
    } catch (err) {
      const code = err instanceof Refusal ? err.code : '';
      if (code === 'not_found' || code === 'upload_expired') {
        if (++begun >= inVain) throw err;
        k.upload = undefined;
        there(files, k, at = 0);
      } else if (!(err instanceof NoRoad) && code !== 'bad_checksum' && code !== 'offset') throw err;
      unsure = Boolean(k.upload);
      piece = Math.max(piece >> 1, pieceLeast);
      if (at > was) vain = 0; else if (++vain >= inVain) throw err;
    }
  }
}

/** Sends the next piece and returns how far the upload is then. @param {Files} files @param {Kept} k @param {number} at @param {number} most */
async function sendPiece(files, k, at, most) {
  const bytes = new Uint8Array(await k.blob.slice(at, at + most).arrayBuffer());
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  /** @type {Record<string, string>} */
  const more = { 'Content-Type': 'application/offset+octet-stream', 'Upload-Checksum': 'sha256 ' + btoa(String.fromCharCode(...digest)) };
  if (k.upload) return offset(await ask(files, 'PATCH', k.upload, '', { ...more, 'Upload-Offset': String(at) }, bytes));
  const res = await ask(files, 'POST', uploads, '', { ...more, 'Upload-Length': String(k.blob.size), 'Upload-Metadata': 'sha256 ' + btoa(k.hash) }, bytes);
  const place = res.headers.get('Location') ?? '';
  if (!place.startsWith(uploads + '/')) throw new NoRoad('answered without a place');
  k.upload = place;
  await files.keep(k);
  return offset(res);
}

/** Brings a file, from where the last attempt ended. @param {Files} files @param {string} hash @param {Size} size @returns {Promise<Blob | undefined>} */
export async function bring(files, hash, size) {
  for (let vain = 0; ;) {
    const before = (await files.read(hash, size))?.blob.size ?? 0;
    try { return await part(files, hash, size); } catch (err) {
      if (err instanceof Refusal && err.code === 'not_found') return undefined;
      if (err instanceof Refusal && err.code !== 'range') throw err;
      const now = (await files.read(hash, size))?.blob.size ?? 0;
      if (now > before) vain = 0; else if (++vain >= inVain) throw err;
    }
  }
}

/** @param {Files} files @param {string} hash @param {Size} size @returns {Promise<Blob>} */
async function part(files, hash, size) {
  const had = await files.read(hash, size), key = hash + '/' + size;
  /** @type {Record<string, string>} */
  const more = had?.etag && had.blob.size ? { Range: `bytes=${had.blob.size}-`, 'If-Range': had.etag } : {};
  const res = await ask(files, 'GET', base + hash, size && '?size=' + size, more);
  if (res.status === 416) {
    await files.drop(key);
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
  const k = { key, hash, size, person: '', blob, etag, at: files.client.now().toISOString() };
  if (broken || blob.size < total) {
    await files.keep({ ...k, state: 'part' });
    throw broken ?? new NoRoad('cut');
  }
  if (`"${await sum(blob)}"` !== etag) {
    await files.drop(key);
    throw new NoRoad('damaged');
  }
  await files.keep({ ...k, state: 'have' });
  return blob;
}

/** Sends a signed request. What is signed in the place of an upload's body are four headers. @param {Files} files @param {string} method @param {string} path @param {string} query @param {Record<string, string>} more @param {Uint8Array} [body] @returns {Promise<Response>} */
async function ask(files, method, path, query, more, body) {
  if (!files.client.account) throw new NoRoad('signed out');
  const tus = method !== 'GET';
  const text = tus ? ['Upload-Length', 'Upload-Metadata', 'Upload-Offset', 'Upload-Checksum'].map(h => more[h] ?? '').join('\n') : '';
  const headers = { ...more, ...(tus ? { 'Tus-Resumable': '1.0.0' } : {}), ...await files.client.authorized(method, path, new TextEncoder().encode(text)) };
  const stop = new AbortController(), timer = setTimeout(() => stop.abort(), tus ? 2 * patience : patience);
  let res;
  try {
    // Nothing of a circle that is left may lie in the browser's cache.
    res = await files.fetch(files.client.base + path + query, { method, headers, body: /** @type {any} */ (body), cache: 'no-store', credentials: 'omit', signal: stop.signal });
  } catch (err) { throw new NoRoad(String(err)); } finally { clearTimeout(timer); }
  if (res.ok || res.status === 416) return res;
  if (method === 'HEAD') throw new Refusal(res.status === 404 ? 'not_found' : res.status === 410 ? 'upload_expired' : 'unknown', '', res.status, undefined);
  const got = await res.json().catch(() => { throw new NoRoad('HTTP ' + res.status); });
  throw new Refusal(got.code ?? 'unknown', got.say ?? '', res.status, got);
}

/** How far an upload is; what does not say so is not our server. @param {Response} res */
function offset(res) {
  const n = Number(res.headers.get('Upload-Offset') ?? NaN);
  if (!(n >= 0)) throw new NoRoad('answered without an offset');
  return n;
}

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
