// The application's own server, which Zero asks what a query means and to carry out
// what a person did; and the tables, in PostgreSQL. zero-cache runs beside it.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { mustGetMutator, mustGetQuery } from '@rocicorp/zero';
import { handleMutateRequest, handleQueryRequest } from '@rocicorp/zero/server';
import { zeroPostgresJS } from '@rocicorp/zero/server/adapters/postgresjs';
import postgres from 'postgres';
import { commune } from './schema.mjs';
import { serve } from './lines.mjs';

const [file, kindsFile, database, whoText] = process.argv.slice(2);
const who = JSON.parse(whoText);
const { kinds, schema, queries, mutators } = commune(kindsFile);
const sql = postgres(database, { onnotice() {} });
const db = zeroPostgresJS(schema, sql);
const types = { text: 'text', number: 'double precision', bool: 'boolean', json: 'jsonb' };

const value = (coll, name, v) => kinds[coll][name] === 'json' && v !== null ? sql.json(v) : v;
await sql.begin(async tx => {
  for (const [coll, fields] of Object.entries(kinds)) {
    await tx.unsafe(`CREATE TABLE "${coll}" (id text PRIMARY KEY, ${Object.entries(fields).map(([n, k]) => `"${n}" ${types[k]}`).join(', ')})`);
  }
  for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
    const { coll, id, fields } = JSON.parse(line);
    await tx`INSERT INTO ${tx(coll)} ${tx({ id, ...Object.fromEntries(Object.entries(fields).map(([n, v]) => [n, value(coll, n, v)])) })}`;
  }
});

async function answer(req, url) {
  if (!req.headers.authorization?.startsWith('Bearer ')) return { status: 401, body: {} };
  const chunks = [];
  for await (const c of req) chunks.push(c);
  const body = JSON.parse(Buffer.concat(chunks).toString());
  if (url.pathname === '/query') {
    return { body: await handleQueryRequest({ schema, userID: who.person, query: url.searchParams, body,
      handler: (name, args) => mustGetQuery(queries, name).fn({ args, ctx: who }) }) };
  }
  return { body: await handleMutateRequest({ dbProvider: db, userID: who.person, query: url.searchParams, body,
    handler: transact => transact((tx, name, args) => mustGetMutator(mutators, name).fn({ tx, args, ctx: who })) }) };
}

const listener = createServer(async (req, res) => {
  try {
    const { status = 200, body } = await answer(req, new URL(req.url, 'http://x'));
    res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
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
      for (const { coll, id, fields } of records) await tx`UPDATE ${tx(coll)} SET ${tx(Object.fromEntries(Object.entries(fields).map(([n, v]) => [n, value(coll, n, v)])))} WHERE id = ${id}`;
    });
  },
  async missing({ records }) {
    let n = 0;
    for (const { coll, id } of records) if (!(await sql`SELECT 1 FROM ${sql(coll)} WHERE id = ${id}`).length) n++;
    return { n };
  },
  close: () => sql.end(),
});
