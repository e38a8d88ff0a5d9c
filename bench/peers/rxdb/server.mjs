// The two routes that RxDB's documentation describes for HTTP replication with a server
// of one's own: pull by checkpoint, push with the master state that the phone assumes.
// RxDB's own server package is not under a free licence (SSPL) and is not used.
import { readFileSync } from 'node:fs';
import compression from 'compression';
import express from 'express';
import { serve } from './lines.mjs';

const [file] = process.argv.slice(2);
const colls = {};
let clock = 1767225600000;
for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
  const { coll, id, fields } = JSON.parse(line);
  (colls[coll] ??= new Map()).set(id, { id, ...fields, updatedAt: clock++ });
}

const app = express();
app.disable('x-powered-by').disable('etag');
app.use(compression());
app.use((req, res, next) => req.headers.authorization?.startsWith('Bearer ') ? next() : res.status(401).end());
app.use(express.json({ limit: '5mb' }));

app.get('/pull/:coll', (req, res) => {
  const { updatedAt = 0, id = '', limit } = req.query;
  const after = d => d.updatedAt > +updatedAt || d.updatedAt === +updatedAt && d.id > id;
  const documents = [...colls[req.params.coll].values()].filter(after)
    .sort((a, b) => a.updatedAt - b.updatedAt || (a.id < b.id ? -1 : 1)).slice(0, +limit);
  const last = documents.at(-1);
  res.json({ documents, checkpoint: last ? { id: last.id, updatedAt: last.updatedAt } : { id, updatedAt: +updatedAt } });
});

app.post('/push/:coll', (req, res) => {
  const coll = colls[req.params.coll], conflicts = [];
  for (const { assumedMasterState: was, newDocumentState: now } of req.body) {
    const is = coll.get(now.id);
    if (is && (!was || is.updatedAt !== was.updatedAt)) conflicts.push(is);
    else coll.set(now.id, { ...now, updatedAt: clock++ });
  }
  res.json(conflicts);
});
const listener = app.listen(0, '127.0.0.1');

await serve({
  where: () => ({ port: listener.address().port }),
  change({ records }) {
    for (const { coll, id, fields } of records) {
      const doc = { ...colls[coll].get(id), ...fields, updatedAt: clock++ };
      for (const k in doc) if (doc[k] === null) delete doc[k];
      colls[coll].set(id, doc);
    }
  },
  missing: ({ records }) => ({ n: records.filter(r => !colls[r.coll].has(r.id)).length }),
});
