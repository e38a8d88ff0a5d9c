package sqlite

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pocketbase/dbx"
)

// mostTexts is how many texts a transaction remembers.
const mostTexts = 256

// Remember has a transaction look for the arguments in each text once: dbx does it
// each time, with a regular expression, and that takes as long as to find a row. It
// is worth it for a transaction that says the same often. db is the database that
// the transaction is of; a tx that is none of dbx's stays as it is.
func Remember(db, tx dbx.Builder) {
	of, isDB := db.(*dbx.DB)
	in, isTx := tx.(*dbx.Tx)
	if !isDB || !isTx {
		return
	}
	if _, already := in.Builder.(*texts); !already {
		in.Builder = &texts{Builder: in.Builder, db: of, seen: map[string]dbx.Query{}, inserts: map[string]insert{}}
	}
}

// texts is the builder of a transaction. One goroutine at a time uses it, as it
// does the transaction.
type texts struct {
	dbx.Builder
	db      *dbx.DB
	seen    map[string]dbx.Query // never bound to arguments
	inserts map[string]insert    // by table
}

// insert is the last text for a table.
type insert struct {
	columns []string
	text    string
}

// NewQuery makes a query of a text.
func (t *texts) NewQuery(text string) *dbx.Query {
	q, ok := t.seen[text]
	if !ok {
		q = *t.Builder.NewQuery(text)
		if len(t.seen) < mostTexts {
			t.seen[text] = q
		}
	}
	return &q
}

// Select begins a query whose text comes back here.
func (t *texts) Select(columns ...string) *dbx.SelectQuery {
	return dbx.NewSelectQuery(t, t.db).Select(columns...)
}

// Insert makes the query that inserts a row.
func (t *texts) Insert(table string, row dbx.Params) *dbx.Query {
	columns := slices.Sorted(maps.Keys(row))
	for _, value := range row {
		if _, computed := value.(dbx.Expression); computed {
			return t.Builder.Insert(table, row)
		}
	}
	if len(columns) == 0 {
		return t.Builder.Insert(table, row)
	}
	last := t.inserts[table]
	if !slices.Equal(last.columns, columns) {
		last = insert{columns, t.insertion(table, columns)}
		t.inserts[table] = last
	}
	args := make(dbx.Params, len(columns))
	for i, name := range columns {
		args[argument(i)] = row[name]
	}
	return t.NewQuery(last.text).Bind(args)
}

func (t *texts) insertion(table string, columns []string) string {
	var into, values strings.Builder
	for i, name := range columns {
		if i > 0 {
			into.WriteString(", ")
			values.WriteString(", ")
		}
		into.WriteString(t.db.QuoteColumnName(name))
		values.WriteString("{:" + argument(i) + "}")
	}
	return "INSERT INTO " + t.db.QuoteTableName(table) + " (" + into.String() + ") VALUES (" + values.String() + ")"
}

// argument is the name of a text's nth argument.
func argument(n int) string {
	if n < len(arguments) {
		return arguments[n]
	}
	return "p" + strconv.Itoa(n)
}

var arguments = func() (names [64]string) {
	for i := range names {
		names[i] = "p" + strconv.Itoa(i)
	}
	return names
}()
