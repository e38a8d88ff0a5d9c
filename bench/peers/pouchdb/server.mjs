// A server of CouchDB's protocol: PouchDB Server's express-pouchdb over leveldb. As
// CouchDB grants rights by database, there is one that everybody reads and one for
// the person.
import { readFileSync } from 'node:fs';
import express from 'express';
import expressPouch from 'express-pouchdb';
import PouchDB from 'pouchdb';
import { serve } from './lines.mjs';

const [file, dir, publicColls] = process.argv.slice(2);
const everybody = new Set(publicColls.split(','));
const Server = PouchDB.defaults({ prefix: dir + '/' });
const pouch = expressPouch(Server, { mode: 'minimumForPouchDB' }); // before the databases are opened: it notes them
const dbs = { all: new Server('all'), lan: new Server('lan') };
const of = coll => everybody.has(coll) ? dbs.all : dbs.lan;
const docID = ({ coll, id }) => coll + ':' + id;

for (const name of ['all', 'lan']) {
  const docs = readFileSync(file, 'utf8').trim().split('\n').map(l => JSON.parse(l)).filter(r => of(r.coll) === dbs[name]);
  for (const done of await dbs[name].bulkDocs(docs.map(r => ({ _id: docID(r), ...r.fields })))) if (done.error) throw new Error(done.reason);
}

const app = express();
const expected = 'Basic ' + Buffer.from('lan:mat-khau').toString('base64');
app.use((req, res, next) => {
  if (req.headers.authorization !== expected) return res.status(401).end();
  delete req.headers.authorization; // checked; express-pouchdb's own accounts are not set up
  next();
});
app.use(pouch);
const listener = app.listen(0, '127.0.0.1');

await serve({
  where: () => ({ port: listener.address().port }),
  async change({ records }) {
    for (const r of records) {
      const doc = { ...await of(r.coll).get(docID(r)), ...r.fields };
      for (const k in doc) if (doc[k] === null) delete doc[k];
      await of(r.coll).put(doc);
    }
  },
  async missing({ records }) {
    let n = 0;
    for (const r of records) await of(r.coll).get(docID(r)).catch(() => n++);
    return { n };
  },
});
