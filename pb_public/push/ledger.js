// @ts-check
// What the worker and the windows remember of wake-ups, apart from the records:
// who agreed to be woken, under which address, which notices were shown, and of
// what somebody is to be reminded.

/**
 * @typedef {object} Ledger
 * @property {string} [phone] id of the phone whose person agreed; "" or absent: nobody did
 * @property {string} [endpoint] the address as the server was told it
 * @property {string} [key] the server's key that the address is for
 * @property {number} [at] when the server was told, in milliseconds
 * @property {string[]} [shown] ids of notices that were shown, newest last
 */

/** How many ids are remembered. */
const most = 300;

/** @returns {Promise<IDBDatabase>} */
function open() {
  return new Promise((yes, no) => {
    const r = indexedDB.open('langso-push', 1);
    r.onupgradeneeded = () => r.result.createObjectStore('small');
    r.onsuccess = () => yes(r.result);
    r.onerror = () => no(r.error);
  });
}

/**
 * Reads one thing, and writes what `change` makes of it, in one transaction.
 * @template {object} T @param {string} key @param {(was: T) => T | undefined | void} [change] @returns {Promise<T>}
 */
async function thing(key, change) {
  const db = await open();
  try {
    return await new Promise((yes, no) => {
      const tx = db.transaction('small', change ? 'readwrite' : 'readonly'), small = tx.objectStore('small'), r = small.get(key);
      /** @type {any} */
      let out = {};
      r.onsuccess = () => {
        out = r.result ?? {};
        const next = change?.(out);
        if (next) small.put(out = next, key);
      };
      tx.oncomplete = () => yes(out);
      tx.onabort = () => no(tx.error);
    });
  } finally { db.close(); }
}

/** The ledger. @param {(l: Ledger) => Ledger | undefined | void} [change] @returns {Promise<Ledger>} */
export const ledger = change => thing('ledger', change && (l => {
  const next = change(l);
  return next && { ...next, shown: next.shown?.slice(-most) };
}));

/** What is to be reminded of. @type {import('./remind.js').Keep} */
export const plan = change => thing('plan', change);
