// @ts-check
// Where the phone keeps records, edits, its place and its key. Two stores with
// one face: IndexedDB in the browser, memory in tests.
//
// A browser deletes lazily: what was deleted or written over stays on the disk, in
// files that nobody reads, until it tidies up by itself, some day. Only a database
// that is deleted whole goes at once. So whenever something was lost that the
// person may not see any more, scrub moves what is left into a new database and
// deletes the old one. There are two names, taken in turns; the new one is made
// and filled in one transaction, so it is there whole or not at all; while it is
// made the old one is marked `moving` and takes no more writes, from any window.

import { isOpen } from './edits.js';
import { newState } from './exchange.js';

/**
 * @typedef {import('./exchange.js').State} State @typedef {import('./exchange.js').Writes} Writes
 * @typedef {import('./overlay.js').Kept} Kept
 * @typedef {{phone: string, person: {id: string, name: string}, label: string, key?: import('./keys.js').Key}} Account
 *   key: absent when the app signs requests in its own way
 * @typedef {{name?: string, key?: string, seal?: string, sms?: string, demo?: boolean, synced?: string, app?: string,
 *   held?: {person: string, edit: import('./overlay.js').Edit}[]}} Notes
 *   small things worth keeping: the server's name and key, when the last exchange was complete, unsent edits of others
 * @typedef {(kept: Kept[], notes: Notes, was: Account | undefined) => {edits: Kept[], n: number, notes: Notes}} Take
 * @typedef {object} Store
 *   Where a phone is given, or stands in the writes, nothing is written unless it is still that of the account: who was overtaken gets Another.
 * @property {string} [name]
 * @property {() => Promise<{state: State, account?: Account, notes: Notes}>} load
 * @property {(w: Writes, state: State) => Promise<void>} write what one chunk of an answer changed, in one transaction
 * @property {(make: (n: number) => Kept[], phone?: string) => Promise<Kept[]>} append tells the next n and stores what is made of it, in one transaction
 * @property {(put: Kept[], forget?: number[], phone?: string) => Promise<void>} settle stores and forgets edits
 * @property {(a: Account | undefined, take?: Take) => Promise<void>} move another account, in one transaction: records are forgotten, edits are those that take makes of what is there; without it none
 * @property {(w: Account) => Promise<void>} account stores the account, nothing else
 * @property {(more: Notes) => Promise<Notes>} note changes some notes and returns all: another window may have changed others
 * @property {() => Promise<boolean>} changed whether another window wrote since this one read or wrote
 * @property {(put?: Kept[], phone?: string) => Promise<void>} wipe stores edits, then forgets all records, the place, and the edits that are done or settled
 * @property {() => Promise<void>} scrub empties the disk of what was lost since the last time; nothing to do when nothing was
 */

/** The phone is another account's by now: an answer or an edit that was meant for the one before is not written. */
export class Another extends Error { constructor() { super('Máy này vừa đổi người dùng. Xin xem lại rồi ghi lại.'); } }

/** Without edits. @type {Take} */
const nothing = (_, notes) => ({ edits: [], n: 0, notes });

/** What a blocked phone may keep: what the server has not done. @param {Kept} k */
const owed = k => !k.verdict || isOpen(k);

/** @param {IDBRequest} r @returns {Promise<any>} */
const done = r => new Promise((yes, no) => { r.onsuccess = () => yes(r.result); r.onerror = () => no(r.error); });

/** The last number given only grows. @param {IDBObjectStore} small @param {number} n */
function raise(small, n) {
  const last = small.get('n');
  last.onsuccess = () => { if (n > (last.result ?? 0)) small.put(n, 'n'); };
}

/** Moves after a loss: at once, and at the next meeting, should somebody have been reading when the database was deleted. */
const twice = 2;

/** The stores and what finds a value in each. @type {Record<string, IDBObjectStoreParameters>} */
const shapes = {
  small: {}, // place, n, account, notes, stamp; lost: how often to scrub; moving: takes no more writes
  records: { keyPath: ['coll', 'id'] },
  edits: { keyPath: 'edit.n' },
  kept: { autoIncrement: true }, // rows that do not show yet, in order
};

/** Makes what an older version of the app did not have. @param {IDBDatabase} db */
function furnish(db) {
  for (const [name, shape] of Object.entries(shapes)) if (!db.objectStoreNames.contains(name)) db.createObjectStore(name, shape);
}

/**
 * Opens a database. @param {string} name @param {(db: IDBDatabase, tx: IDBTransaction) => void} [make] fills it when it is not there
 * @returns {Promise<IDBDatabase | undefined>} undefined: it is not there
 */
async function database(name, make) {
  let absent = false;
  const r = indexedDB.open(name);
  r.onupgradeneeded = () => {
    const tx = /** @type {IDBTransaction} */ (r.transaction);
    if (make) return make(r.result, tx);
    absent = true;
    tx.abort();
  };
  return done(r).catch(err => { if (absent) return undefined; throw err; });
}

/** Deletes a database, when every window has closed it. @param {string} name @returns {Promise<void>} */
const remove = name => done(indexedDB.deleteDatabase(name));

/** @type {WeakMap<IDBTransaction, Error>} */
const causes = new WeakMap();

/** Undoes a transaction, for a reason. @param {IDBTransaction} tx @param {Error} why */
function cancel(tx, why) {
  if (!causes.has(tx)) causes.set(tx, why);
  try { tx.abort(); } catch { /* already over */ }
}

/** Runs a transaction to its end. @template T @param {IDBTransaction} tx @param {(tx: IDBTransaction) => T | Promise<T>} work @returns {Promise<T>} */
function finished(tx, work) {
  return new Promise((yes, no) => {
    /** @type {any} */
    let out;
    tx.oncomplete = () => yes(out);
    tx.onabort = () => no(causes.get(tx) ?? tx.error ?? new Error('store: transaction aborted'));
    Promise.resolve(work(tx)).then(v => { out = v; }, err => cancel(tx, err));
  });
}

/** The database is being moved by another window. */
class Moving extends Error {}

/** @implements {Store} */
export class BrowserStore {
  // Each transaction counts up the stamp; a step that is not ours was another window's.
  #stamp = 0; #foreign = false;
  /** @type {Promise<IDBDatabase> | undefined} */ #db;

  /** @param {string} name of the database; another app of the same origin takes another */
  constructor(name) { this.name = name; }

  /** @param {string} name @returns {Promise<BrowserStore>} */
  static async open(name = 'langso') {
    const s = new BrowserStore(name);
    await s.#open();
    return s;
  }

  /** The database, opened again after it was moved. */
  #open() {
    return this.#db ??= this.#locked('shared', () => this.#connect()).catch(err => { this.#db = undefined; throw err; });
  }

  /** @template T @param {'shared' | 'exclusive'} mode @param {() => Promise<T>} work @returns {Promise<T>} */
  #locked(mode, work) {
    const locks = globalThis.navigator?.locks;
    return locks ? /** @type {Promise<any>} */ (locks.request(this.name + '-moving', { mode }, work)) : work();
  }

  /** Finds which of the two names is in use; nobody moves it meanwhile. @returns {Promise<IDBDatabase>} */
  async #connect() {
    const both = [await database(this.name), await database(this.name + '~')];
    const moving = await Promise.all(both.map(db => (db?.objectStoreNames.contains('small') ? done(db.transaction('small').objectStore('small').get('moving')) : false)));
    let i = both[1] && (!both[0] || moving[0]) ? 1 : 0;
    const other = both[1 - i], db = both[i] ?? /** @type {IDBDatabase} */ (await database(this.name, furnish));
    if (other) { // the browser was closed between the move and the deletion
      other.close();
      await remove(other.name);
    }
    if (Object.keys(shapes).every(name => db.objectStoreNames.contains(name))) {
      if (moving[i]) await finished(db.transaction('small', 'readwrite'), tx => tx.objectStore('small').delete('moving')); // and here before the move
      return this.#ours(db);
    }
    db.close(); // an older app made it
    const r = indexedDB.open(db.name, db.version + 1);
    r.onupgradeneeded = () => furnish(r.result);
    return this.#ours(await done(r));
  }

  /** @param {IDBDatabase} db */
  #ours(db) {
    db.onversionchange = db.onclose = () => { db.close(); this.#db = undefined; };
    return db;
  }

  /** @param {string[]} names @param {IDBTransactionMode} [mode] @param {'strict' | 'relaxed'} [durability] */
  async #begin(names, mode = 'readonly', durability = 'relaxed') {
    for (let again = true; ; again = false) {
      const db = await this.#open();
      try { return db.transaction(names, mode, { durability }); } catch (err) {
        if (!again || /** @type {any} */ (err)?.name !== 'InvalidStateError') throw err; // it was moved just now
      }
    }
  }

  /** Lets the database go; it is opened again when it is needed. */
  async close() {
    const was = this.#db;
    this.#db = undefined;
    (await was?.catch(() => undefined))?.close();
  }

  async scrub() {
    if (!globalThis.navigator?.locks || !await done((await this.#begin(['small'])).objectStore('small').get('lost'))) return;
    await this.#open();
    const was = this.#db;
    this.#db = this.#locked('exclusive', () => this.#move());
    (await was)?.close();
    await this.#db.catch(err => { this.#db = undefined; throw err; });
    this.#sweep().catch(() => {}); // nobody waits for it
  }

  /**
   * Chromium carries a deletion out a little later, and takes files off the disk that were still
   * being read then when it deletes the next database: that is what these empty ones are for.
   */
  async #sweep() {
    for (const ms of [500, 500]) {
      await new Promise(yes => setTimeout(yes, ms));
      (await database(this.name + '-none', db => { db.createObjectStore('none'); }))?.close();
      await remove(this.name + '-none');
    }
  }

  /** Moves everything into a new database and deletes the old one; no window opens one meanwhile. @returns {Promise<IDBDatabase>} */
  async #move() {
    const old = await this.#connect(), names = Object.keys(shapes);
    /** @type {Record<string, [IDBValidKey[], any[]]>} */
    const all = {};
    await finished(old.transaction(names, 'readwrite', { durability: 'strict' }), async tx => {
      tx.objectStore('small').put(true, 'moving');
      for (const name of names) all[name] = await Promise.all([done(tx.objectStore(name).getAllKeys()), done(tx.objectStore(name).getAll())]);
    });
    const next = await database(old.name === this.name ? this.name + '~' : this.name, (db, tx) => {
      furnish(db);
      for (const [name, [keys, values]] of Object.entries(all)) {
        const to = tx.objectStore(name);
        values.forEach((v, i) => to.put(v, ...(shapes[name].keyPath ? [] : [keys[i]])));
      }
      const small = tx.objectStore('small'), { lost } = Object.fromEntries(all.small[0].map((k, i) => [k, all.small[1][i]]));
      small.delete('moving');
      if (lost > 1) small.put(lost - 1, 'lost'); else small.delete('lost');
    });
    old.close();
    await remove(old.name);
    return this.#ours(/** @type {IDBDatabase} */ (next));
  }

  /**
   * Runs one transaction to its end. What a person wrote must be on the disk; what the server told it tells again.
   * @param {string[]} names @param {(tx: IDBTransaction) => any} work @param {string} [phone] of whose account it must be @param {'strict' | 'relaxed'} [durability] @returns {Promise<any>}
   */
  async #tx(names, work, phone, durability = 'strict') {
    for (;;) {
      const tx = await this.#begin([...new Set(['small', ...names])], 'readwrite', durability);
      try { return await finished(tx, tx => { this.#count(tx, phone); return work(tx); }); } catch (err) {
        if (!(err instanceof Moving)) throw err;
        tx.db.close();
        if ((await this.#db) === tx.db) this.#db = undefined;
      }
    }
  }

  /** @param {IDBTransaction} tx @param {string} [phone] */
  #count(tx, phone) {
    const small = tx.objectStore('small'), moving = small.get('moving'), stamp = small.get('stamp');
    if (phone !== undefined) {
      const account = small.get('account');
      account.onsuccess = () => { if (account.result?.phone !== phone) cancel(tx, new Another()); };
    }
    moving.onsuccess = () => { if (moving.result) cancel(tx, new Moving()); };
    stamp.onsuccess = () => {
      const was = stamp.result ?? 0;
      if (was !== this.#stamp) this.#foreign = true;
      this.#stamp = was + 1;
      small.put(was + 1, 'stamp');
    };
  }

  async load() {
    const tx = await this.#begin(['small', 'records', 'kept', 'edits']);
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
      if (w.lost) small.put(twice, 'lost');
    }, w.phone, w.lost ? 'strict' : 'relaxed');
  }

  /** @param {(n: number) => Kept[]} make @param {string} [phone] @returns {Promise<Kept[]>} */
  append(make, phone) {
    return this.#tx(['small', 'edits'], async tx => {
      const small = tx.objectStore('small'), last = (await done(small.get('n'))) ?? 0;
      const made = make(last + 1);
      for (const k of made) tx.objectStore('edits').put(k);
      small.put(Math.max(last, ...made.map(k => k.edit.n)), 'n');
      return made;
    }, phone);
  }

  /** @param {Kept[]} put @param {number[]} forget @param {string} [phone] */
  async settle(put, forget = [], phone) {
    await this.#tx(['edits'], tx => {
      for (const k of put) tx.objectStore('edits').put(k);
      for (const n of forget) tx.objectStore('edits').delete(n);
    }, phone);
  }

  /** @param {Account | undefined} a @param {Take} take */
  async move(a, take = nothing) {
    await this.#tx(['small', 'records', 'kept', 'edits'], async tx => {
      const small = tx.objectStore('small');
      const [kept, notes, was] = await Promise.all([done(tx.objectStore('edits').getAll()), done(small.get('notes')), done(small.get('account'))]);
      const { edits, n, notes: now } = take(kept, notes ?? {}, was);
      small.put(now, 'notes');
      tx.objectStore('records').clear();
      tx.objectStore('kept').clear();
      tx.objectStore('edits').clear();
      for (const k of edits) tx.objectStore('edits').put(k);
      small.delete('place');
      small.put(n, 'n');
      small.put(twice, 'lost');
      if (a) small.put(a, 'account'); else small.delete('account');
    });
    this.#begun();
  }

  /** @param {Account} a */
  async account(a) { await this.#tx(['small'], tx => { tx.objectStore('small').put(a, 'account'); }); }

  /** @param {Notes} more @returns {Promise<Notes>} */
  note(more) {
    return this.#tx(['small'], async tx => {
      const small = tx.objectStore('small'), all = { ...await done(small.get('notes')), ...more };
      small.put(all, 'notes');
      return all;
    });
  }

  async changed() {
    return this.#foreign || ((await done((await this.#begin(['small'])).objectStore('small').get('stamp'))) ?? 0) !== this.#stamp;
  }

  /** @param {Kept[]} put @param {string} [phone] */
  async wipe(put = [], phone) {
    await this.#tx(['small', 'records', 'kept', 'edits'], async tx => {
      for (const k of put) tx.objectStore('edits').put(k);
      tx.objectStore('records').clear();
      tx.objectStore('kept').clear();
      tx.objectStore('small').delete('place');
      tx.objectStore('small').put(twice, 'lost');
      const edits = tx.objectStore('edits');
      for (const k of await done(edits.getAll())) if (!owed(k)) edits.delete(k.edit.n);
    }, phone);
    this.#begun();
  }

  /** Forgets what came of a snapshot file (later/snapshot.js); nobody waits for it. */
  #begun() { remove(this.name + '-snapshot').catch(() => {}); }
}

/** The same in memory. Values are copied on the way in and out, as IndexedDB does. @implements {Store} */
export class MemoryStore {
  #kept = { state: newState(), account: /** @type {Account | undefined} */ (undefined), notes: /** @type {Notes} */ ({}) };

  async load() { return { state: structuredClone(this.#kept.state), account: this.#kept.account, notes: { ...this.#kept.notes } }; }

  /** @param {string} [phone] */
  #mine(phone) { if (phone !== undefined && this.#kept.account?.phone !== phone) throw new Another(); }

  /** @param {Writes} w @param {State} state */
  async write(w, state) {
    this.#mine(w.phone);
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

  /** @param {(n: number) => Kept[]} make @param {string} [phone] @returns {Promise<Kept[]>} */
  async append(make, phone) {
    this.#mine(phone);
    const mine = this.#kept.state, made = structuredClone(make(mine.n + 1));
    for (const k of made) mine.edits.set(k.edit.n, structuredClone(k));
    mine.n = Math.max(mine.n, ...made.map(k => k.edit.n));
    return made;
  }

  /** @param {Kept[]} put @param {number[]} forget @param {string} [phone] */
  async settle(put, forget = [], phone) {
    this.#mine(phone);
    for (const k of put) this.#kept.state.edits.set(k.edit.n, structuredClone(k));
    for (const n of forget) this.#kept.state.edits.delete(n);
  }

  /** @param {Account | undefined} a @param {Take} take */
  async move(a, take = nothing) {
    const { edits, n, notes } = take(structuredClone([...this.#kept.state.edits.values()]), this.#kept.notes, this.#kept.account);
    this.#kept.notes = notes;
    this.#kept.state = newState();
    this.#kept.state.n = n;
    for (const k of edits) this.#kept.state.edits.set(k.edit.n, structuredClone(k));
    this.#kept.account = a;
  }

  /** @param {Account} a */
  async account(a) { this.#kept.account = a; }

  /** @param {Notes} more @returns {Promise<Notes>} */
  async note(more) { return { ...this.#kept.notes = { ...this.#kept.notes, ...more } }; }

  async changed() { return false; }

  async scrub() {}

  /** @param {Kept[]} put @param {string} [phone] */
  async wipe(put = [], phone) {
    this.#mine(phone);
    const mine = this.#kept.state;
    for (const k of put) mine.edits.set(k.edit.n, structuredClone(k));
    mine.records.clear();
    mine.kept = [];
    mine.place = newState().place;
    for (const [n, k] of mine.edits) if (!owed(k)) mine.edits.delete(n);
  }
}
