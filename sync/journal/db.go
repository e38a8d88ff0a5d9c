package journal

import (
	"database/sql"
	"strconv"

	"github.com/pocketbase/dbx"
)

// writer runs statements with positional arguments {:p0}, {:p1} … on the
// transaction of PocketBase at hand and prepares each text once.
type writer struct {
	db    dbx.Builder
	ready map[string]*dbx.Query
}

func (w *writer) prepared(sql string, args []any) *dbx.Query {
	q := w.ready[sql]
	if q == nil {
		q = w.db.NewQuery(sql).Prepare()
		if w.ready == nil {
			w.ready = map[string]*dbx.Query{}
		}
		w.ready[sql] = q
	}
	params := make(dbx.Params, len(args))
	for i, a := range args {
		params["p"+strconv.Itoa(i)] = a
	}
	return q.Bind(params)
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
