package journal

import (
	"database/sql"

	"github.com/pocketbase/dbx"
)

// writer runs statements with positional arguments {:p0}, {:p1} … on the
// transaction of PocketBase at hand and prepares each text once.
type writer struct {
	db    dbx.Builder
	ready map[string]*dbx.Query
	args  dbx.Params // of the statement at hand; every query is bound to this map
}

// argNames are the names of the arguments.
var argNames = [...]string{"p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9"}

func (w *writer) prepared(sql string, args []any) *dbx.Query {
	if w.ready == nil {
		w.ready, w.args = map[string]*dbx.Query{}, make(dbx.Params, len(argNames))
	}
	q := w.ready[sql]
	if q == nil {
		q = w.db.NewQuery(sql).Prepare().Bind(w.args)
		w.ready[sql] = q
	}
	for i, a := range args {
		w.args[argNames[i]] = a
	}
	return q
}

func (w *writer) exec(sql string, args ...any) error {
	_, err := w.prepared(sql, args).Execute()
	return err
}

func (w *writer) query(sql string, args ...any) (*dbx.Rows, error) {
	return w.prepared(sql, args).Rows()
}

func (w *writer) close() {
	for _, q := range w.ready {
		_ = q.Close() // closing a statement of a finished transaction says so; nothing is lost
	}
}

// scanOne reads one row; no row is sql.ErrNoRows.
func scanOne(q rower, query string, args []any, into ...any) error {
	rows, err := q.query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	if err := rows.Scan(into...); err != nil {
		return err
	}
	return rows.Close()
}

// scanAll calls each for every row.
func scanAll(q rower, query string, args []any, each func(*dbx.Rows) error) error {
	rows, err := q.query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
