package server

import (
	"cmp"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// source is a record that fields of another follow: one look at it serves all.
type source struct {
	via, of string
	fields  []string // of who follows
	query   string
}

// sourcesOf are the records that a collection's routes lead to.
func sourcesOf(decl *commune.Collection) (out []source) {
	from := map[[2]string][]string{}
	for _, field := range slices.Sorted(maps.Keys(decl.Routes)) {
		r := decl.Routes[field]
		key := [2]string{r.Via, r.Of}
		from[key] = append(from[key], "[["+r.From+"]]")
		at := slices.IndexFunc(out, func(s source) bool { return s.via == r.Via && s.of == r.Of })
		if at < 0 {
			at, out = len(out), append(out, source{via: r.Via, of: r.Of})
		}
		out[at].fields = append(out[at].fields, field)
	}
	for i, s := range out {
		out[i].query = "SELECT " + strings.Join(from[[2]string{s.via, s.of}], ", ") + " FROM {{" + s.of + "}} WHERE [[id]] = {:id}"
	}
	slices.SortFunc(out, func(a, b source) int { return cmp.Or(cmp.Compare(a.via, b.via), cmp.Compare(a.of, b.of)) })
	return out
}

// fillRoutes sets the routed fields from their sources, whatever was written
// there: they are the server's own.
func fillRoutes(tx core.App, sources []source, r *core.Record) error {
	due := sources
	// A route may start from another route's field: at most as many rounds as there are.
	for range sources {
		moved := map[string]bool{}
		for _, s := range due {
			values, err := s.look(tx, r.GetString(s.via))
			if err != nil {
				return fmt.Errorf("follow %s to %s: %w", s.via, s.of, err)
			}
			for i, field := range s.fields {
				moved[field] = moved[field] || r.GetString(field) != values[i]
				r.Set(field, values[i])
			}
		}
		due = slices.DeleteFunc(slices.Clone(sources), func(s source) bool { return !moved[s.via] })
	}
	return nil
}

// look reads what is followed; without a record all are empty.
func (s source) look(tx core.App, via string) ([]string, error) {
	values := make([]string, len(s.fields))
	if via == "" {
		return values, nil
	}
	rows, err := tx.NonconcurrentDB().NewQuery(s.query).Bind(dbx.Params{"id": via}).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	if !rows.Next() {
		return values, rows.Err()
	}
	found, into := make([]sql.NullString, len(values)), make([]any, len(values))
	for i := range found {
		into[i] = &found[i]
	}
	if err := rows.Scan(into...); err != nil {
		return nil, err
	}
	for i, v := range found {
		values[i] = v.String // raw SQL may have left NULL
	}
	return values, nil
}
