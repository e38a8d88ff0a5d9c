// @ts-check
// The phone: what screens read, what they write, and when it meets the server.
// Everything a person does is stored first and told to the server when there is
// a road; two open windows share one store and take turns at the road.

import { compose, isOpen, isTaken, spent, takeUp, unsettled, waiting, write } from './edits.js';
import { chunksOf } from './chunk.js';
import { Comparison } from './compare.js';
import { Answer, Garbled, Writes, ask, newState } from './exchange.js';
import { authorization, newKey } from './keys.js';
import { overlay } from './overlay.js';
import { decided } from './settle.js';
import { Another } from './store.js';

/**
 * @typedef {import('./store.js').Store} Store @typedef {import('./store.js').Account} Account @typedef {import('./store.js').Notes} Notes
 * @typedef {import('./overlay.js').Edit} Edit @typedef {import('./overlay.js').Kept} Kept
 * @typedef {{method: string, path: string, body: Uint8Array}} Signed what is to be signed of a request: the path without host and query, the bytes as sent
 * @typedef {object} Options
 * @property {string} [base] where the server is, "" = where the page came from
 * @property {(request: Signed, account: Account) => Promise<Record<string, string>> | Record<string, string>} [authorize] headers
 *   that tell the server who asks; absent: signed by the phone's key (docs/PROTOCOL.md §2)
 * @property {typeof fetch} [fetch] @property {() => Date} [now] @property {string} [app] name/version, for the administrator
 * @property {BroadcastChannel} [channel] by which windows tell each other that something was written
 * @property {string} [lock] name of the Web Lock by which windows take turns at the road
 * @typedef {'idle' | 'busy' | 'offline' | 'waiting' | 'signed-out' | 'blocked' | 'old'} Mood
 */

/** What the server refused: a stable code and a sentence for the person. */
export class Refusal extends Error {
  /** @param {string} code @param {string} say @param {number} status @param {any} body */
  constructor(code, say, status, body) { super(say); this.code = code; this.status = status; this.body = body; }
}

/** No server was reached, or what answered was not ours (a captive portal). */
export class NoRoad extends Error {}

const path = '/api/sync', quiet = 300, every = 60_000, patience = 45_000;

/** What few meetings need is loaded when one does; in a service worker, which may not load later, it is there from the start. */
export const later = { snapshot: () => import('./later/snapshot.js') };

export class Client extends EventTarget {
  /** @type {import('./exchange.js').State} */ state = newState();
  /** @type {Account | undefined} */ account;
  /** @type {Notes} */ notes = {};
  /** @type {Mood} */ mood = 'idle';
  /** @type {Map<string, Map<string, any>>} */ #seen = new Map();
  /** @type {Promise<any>} */ #queue = Promise.resolve();
  /** @type {Promise<void> | undefined} the meeting under way */ #under;
  #running = false; #again = false; #failures = 0; #stale = false; #without = false;
  /** @type {any} */ #timer;
  /** @type {Answer['load']} files that the answer to a sign-in named: getting them first saves a journey */ #offered = [];
  /** @type {number | undefined} most edits in an ask, after one was too large */ #most;
  /** @type {string | undefined} the phone that meets the server */ #meets;

  /** @param {Store} store @param {Options} [with_] */
  constructor(store, with_ = {}) {
    super();
    this.store = store;
    this.base = (with_.base ?? '').replace(/\/$/, '');
    this.lock = with_.lock ?? 'langso-sync';
    this.sign = with_.authorize;
    this.fetch = with_.fetch ?? ((...a) => fetch(...a));
    this.now = with_.now ?? (() => new Date());
    this.app = with_.app ?? 'web/dev';
    this.channel = with_.channel;
    this.channel?.addEventListener('message', () => { if (this.#running) this.#stale = true; else this.reload(); });
  }

  /** Reads everything from the store: at start, and when another window wrote. */
  async reload() {
    await this.#inTurn(async () => Object.assign(this, await this.store.load()));
    this.#stale = false;
    this.#changed(false);
  }

  /** Runs work after what was begun before it, so that reading the store never misses an edit being written. @template T @param {() => Promise<T>} work @returns {Promise<T>} */
  #inTurn(work) {
    const mine = this.#queue.then(work);
    this.#queue = mine.catch(() => {});
    return mine;
  }

  /** @param {boolean} [tell] whether other windows are to know */
  #changed(tell = true) {
    this.#seen.clear();
    if (tell) this.channel?.postMessage('written');
    this.dispatchEvent(new Event('change'));
  }

  /** @param {Mood} mood */
  #feel(mood) {
    if (this.mood === mood) return;
    this.mood = mood;
    this.dispatchEvent(new Event('mood'));
  }

  // What screens read.

  /** All records of a collection as the person sees them. @param {string} coll @returns {any[]} */
  all(coll) { return [...this.#view(coll).values()]; }

  /** One record, or undefined. @param {string} coll @param {string} id @returns {any} */
  get(coll, id) { return this.#view(coll).get(id); }

  /** @param {string} coll */
  #view(coll) {
    let v = this.#seen.get(coll);
    if (!v) this.#seen.set(coll, v = overlay(this.state.records.get(coll), this.#inOrder(), coll));
    return v;
  }

  #inOrder() { return [...this.state.edits.values()].sort((a, b) => a.edit.n - b.edit.n); }

  /** Edits that wait to be sent. */
  get waiting() { return waiting(this.state.edits.values()).filter(k => !k.dismissed); }

  /** Refused and parked edits that the person has not settled. */
  get unsettled() { return unsettled(this.state.edits.values()); }

  /** Actions of one name that are asked for and not seen among the records yet. @param {string} name @returns {Kept[]} */
  asked(name) { return this.#inOrder().filter(k => k.edit.do === name && (!k.verdict || (isTaken(k) && k.landed === false))); }

  /** Id of the person who is signed in, or "". */
  get me() { return this.account?.person.id ?? ''; }

  /** Names of the circles of a kind in which the person stands; a circle without a name gives "". @param {string} kind @returns {string[]} */
  circles(kind) { return this.state.place.circles.filter(c => c === kind || c.startsWith(kind + ':')).map(c => c.slice(kind.length + 1)); }

  /** @param {string} circle */
  stands(circle) { return this.state.place.circles.includes(circle); }

  // What screens write.

  /**
   * Stores an edit; it is done for the person when this returns. With `fixes` the refused or parked edit is put
   * aside and what waited for it goes again: either all of that is stored or nothing.
   * @param {Omit<Edit, 'n'>} wish @returns {Promise<Kept>}
   */
  async edit(wish) {
    let mine = 0;
    await this.#append(n => write(wish, mine = n, this.state.place.cursor, this.now(), this.state.edits.values()));
    this.#changed();
    this.soon(quiet);
    return /** @type {Kept} */ (this.state.edits.get(mine));
  }

  /** @param {(n: number) => Kept[]} make */
  #append(make) {
    return this.#inTurn(async () => {
      for (const k of await this.store.append(make, this.account?.phone)) {
        this.state.edits.set(k.edit.n, k);
        this.state.n = Math.max(this.state.n, k.edit.n);
      }
    });
  }

  /** Sends again what was typed between a refusal and its repair: the server has parked it, for the old edit. */
  async #follow() {
    const again = (/** @type {number} */ n) => write(undefined, n, this.state.place.cursor, this.now(), this.state.edits.values());
    if (!again(this.state.n + 1).length) return;
    await this.#append(again);
    this.#changed();
  }

  /** The person is done with a refused or parked edit. @param {Kept} k */
  async dismiss(k) {
    const now = this.state.edits.get(k.edit.n);
    if (!now || !isOpen(now)) return; // the server wants it again meanwhile
    const { n } = now.edit, told = n > 0 && now.verdict?.is === 'parked' && now.edit.do !== 'phone.forgotten';
    const done = { ...now, dismissed: true };
    if (told) { // so that nobody decides about what is not wanted any more
      const wish = { do: 'sync.withdraw', args: { n } };
      await this.#append(next => [done, { edit: compose(wish, next, this.state.place.cursor, this.now(), []) }]);
      this.soon(quiet);
    } else {
      await this.store.settle([done], [], this.account?.phone);
      this.state.edits.set(n, done);
    }
    this.#changed();
  }

  /** Marks the parked edits about which somebody decided. */
  async #heed() {
    const done = decided(this.state.records.get('settlements')?.values() ?? [], this.state.edits, this.account?.phone ?? '');
    if (!done.length) return;
    await this.store.settle(done, [], this.#meets);
    for (const k of done) this.state.edits.set(k.edit.n, k);
    this.#changed();
  }

  // Sign-in.

  /** What the server says of itself; kept for receipts. */
  async hello() {
    const { name, key, seal, sms, demo } = await this.#call('GET', '/api/langso');
    await this.note({ name, key, seal, sms, demo });
    return this.notes;
  }

  /** @param {Notes} more */
  async note(more) {
    this.notes = await this.store.note(more);
  }

  /** Asks for a code by SMS. @param {string} number */
  sendCode(number) { return this.#call('POST', '/api/phones/code', { number }); }

  /**
   * Signs in. What waits on this phone goes along when it is the same person's.
   * @param {{number?: string, code?: string, person?: string, invitation?: string}} how @param {string} label
   * @returns {Promise<{id: string, name: string, born: string}[] | undefined>} persons to choose from, or undefined: done
   */
  async signIn(how, label) {
    const key = await newKey();
    const got = await this.#call('POST', '/api/phones/sign-in', { ...how, key: key.text, label });
    if (got.choose) return got.choose;
    this.#offered = got.load ?? [];
    await this.enter({ phone: got.phone, person: got.person, label, key });
  }

  /**
   * Makes this the phone of an account: after a sign-in of the app's own. What waits goes along when it is the same person's.
   * @param {Account} account
   */
  async enter(account) {
    const me = account.person.id;
    // What is on the disk counts: another window may have written since. What another person has not sent is held:
    // neither lost nor sent in somebody else's name.
    await this.store.move(account, (kept, notes, was) => {
      const same = !was || was.person.id === me, left = same ? [] : waiting(kept);
      const held = [...(notes.held ?? []), ...left.map(k => ({ person: was?.person.id ?? '', edit: k.edit }))];
      const { edits, n } = takeUp(same ? kept : [], held.filter(h => h.person === me).map(h => h.edit));
      return { edits, n, notes: { ...notes, synced: undefined, held: held.filter(h => h.person !== me) } };
    });
    await this.#scrub();
    await this.reload();
    this.channel?.postMessage('written');
    this.#feel('idle');
    this.sync();
  }

  /**
   * Binds this phone to the account of a PocketBase token, at a server that has langso/sync/attach. The token is used once and not kept.
   * @param {string} token @param {{name?: string, label?: string}} [about]
   */
  async bind(token, { name = '', label = '' } = {}) {
    const key = await newKey();
    const got = await this.#call('POST', '/api/sync/phone', { key: key.text, label }, false, { Authorization: token });
    this.#offered = got.load ?? [];
    await this.enter({ phone: got.phone, person: { id: got.person, name }, label, key });
  }

  /** Signs out and forgets everything on this phone. The caller has asked twice when edits wait. */
  async signOut() {
    try { await this.signedCall('/api/phones/sign-out', {}); } catch { /* the key is forgotten here in any case */ }
    await this.store.move(undefined);
    await this.#scrub();
    await this.reload();
    this.channel?.postMessage('written');
  }

  /** @param {string} to @param {any} body */
  signedCall(to, body) { return this.#call('POST', to, body, true); }

  /** @param {string} method @param {string} to @param {any} [body] @param {boolean} [signed] @param {Record<string, string>} [more] @returns {Promise<any>} */
  async #call(method, to, body, signed, more = {}) {
    const bytes = new TextEncoder().encode(body === undefined ? '' : JSON.stringify(body));
    const res = await this.#send(method, to, bytes, signed, more);
    const got = await res.json().catch(() => { throw new NoRoad('not JSON'); });
    if (!res.ok) throw new Refusal(got.code ?? 'unknown', got.say ?? got.message ?? '', res.status, got);
    return got;
  }

  /** The headers that tell the server who asks. @param {string} method @param {string} to path without query @param {Uint8Array} body as sent @returns {Promise<Record<string, string>>} */
  async authorized(method, to, body) {
    const a = this.account;
    if (!a) return {};
    if (this.sign) return this.sign({ method, path: to, body }, a);
    return a.key ? { Authorization: await authorization(a.key, a.phone, method, to, body) } : {};
  }

  /** @param {string} method @param {string} to @param {Uint8Array<ArrayBuffer>} bytes @param {boolean | undefined} signed @param {Record<string, string>} more */
  async #send(method, to, bytes, signed, more) {
    /** @type {Record<string, string>} */
    const headers = { ...more };
    if (method === 'POST') headers['Content-Type'] = 'application/json';
    if (signed) Object.assign(headers, await this.authorized(method, to, bytes));
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), patience);
    try {
      return await this.fetch(this.base + to, { method, headers, body: method === 'POST' ? bytes : undefined, cache: 'no-store', credentials: 'omit', signal: stop.signal });
    } catch (err) { throw new NoRoad(String(err)); } finally { clearTimeout(timer); }
  }

  // The road.

  /** Meets the server now; while it is being met, once more afterwards. */
  async sync() {
    if (!this.account) return;
    if (this.#running) { this.#again = true; return this.#under; }
    await (this.#under = this.#run());
  }

  async #run() {
    this.#running = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      do { this.#again = false; await this.#turn(async () => { await this.#meet(); await this.#scrub(); }); } while (this.#again && this.mood === 'idle');
    } catch (err) { await this.#fail(err).catch(() => {}); } finally { // the store is away: later it may be there again
      this.#running = false;
      if (this.#stale) await this.reload().catch(() => {});
      this.#plan();
    }
  }

  /** Runs work when no exchange is under way, here or in another window: the courier takes answers so. @param {() => Promise<void>} work */
  async between(work) {
    while (this.#running) await new Promise(yes => setTimeout(yes, 50));
    this.#running = true;
    const alone = async () => { if (await this.store.changed()) await this.reload(); this.#meets = this.account?.phone; await work(); await this.#follow(); };
    try { await (globalThis.navigator?.locks?.request(this.lock, alone) ?? alone()); } finally {
      this.#running = false;
      if (this.#stale) await this.reload();
      this.#changed();
      if (this.#again) { this.#again = false; this.sync(); }
    }
  }

  /** Takes an answer that came by another road, within `between`. @param {Uint8Array<ArrayBuffer>} body @param {Answer} a */
  take(body, a) { return this.#read(new Blob([body]).stream(), a); }

  /** Does what a refusal demands that came by another road, within `between`. @param {Refusal} err */
  refused(err) { return this.#fail(err); }

  /** Runs work while no other window does. @param {() => Promise<void>} work */
  async #turn(work) {
    const locks = globalThis.navigator?.locks;
    if (!locks) return work();
    await locks.request(this.lock, { ifAvailable: true }, async lock => {
      if (lock) { if (await this.store.changed()) await this.reload(); await work(); }
    });
  }

  /** One or more exchanges, until the phone equals the server or the road ends. */
  async #meet() {
    this.#feel('busy');
    this.#meets = this.account?.phone;
    let retry = 0, stuck = 0;
    const compare = new Comparison();
    this.#without = false;
    try {
      const { cursor, resume, loaded } = this.state.place; // and edits never wait for a download
      if (this.#offered.length && !cursor && !resume && !Object.keys(loaded).length && !this.waiting.length) await this.#fetchFiles(this.#offered);
      this.#offered = [];
      for (let i = 0; i < 500; i++) {
        const first = this.waiting[0]?.edit.n ?? 0, a = await this.#exchange(compare);
        retry = a.retryIn;
        await this.#heed();
        await this.#follow();
        if (a.load.length) { this.#without = !await this.#fetchFiles(a.load); continue; }
        if (!a.ended && !retry) throw new NoRoad('answer cut');
        const more = a.ended === 'complete' && compare.heard(this.state, a, this.now());
        if (a.ended === 'complete') await this.#place();
        const left = waiting(this.state.edits.values())[0]?.edit.n ?? 0;
        stuck = left && left === first && !more && a.ended === 'complete' ? stuck + 1 : 0; // no word of what was sent: not asked for ever
        if (retry || stuck > 2 || (a.ended === 'complete' && !more && !left)) break;
      }
      this.#failures = 0;
      this.#most = undefined;
      if (!retry) await this.#tidy();
      this.#feel('idle');
      if (retry) this.soon(retry * 1000 * (1 + Math.random() / 2));
    } catch (err) {
      if (!(err instanceof Refusal || err instanceof NoRoad)) await this.reload(); // the store did not take it: memory must not know more than the disk
      await this.#fail(err);
    }
  }

  /** Empties the disk of what the person may not see any more. Where that fails, a full disk, it is tried again after the next meeting. */
  async #scrub() { await this.store.scrub().catch(() => {}); }

  /** Stores the place. */
  async #place() {
    const w = new Writes();
    w.place = true;
    w.phone = this.#meets;
    await this.store.write(w, this.state);
  }

  /** Gets snapshot files. @param {Answer['load']} files @returns {Promise<boolean>} false: one could not be had, its records are to come in the answer */
  async #fetchFiles(files) {
    const { bring, forget, takeSnapshot } = await later.snapshot().catch(err => { throw new NoRoad(String(err)); });
    for (const f of files) {
      const lines = await bring(this, f.name), w = lines && takeSnapshot(this.state, lines);
      if (!w) return false;
      w.phone = this.#meets;
      await this.store.write(w, this.state);
      this.#changed();
    }
    await forget(this);
    return true;
  }

  /** @param {Comparison} compare */
  async #exchange(compare) {
    const clock = this.now();
    compare.due(this.state, clock);
    const says = ask(this.state, { app: this.app, want: want(), clock, most: this.#most, check: compare.next, without: this.#without });
    let body = new TextEncoder().encode(JSON.stringify(says));
    /** @type {Record<string, string>} */
    const headers = {};
    if (body.length > 1024 && typeof CompressionStream === 'function') {
      body = await gzip(body);
      headers['Content-Encoding'] = 'gzip';
    }
    const res = await this.#send('POST', path, body, true, headers);
    if (!res.ok) {
      const got = await res.json().catch(() => { throw new NoRoad('HTTP ' + res.status); });
      throw new Refusal(got.code ?? 'unknown', got.say ?? '', res.status, { ...got, retry: Number(res.headers.get('Retry-After')) || 0 });
    }
    if (!(res.headers.get('Content-Type') ?? '').startsWith('application/x-ndjson') || !res.body) throw new NoRoad('not our answer');
    return this.#read(res.body, new Answer(this.state, clock.toISOString(), compare.listed, compare.next));
  }

  /** @param {ReadableStream<Uint8Array>} stream @param {Answer} a */
  async #read(stream, a) {
    try {
      for await (const lines of chunksOf(chunks(stream))) {
        const w = a.chunk(lines);
        w.phone = this.#meets;
        await this.store.write(w, a.state);
        if (w.records.size || w.clear || w.edits.size || w.place) this.#changed();
        if (a.ended || a.retryIn) break;
      }
    } catch (err) {
      if (!(err instanceof Garbled) && !(err instanceof NoRoad)) {
        await this.reload(); // the store did not take it: memory must not know more than the disk
        throw err;
      }
    }
    return a;
  }

  /** After a complete exchange: forget spent edits, note the time. */
  async #tidy() {
    const forget = spent(this.state.edits.values(), this.now());
    if (forget.length) await this.store.settle([], forget, this.#meets);
    for (const n of forget) this.state.edits.delete(n);
    await this.note({ synced: this.now().toISOString() });
    this.#changed();
  }

  /** @param {any} err */
  async #fail(err) {
    this.#failures++;
    if (err instanceof Another || (err instanceof Refusal && this.#meets !== this.account?.phone)) { this.#feel('idle'); return; } // it was said to the account before
    if (!(err instanceof Refusal)) { this.#feel('offline'); return; }
    if (err.status === 401) { this.#feel('signed-out'); return; }
    if (err.status === 403 && err.body?.wipe) {
      await this.store.wipe(this.#handedIn(err), this.#meets);
      await this.reload();
      this.channel?.postMessage('written');
    }
    if (err.status === 403) this.#feel('blocked');
    else if (err.code === 'version') this.#feel('old');
    else {
      if (err.status === 413) this.#most = Math.max(1, Math.floor((this.#most ?? this.waiting.length) / 2));
      this.#feel('waiting');
      if (err.body?.retry) this.soon(err.body.retry * 1000 * (1 + Math.random() / 2));
    }
  }

  /** What a blocked phone still had is with the server, for a person to look at. @param {Refusal} err */
  #handedIn(err) {
    const theirs = waiting(this.state.edits.values()).filter(k => k.edit.n <= (err.body.acked ?? 0));
    const before = new Map((err.body.verdicts ?? []).map((/** @type {any} */ v) => [v.n, v.is])); // judged, and the answer was lost
    return theirs.map(k => ({ ...k, verdict: { n: k.edit.n, is: before.get(k.edit.n) ?? 'parked', code: err.code, say: err.message }, heard: this.now().toISOString() }));
  }

  /** Meets the server in so many milliseconds. @param {number} ms */
  soon(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => { this.#timer = undefined; this.sync(); }, ms);
    this.#timer?.unref?.();
  }

  /** Plans the next meeting: each minute while the app is looked at, later and later while it fails. */
  #plan() {
    if (typeof document === 'undefined' || this.#timer !== undefined) return; // an edit typed meanwhile, or the server, asked for one sooner
    if (this.mood === 'signed-out' || this.mood === 'blocked' || document.hidden) return;
    this.soon(this.#failures ? Math.min(300_000, 2000 * 2 ** this.#failures) * (0.5 + Math.random() / 2) : every);
  }
}

/** How much the road carries well. @returns {number | undefined} bytes, undefined: as the server likes */
function want() {
  const kind = /** @type {any} */ (globalThis.navigator)?.connection?.effectiveType;
  return kind === 'slow-2g' || kind === '2g' ? 65_536 : undefined;
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function gzip(bytes) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer());
}

/** Reads a stream by chunks; one that breaks or stays silent is no road. @param {ReadableStream<Uint8Array>} stream @returns {AsyncGenerator<Uint8Array>} */
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
