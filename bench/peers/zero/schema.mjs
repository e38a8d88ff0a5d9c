// The tables and queries that both sides know: one query a table, whose rows are those
// that the person may see. The server decides: it is asked for each query by name.
import { readFileSync } from 'node:fs';
import { boolean, createBuilder, createSchema, defineMutator, defineMutators, defineQueries, defineQuery, json, number, string, table } from '@rocicorp/zero';

const column = { text: string, number, bool: boolean, json };

export function commune(kindsFile) {
  const kinds = JSON.parse(readFileSync(kindsFile, 'utf8'));
  const schema = createSchema({ tables: Object.entries(kinds).map(([coll, fields]) => table(coll)
    .columns({ id: string(), ...Object.fromEntries(Object.entries(fields).map(([name, kind]) => [name, column[kind]().optional()])) })
    .primaryKey('id')) });
  const rows = createBuilder(schema);
  const own = {
    households: ctx => rows.households.where('id', ctx.household),
    persons: ctx => rows.persons.where('id', ctx.person),
    duties: ctx => rows.duties.where('person', ctx.person),
    health_entries: ctx => rows.health_entries.where('person', ctx.person),
    dossiers: ctx => rows.dossiers.where('person', ctx.person),
    orders: ctx => rows.orders.where(({ or, cmp }) => or(cmp('buyer', ctx.person), cmp('stall', ctx.stall))),
  };
  const queries = defineQueries(Object.fromEntries(Object.keys(kinds).map(coll =>
    [coll, defineQuery(({ ctx }) => own[coll] ? own[coll](ctx) : rows[coll])])));
  const mutators = defineMutators({
    measure: defineMutator(async ({ tx, args, ctx }) => {
      if (args.person !== ctx.person) throw new Error('not yours');
      await tx.mutate.health_entries.insert(args);
    }),
  });
  return { kinds, schema, queries, mutators };
}
