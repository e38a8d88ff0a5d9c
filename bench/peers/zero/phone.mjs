// A phone with Zero, its store in memory. Opening the app makes a client, closing it
// ends the client; the store outlives it. All queries are preloaded for ever.
import { Zero } from '@rocicorp/zero';
import { commune } from './schema.mjs';
import { serve } from './lines.mjs';

const [base, kindsFile, token, whoText, storageKey] = process.argv.slice(2);
const who = JSON.parse(whoText);
const { kinds, schema, queries, mutators } = commune(kindsFile);
const colls = Object.keys(kinds);
let zero, sent = [], records = [];

function open() {
  if (zero) return;
  zero = new Zero({ cacheURL: base, schema, mutators, userID: who.person, auth: token, context: who, storageKey, kvStore: 'mem', logLevel: 'error', disconnectTimeoutMs: 3_600_000 });
}
const pause = ms => new Promise(done => setTimeout(done, ms));
const rows = coll => zero.run(queries[coll]());

await serve({
  /** see: what the phone must show, if anything, before it is equal. */
  async sync({ see }) {
    open();
    zero.connection.connect?.();
    const all = colls.map(coll => zero.preload(queries[coll](), { ttl: 'forever' }));
    while (zero.connection.state.current.name !== 'connected') await pause(5);
    await Promise.all(all.map(p => p.complete));
    for (const p of sent) { const r = await p; if (r.type === 'error') throw new Error(JSON.stringify(r)); }
    sent = [];
    const by = Map.groupBy(see ?? [], r => r.coll);
    for (;;) {
      let lack = 0;
      for (const [coll, wants] of by) {
        const have = new Map((await rows(coll)).map(r => [r.id, r]));
        for (const { id, fields } of wants) for (const k in fields) if ((have.get(id)?.[k] ?? null) !== fields[k]) lack++;
      }
      if (!lack) return;
      await pause(5);
    }
  },
  /** What is in memory is stored within a second or so; then the app is closed. */
  async rest() {
    records = [];
    for (const coll of colls) {
      for (const { id, ...fields } of await rows(coll)) records.push({ coll, id, fields: Object.fromEntries(Object.keys(kinds[coll]).map(k => [k, fields[k] ?? null])) });
    }
    await pause(2000);
    await zero.close();
    zero = undefined;
  },
  async edit({ records }) {
    open();
    for (const { id, fields } of records) {
      const { client, server } = zero.mutate(mutators.measure({ id, ...fields }));
      await client;
      sent.push(server);
    }
  },
  /** As they were when the app was closed. */
  held: () => ({ records }),
});
