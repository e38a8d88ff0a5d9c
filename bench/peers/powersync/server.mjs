// The application's own server, which takes what a person wrote, and the tables, in
// PostgreSQL. The PowerSync service runs beside it and reads them by replication.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import postgres from 'postgres';
import { serve } from './lines.mjs';

const [file, kindsFile, database, whoText] = process.argv.slice(2);
const who = JSON.parse(whoText);
const kinds = JSON.parse(readFileSync(kindsFile, 'utf8'));
const sql = postgres(database, { onnotice() {} });
const types = { text: 'text', number: 'double precision', bool: 'boolean', json: 'jsonb' };
const values = (coll, fields) => Object.fromEntries(Object.entries(fields).map(([n, v]) => [n, kinds[coll][n] === 'json' && v !== null ? sql.json(v) : v]));

await sql.begin(async tx => {
  for (const [coll, fields] of Object.entries(kinds)) {
    await tx.unsafe(`CREATE TABLE "${coll}" (id text PRIMARY KEY, ${Object.entries(fields).map(([n, k]) => `"${n}" ${types[k]}`).join(', ')})`);
  }
  for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
    const { coll, id, fields } = JSON.parse(line);
    await tx`INSERT INTO ${tx(coll)} ${tx({ id, ...values(coll, fields) })}`;
  }
  await tx.unsafe('CREATE PUBLICATION powersync FOR ALL TABLES');
});

const listener = createServer(async (req, res) => {
  try {
    if (!req.headers.authorization?.startsWith('Bearer ')) return res.writeHead(401).end();
    const chunks = [];
    for await (const c of req) chunks.push(c);
    await sql.begin(async tx => {
      for (const { coll, id, fields } of JSON.parse(Buffer.concat(chunks).toString())) {
        if (coll !== 'health_entries' || fields.person !== who.person) throw new Error('not yours');
        await tx`INSERT INTO health_entries ${tx({ id, ...values(coll, fields) })} ON CONFLICT DO NOTHING`;
      }
    });
    res.writeHead(204).end();
  } catch (err) {
    console.error(err);
    res.writeHead(500).end();
  }
}).listen(0, '127.0.0.1');
await new Promise(ready => listener.on('listening', ready));

await serve({
  where: () => ({ port: listener.address().port }),
  async change({ records }) {
    await sql.begin(async tx => {
      for (const { coll, id, fields } of records) await tx`UPDATE ${tx(coll)} SET ${tx(values(coll, fields))} WHERE id = ${id}`;
    });
  },
  async missing({ records }) {
    let n = 0;
    for (const { coll, id } of records) if (!(await sql`SELECT 1 FROM ${sql(coll)} WHERE id = ${id}`).length) n++;
    return { n };
  },
  close: () => sql.end(),
});
