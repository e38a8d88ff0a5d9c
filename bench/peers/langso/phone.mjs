// Làng Số's browser phone: the client of pb_public/sync with its store in memory.
import { MemoryStore, newKey, open } from '../../../pb_public/sync/index.js';
import { serve } from '../lines.mjs';

let client, key;
const base = process.argv[2];

await serve({
  async begin() {
    client = await open({ base, store: new MemoryStore() });
    client.soon = () => {}; // it meets the server when it is told to
    client.sync = (sync => async () => { if (told) await sync(); })(client.sync.bind(client));
    key = await newKey();
    return { key: key.text };
  },
  async enter({ phone, person }) { await client.enter({ phone, person: { id: person, name: '' }, label: '', key }); },
  async sync() {
    told = true;
    try { await client.sync(); } finally { told = false; }
    if (client.mood !== 'idle') throw new Error('the client is ' + client.mood);
    for (const e of client.unsettled) throw new Error('an edit is ' + e.verdict?.is);
  },
  async edit({ records }) { for (const { coll, id, fields } of records) await client.edit({ coll, id, create: fields }); },
  held() {
    return { records: [...client.state.records].flatMap(([coll, of]) => [...of.values()].map(r => ({ coll, id: r.id, fields: r.set }))) };
  },
});
var told = false;
