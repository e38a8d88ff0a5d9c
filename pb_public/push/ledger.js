// @ts-check
// What the worker and the windows remember of wake-ups, apart from the records:
// who agreed to be woken, under which address, and which notices were shown.

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

/** Reads the ledger, and writes what `change` makes of it, in one transaction. @param {(l: Ledger) => Ledger | undefined | void} [change] @returns {Promise<Ledger>} */
export async function ledger(change) {
  const db = await open();
  try {
    return await new Promise((yes, no) => {
      const tx = db.transaction('small', change ? 'readwrite' : 'readonly'), small = tx.objectStore('small'), r = small.get('ledger');
      /** @type {Ledger} */
      let out = {};
      r.onsuccess = () => {
        out = r.result ?? {};
        const next = change?.(out);
        if (next) small.put(out = { ...next, shown: next.shown?.slice(-most) }, 'ledger');
      };
      tx.oncomplete = () => yes(out);
      tx.onabort = () => no(tx.error);
    });
  } finally { db.close(); }
}
