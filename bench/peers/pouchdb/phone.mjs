// A phone with PouchDB over leveldb. It pulls both databases and pushes its own.
// Set for few bytes: no request that asks whether the database is there, batches of
// 1,000 in place of 100, and checkpoints kept on the phone alone.
import PouchDB from 'pouchdb';
import { serve } from './lines.mjs';

const [base, dir] = process.argv.slice(2);
const Local = PouchDB.defaults({ prefix: dir + '/', auto_compaction: true });
const local = { all: new Local('all'), lan: new Local('lan') };
const authorization = 'Basic ' + Buffer.from('lan:mat-khau').toString('base64');
const far = name => new PouchDB(base + '/' + name, {
  skip_setup: true,
  fetch(url, options) {
    options.headers.set('Authorization', authorization);
    options.headers.set('Accept-Encoding', 'gzip, deflate, br');
    return PouchDB.fetch(url, options);
  },
});
const remote = { all: far('all'), lan: far('lan') };
const pull = name => local[name].replicate.from(remote[name], { batch_size: 1000, checkpoint: 'target' });
const push = name => local[name].replicate.to(remote[name], { batch_size: 1000, checkpoint: 'source' });

await serve({
  async sync() {
    for (const done of await Promise.all([pull('all'), pull('lan'), push('lan')])) {
      if (!done.ok || done.errors.length) throw new Error(JSON.stringify(done.errors));
    }
  },
  async edit({ records }) { for (const { coll, id, fields } of records) await local.lan.put({ _id: coll + ':' + id, ...fields }); },
  async held() {
    const records = [];
    for (const db of [local.all, local.lan]) {
      for (const { doc: { _id, _rev, ...fields } } of (await db.allDocs({ include_docs: true })).rows) {
        const [coll, id] = _id.split(':');
        records.push({ coll, id, fields });
      }
    }
    return { records };
  },
  async close() { await local.all.close(); await local.lan.close(); },
});
