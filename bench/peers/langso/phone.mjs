// Làng Số's browser phone: the client of pb_public/sync with its store in memory.
import { MemoryStore, open } from '../../../pb_public/sync/index.js';
import { serve } from '../lines.mjs';

const client = await open({ base: process.argv[2], store: new MemoryStore() });
let told = false;
client.soon = () => {}; // it meets the server when it is told to
client.sync = (sync => async () => { if (told) await sync(); })(client.sync.bind(client));

await serve({
  ask: ({ number }) => client.sendCode(number),
  async enter({ number, code, person }) { if (await client.signIn({ number, code, person }, 'bench')) throw new Error('the number is not the person\'s alone'); },
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
