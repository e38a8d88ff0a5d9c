// @ts-check
// Offline-first sync with a PocketBase that has langso's road (docs/PROTOCOL.md):
// what any app needs of this folder. README.md tells how it is used.

import { Client } from './client.js';
import { BrowserStore } from './store.js';

export { Client, NoRoad, Refusal, later } from './client.js';
export { BrowserStore, MemoryStore } from './store.js';
export { Files, filesOf, namesIn } from './files.js';
export { hints } from './hints.js';
export { newId } from './edits.js';
export { newKey, verify } from './keys.js';

/**
 * @typedef {import('./client.js').Options} Options @typedef {import('./client.js').Mood} Mood @typedef {import('./client.js').Signed} Signed
 * @typedef {import('./store.js').Account} Account @typedef {import('./store.js').Notes} Notes @typedef {import('./store.js').Store} Store
 * @typedef {import('./overlay.js').Edit} Edit @typedef {import('./overlay.js').Kept} Kept @typedef {import('./overlay.js').Verdict} Verdict
 */

/**
 * The phone of this browser: opens the store, reads it, and keeps windows of the app in step. It does not ask the
 * server for anything; call `sync` for that, and again when the network comes back or the app is looked at.
 * @param {Options & {name?: string, store?: Store}} [options] name: of the IndexedDB database, "langso" when absent
 * @returns {Promise<Client>}
 */
export async function open(options = {}) {
  const { name = 'langso', store = await BrowserStore.open(name), ...more } = options;
  const channel = typeof BroadcastChannel === 'function' && globalThis.document ? new BroadcastChannel(name) : undefined;
  const client = new Client(store, { channel, lock: name + '-sync', ...more });
  await client.reload();
  return client;
}
