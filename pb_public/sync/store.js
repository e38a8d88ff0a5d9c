// @ts-check
// Where the phone keeps records, edits, its place and its key. Two stores with
// one face: IndexedDB in the browser, memory in tests.

import { isOpen } from './edits.js';
import { newState } from './exchange.js';

/**
 * @typedef {import('./exchange.js').State} State @typedef {import('./exchange.js').Writes} Writes
 * @typedef {import('./overlay.js').Kept} Kept
 * @typedef {{phone: string, person: {id: string, name: string}, label: string, key: import('./keys.js').Key}} Account
 * @typedef {{name?: string, key?: string, seal?: string, sms?: string, demo?: boolean, synced?: string, app?: string}} Notes
 *   small things worth keeping: the server's name and key, when the last exchange was complete
 * @typedef {object} Store
 * @property {() => Promise<{state: State, account?: Account, notes: Notes}>} load
 * @property {(w: Writes, state: State) => Promise<void>} write what one chunk of an answer changed, in one transaction
 * @property {(make: (n: number) => Kept[]) => Promise<Kept[]>} append tells the next n and stores what is made of it, in one transaction
 * @property {(put: Kept[], forget?: number[]) => Promise<void>} settle stores and forgets edits
 * @property {(a: Account | undefined, edits: Kept[], n: number) => Promise<void>} move another account: records are forgotten, edits replaced
 * @property {(w: Account) => Promise<void>} account stores the account, nothing else
 * @property {(notes: Notes) => Promise<void>} note
 * @property {() => Promise<boolean>} changed whether another window wrote since this one read or wrote
 * @property {() => Promise<void>} wipe forgets all records, the place, and the edits that are done or settled
 */

/** What a blocked phone may keep: what the server has not done. @param {Kept} k */
const owed = k => !k.verdict || isOpen(k);

/** @param {IDBRequest} r @returns {Promise<any>} */
const done = r => new Promise((yes, no) => { r.onsuccess = () => yes(r.result); r.onerror = () => no(r.error); });

/** The last number given only grows. @param {IDBObjectStore} small @param {number} n */
function raise(small, n) {
  const last = small.get('n');
  last.onsuccess = () => { if (n > (last.result ?? 0)) small.put(n, 'n'); };
}

/** @implements {Store} */
export class BrowserStore {
  // Each transaction counts up the stamp; a step that is not ours was another window's.
  #stamp = 0; #foreign = false;

  /** @param {IDBDatabase} db */
  constructor(db) { this.db = db; }

  /** @param {string} name @returns {Promise<BrowserStore>} */
  static async open(name = 'langso') {
    const r = indexedDB.open(name, 2);
    r.onupgradeneeded = e => {
      if (e.oldVersion < 1) {
        r.result.createObjectStore('small'); // place, n, account, notes
        r.result.createObjectStore('records', { keyPath: ['coll', 'id'] });
        r.result.createObjectStore('edits', { keyPath: 'edit.n' });
      }
      r.result.createObjectStore('kept', { autoIncrement: true }); // rows that do not show yet, in order
    };
    const db = await done(r);
    db.onversionchange = () => db.close();
    return new BrowserStore(db);
  }

  /**
   * Runs one transaction to its end. What a person wrote must be on the disk; what the server told it tells again.
   * @param {string[]} names @param {(tx: IDBTransaction) => any} work @param {'strict' | 'relaxed'} [durability] @returns {Promise<any>}
   */
  #tx(names, work, durability = 'strict') {
    return new Promise((yes, no) => {
      const tx = this.db.transaction([...new Set(['small', ...names])], 'readwrite', { durability });
      const small = tx.objectStore('small'), stamp = small.get('stamp');
      stamp.onsuccess = () => {
        const was = stamp.result ?? 0;
        if (was !== this.#stamp) this.#foreign = true;
        this.#stamp = was + 1;
        small.put(was + 1, 'stamp');
      };
      /** @type {any} */
      let out;
      tx.oncomplete = () => yes(out);
      tx.onabort = tx.onerror = () => no(tx.error ?? new Error('store: transaction aborted'));
      Promise.resolve(work(tx)).then(v => { out = v; }, err => { try { tx.abort(); } catch { /* already over */ } no(err); });
    });
  }

  async load() {
    const tx = this.db.transaction(['small', 'records', 'kept', 'edits']);
    const small = tx.objectStore('small');
    const [stamp, place, n, account, notes, records, kept, edits] = await Promise.all([
      done(small.get('stamp')), done(small.get('place')), done(small.get('n')), done(small.get('account')), done(small.get('notes')),
      done(tx.objectStore('records').getAll()), done(tx.objectStore('kept').getAll()), done(tx.objectStore('edits').getAll())]);
    this.#stamp = stamp ?? 0;
    this.#foreign = false;
    const state = newState();
    Object.assign(state.place, place);
    state.n = n ?? 0;
    for (const { coll, ...r } of records) {
      let of = state.records.get(coll);
      if (!of) state.records.set(coll, of = new Map());
      of.set(r.id, r);
    }
    state.kept = kept;
    for (const k of edits) state.edits.set(k.edit.n, k);
    return { state, account, notes: notes ?? {} };
  }

  /** @param {Writes} w @param {State} state */
  async write(w, state) {
    if (!w.place && !w.clear && !w.records.size && !w.edits.size && !w.keep.length && !w.rekeep) return;
    await this.#tx(['small', 'records', 'kept', 'edits'], tx => {
      const recs = tx.objectStore('records'), kept = tx.objectStore('kept'), edits = tx.objectStore('edits'), small = tx.objectStore('small');
      if (w.clear) recs.clear();
      for (const { coll, id, rec } of w.records.values()) if (rec) recs.put({ coll, ...rec }); else recs.delete([coll, id]);
      if (w.rekeep) kept.clear();
      for (const row of w.rekeep ? state.kept : w.keep) kept.add(row);
      for (const n of w.forget) edits.delete(n);
      for (const n of w.edits) { const k = state.edits.get(n); if (k) edits.put(k); }
      if (w.forget.length || w.edits.size) raise(small, state.n);
      if (w.place) small.put(state.place, 'place');
    }, 'relaxed');
  }

  /** @param {(n: number) => Kept[]} make @returns {Promise<Kept[]>} */
  append(make) {
    return this.#tx(['small', 'edits'], async tx => {
      const small = tx.objectStore('small'), last = (await done(small.get('n'))) ?? 0;
      const made = make(last + 1);
      for (const k of made) tx.objectStore('edits').put(k);
      small.put(Math.max(last, ...made.map(k => k.edit.n)), 'n');
      return made;
    });
  }

  /** @param {Kept[]} put @param {number[]} forget */
  async settle(put, forget = []) {
    await this.#tx(['edits'], tx => {
      for (const k of put) tx.objectStore('edits').put(k);
      for (const n of forget) tx.objectStore('edits').delete(n);
    });
  }

  /** @param {Account | undefined} a @param {Kept[]} edits @param {number} n */
  async move(a, edits, n) {
    await this.#tx(['small', 'records', 'kept', 'edits'], tx => {
      const small = tx.objectStore('small');
      tx.objectStore('records').clear();
      tx.objectStore('kept').clear();
      tx.objectStore('edits').clear();
      for (const k of edits) tx.objectStore('edits').put(k);
      small.delete('place');
      small.put(n, 'n');
      if (a) small.put(a, 'account'); else small.delete('account');
    });
  }

  /** @param {Account} a */
  async account(a) { await this.#tx(['small'], tx => { tx.objectStore('small').put(a, 'account'); }); }

  /** @param {Notes} notes */
  async note(notes) { await this.#tx(['small'], tx => { tx.objectStore('small').put(notes, 'notes'); }); }

  async changed() {
    return this.#foreign || ((await done(this.db.transaction('small').objectStore('small').get('stamp'))) ?? 0) !== this.#stamp;
  }

  async wipe() {
    await this.#tx(['small', 'records', 'kept', 'edits'], async tx => {
      tx.objectStore('records').clear();
      tx.objectStore('kept').clear();
      tx.objectStore('small').delete('place');
      const edits = tx.objectStore('edits');
      for (const k of await done(edits.getAll())) if (!owed(k)) edits.delete(k.edit.n);
    });
  }
}

/** The same in memory. Values are copied on the way in and out, as IndexedDB does. @implements {Store} */
export class MemoryStore {
  #kept = { state: newState(), account: /** @type {Account | undefined} */ (undefined), notes: /** @type {Notes} */ ({}) };

  async load() { return { state: structuredClone(this.#kept.state), account: this.#kept.account, notes: { ...this.#kept.notes } }; }

  /** @param {Writes} w @param {State} state */
  async write(w, state) {
    const mine = this.#kept.state;
    if (w.clear) mine.records.clear();
    for (const { coll, id, rec } of w.records.values()) {
      let of = mine.records.get(coll);
      if (!of) mine.records.set(coll, of = new Map());
      if (rec) of.set(id, structuredClone(rec)); else of.delete(id);
    }
    if (w.keep.length || w.rekeep) mine.kept = structuredClone(state.kept);
    for (const n of w.forget) mine.edits.delete(n);
    for (const n of w.edits) { const k = state.edits.get(n); if (k) mine.edits.set(n, structuredClone(k)); }
    mine.n = Math.max(mine.n, state.n);
    if (w.place) mine.place = structuredClone(state.place);
  }

  /** @param {(n: number) => Kept[]} make @returns {Promise<Kept[]>} */
  async append(make) {
    const mine = this.#kept.state, made = structuredClone(make(mine.n + 1));
    for (const k of made) mine.edits.set(k.edit.n, structuredClone(k));
    mine.n = Math.max(mine.n, ...made.map(k => k.edit.n));
    return made;
  }

  /** @param {Kept[]} put @param {number[]} forget */
  async settle(put, forget = []) {
    for (const k of put) this.#kept.state.edits.set(k.edit.n, structuredClone(k));
    for (const n of forget) this.#kept.state.edits.delete(n);
  }

  /** @param {Account | undefined} a @param {Kept[]} edits @param {number} n */
  async move(a, edits, n) {
    this.#kept.state = newState();
    this.#kept.state.n = n;
    for (const k of edits) this.#kept.state.edits.set(k.edit.n, structuredClone(k));
    this.#kept.account = a;
  }

  /** @param {Account} a */
  async account(a) { this.#kept.account = a; }

  /** @param {Notes} notes */
  async note(notes) { this.#kept.notes = { ...notes }; }

  async changed() { return false; }

  async wipe() {
    const mine = this.#kept.state;
    mine.records.clear();
    mine.kept = [];
    mine.place = newState().place;
    for (const [n, k] of mine.edits) if (!owed(k)) mine.edits.delete(n);
  }
}
