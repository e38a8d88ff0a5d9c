package journal

import (
	"encoding/json"

	"github.com/pocketbase/dbx"
)

// Row is one record as its table holds it.
type Row struct {
	ID     string
	shape  *shape
	values []any // by column
}

func (r Row) value(field string) (any, kind) {
	for i, c := range r.shape.columns {
		if c.name == field {
			return r.values[i], c.kind
		}
	}
	return nil, kindText
}

// GetString returns a field's value as text; "" for a field that is not there.
func (r Row) GetString(field string) string {
	if field == "id" {
		return r.ID
	}
	v, k := r.value(field)
	if k == kindBool && k.wire(v) == nil {
		return ""
	}
	return str(v)
}

// GetBool returns a field's value as a truth.
func (r Row) GetBool(field string) bool {
	v, _ := r.value(field)
	return kindBool.wire(v) != nil
}

// GetStringSlice returns the values of a field that may hold several.
func (r Row) GetStringSlice(field string) []string {
	if field == "id" {
		return []string{r.ID}
	}
	v, k := r.value(field)
	if k == kindList || k == kindJSON {
		var out []string
		_ = json.Unmarshal([]byte(str(v)), &out) // not a list: in no circle
		return out
	}
	if s := str(v); s != "" {
		return []string{s}
	}
	return nil
}

// rowsByID reads rows of one collection. Ids travel as one JSON argument, since
// raw SQL may have given records any id at all.
func (sh *shape) rowsByID(q rower, ids []string) (map[string]Row, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	out := make(map[string]Row, len(ids))
	err = scanAll(q, sh.query+"[[id]] IN (SELECT value FROM json_each({:p0}))", []any{string(list)}, func(rows *dbx.Rows) error {
		r := Row{shape: sh, values: make([]any, len(sh.columns))}
		into := make([]any, 1, 1+len(r.values))
		into[0] = &r.ID
		for i := range r.values {
			into = append(into, &r.values[i])
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		out[r.ID] = r
		return nil
	})
	return out, err
}
