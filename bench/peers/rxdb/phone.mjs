// A phone with RxDB, its storage in memory, one replication for each collection. Set
// for few bytes: batches of 1,000 in place of 100, all collections at once, and no
// second look (live replication would keep a connection open).
import { readFileSync } from 'node:fs';
import { createRxDatabase } from 'rxdb/plugins/core';
import { replicateRxCollection } from 'rxdb/plugins/replication';
import { getRxStorageMemory } from 'rxdb/plugins/storage-memory';
import { serve } from './lines.mjs';

const [base, kindsFile, token] = process.argv.slice(2);
const kinds = JSON.parse(readFileSync(kindsFile, 'utf8'));
const db = await createRxDatabase({ name: 'phone', storage: getRxStorageMemory(), multiInstance: false, eventReduce: true });
const types = { text: 'string', number: 'number', bool: 'boolean' };
await db.addCollections(Object.fromEntries(Object.entries(kinds).map(([coll, fields]) => [coll, { schema: {
  version: 0, primaryKey: 'id', type: 'object', required: ['id'],
  properties: { id: { type: 'string', maxLength: 20 }, updatedAt: { type: 'number' },
    ...Object.fromEntries(Object.entries(fields).map(([name, kind]) => [name, types[kind] ? { type: types[kind] } : {}])) },
} }])));

async function ask(path, options = {}) {
  const res = await fetch(base + path, { ...options, headers: { Authorization: 'Bearer ' + token, ...options.headers } });
  if (!res.ok) throw new Error(path + ': ' + res.status);
  return res.json();
}

async function replicate(coll) {
  const state = replicateRxCollection({
    collection: db[coll], replicationIdentifier: 'commune', live: false, retryTime: 2000,
    pull: {
      batchSize: 1000,
      async handler(checkpoint, limit) {
        const q = new URLSearchParams({ ...checkpoint, limit });
        return ask(`/pull/${coll}?${q}`);
      },
      modifier: doc => ({ ...doc, _deleted: false }), // nothing here is deleted; so it need not be sent
    },
    ...coll !== 'health_entries' ? {} : { push: {
      batchSize: 100,
      handler: rows => ask('/push/' + coll, { method: 'POST', body: JSON.stringify(rows), headers: { 'Content-Type': 'application/json' } }),
    } },
  });
  const failed = new Promise((_, no) => state.error$.subscribe(no));
  await Promise.race([state.awaitInitialReplication(), failed]);
  await state.cancel();
}

await serve({
  async sync() { await Promise.all(Object.keys(kinds).map(replicate)); },
  async edit({ records }) { for (const { coll, id, fields } of records) await db[coll].insert({ id, ...fields }); },
  async held() {
    const records = [];
    for (const coll of Object.keys(kinds)) {
      for (const doc of await db[coll].find().exec()) {
        const { id, updatedAt, ...fields } = doc.toJSON();
        records.push({ coll, id, fields });
      }
    }
    return { records };
  },
});
