// A phone with PowerSync over SQLite. Opening the app connects, closing it disconnects;
// what was written goes up in one batch, as the client's getCrudBatch gives it.
import { readFileSync } from 'node:fs';
import { createHmac } from 'node:crypto';
import { column, PowerSyncDatabase, Schema, Table } from '@powersync/node';
import { serve } from './lines.mjs';

const [base, kindsFile, secret, whoText, dir] = process.argv.slice(2);
const who = JSON.parse(whoText);
const kinds = JSON.parse(readFileSync(kindsFile, 'utf8'));
const b64 = v => Buffer.from(typeof v === 'string' ? v : JSON.stringify(v)).toString('base64url');
const now = Math.floor(Date.now() / 1000);
const head = b64({ alg: 'HS256', typ: 'JWT', kid: 'bench' }) + '.' + b64({ sub: who.person, household: who.household, stall: who.stall, aud: 'powersync', iat: now, exp: now + 80_000 });
const token = head + '.' + createHmac('sha256', Buffer.from(secret, 'base64url')).update(head).digest('base64url');

const columns = { text: column.text, number: column.real, bool: column.integer, json: column.text };
const schema = new Schema(Object.fromEntries(Object.entries(kinds).map(([coll, fields]) =>
  [coll, new Table(Object.fromEntries(Object.entries(fields).map(([n, k]) => [n, columns[k]])))])));
const db = new PowerSyncDatabase({ schema, database: { dbFilename: 'phone.db', dbLocation: dir, implementation: { type: 'node:sqlite' } } });
await db.init();

const toRow = { bool: v => v ? 1 : 0, json: v => JSON.stringify(v) }, fromRow = { bool: v => v === 1, json: v => JSON.parse(v) };
const read = (coll, n, v) => v === null ? null : (fromRow[kinds[coll][n]] ?? (x => x))(v);
const pause = ms => new Promise(done => setTimeout(done, ms));

const connector = {
  fetchCredentials: () => ({ endpoint: base, token }),
  async uploadData(database) {
    for (let batch; (batch = await database.getCrudBatch(1000)); await batch.complete()) {
      const all = batch.crud.map(({ table: coll, id, opData }) => ({ coll, id, fields: Object.fromEntries(Object.entries(opData).map(([n, v]) => [n, read(coll, n, v)])) }));
      const res = await fetch(base + '/upload', { method: 'POST', body: JSON.stringify(all), headers: { Authorization: 'Bearer ' + token, 'Content-Type': 'application/json' } });
      if (!res.ok) throw new Error('upload: ' + res.status);
    }
  },
};

await serve({
  async sync({ see }) {
    const last = +(db.currentStatus.lastSyncedAt ?? 0);
    db.connect(connector, { crudUploadThrottleMs: 50, retryDelayMs: 500 });
    while (!(+(db.currentStatus.lastSyncedAt ?? 0) > last && db.currentStatus.connected)) await pause(5);
    while ((await db.getUploadQueueStats()).count) await pause(5);
    for (const { coll, id, fields } of see ?? []) {
      for (const n in fields) while (read(coll, n, (await db.getOptional(`SELECT "${n}" v FROM ${coll} WHERE id = ?`, [id]))?.v ?? null) !== fields[n]) await pause(5);
    }
  },
  rest: () => db.disconnect(),
  async edit({ records }) {
    for (const { coll, id, fields } of records) {
      const names = Object.keys(fields);
      await db.execute(`INSERT INTO ${coll} (id, ${names.map(n => `"${n}"`)}) VALUES (?${', ?'.repeat(names.length)})`, [id, ...names.map(n => (toRow[kinds[coll][n]] ?? (x => x))(fields[n]))]);
    }
  },
  async held() {
    const records = [];
    for (const coll of Object.keys(kinds)) {
      for (const { id, ...fields } of await db.getAll(`SELECT * FROM ${coll}`)) {
        records.push({ coll, id, fields: Object.fromEntries(Object.entries(fields).map(([n, v]) => [n, read(coll, n, v)])) });
      }
    }
    return { records };
  },
  close: () => db.close(),
});
