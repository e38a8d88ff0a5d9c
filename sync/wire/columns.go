package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
)

// Changes are rows of one collection, which all set the same fields, as columns:
// names are said once, and like stands beside like, which compresses well.
type Changes struct {
	Coll  string                       `json:"coll"`
	IDs   IDs                          `json:"ids"`
	Seq   []int64                      `json:"seq"` // the first number, then differences
	Whole bool                         `json:"whole,omitempty"`
	In    [][]int                      `json:"in,omitempty"` // one for all rows or one for each
	Set   map[string][]json.RawMessage `json:"set,omitempty"`
}

// idLength is that of every id PocketBase makes.
const idLength = 15

// IDs are record ids: one text when all have the usual length.
type IDs []string

// MarshalJSON writes the ids joined, or as an array when one has another length.
func (ids IDs) MarshalJSON() ([]byte, error) {
	if !ids.usual() {
		return json.Marshal([]string(ids))
	}
	return json.Marshal(strings.Join(ids, ""))
}

// usual tells whether all can stand one after the other.
func (ids IDs) usual() bool {
	for _, id := range ids {
		if len(id) != idLength {
			return false
		}
		for i := range len(id) {
			if id[i] > 126 {
				return false
			}
		}
	}
	return true
}

var errColumns = errors.New("columns of unequal length")

// UnmarshalJSON reads what MarshalJSON writes.
func (ids *IDs) UnmarshalJSON(raw []byte) error {
	*ids = nil
	if len(raw) > 0 && raw[0] == '[' {
		return json.Unmarshal(raw, (*[]string)(ids))
	}
	var joined string
	if err := json.Unmarshal(raw, &joined); err != nil {
		return err
	}
	if len(joined)%idLength != 0 {
		return errColumns
	}
	for ; joined != ""; joined = joined[idLength:] {
		*ids = append(*ids, joined[:idLength])
	}
	return nil
}

// Columns puts rows into as few changes as they have different sets of fields,
// keeping their order within each.
func Columns(coll string, rows []Row) []Changes {
	groups := map[string][]Row{}
	var order []string
	for _, r := range rows {
		k := r.kind()
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], r)
	}
	out := make([]Changes, len(order))
	for i, k := range order {
		out[i] = columns(coll, groups[k])
	}
	return out
}

// kind tells rows apart that cannot stand in the same columns. Whole rows can:
// a field that one of them lacks is zero.
func (r Row) kind() string {
	if r.Whole {
		return "whole"
	}
	k := strings.Join(slices.Sorted(maps.Keys(r.Set)), "\n")
	if r.In != nil {
		k += "\n\n"
	}
	return k
}

var null = json.RawMessage("null")

func columns(coll string, rows []Row) Changes {
	c := Changes{Coll: coll, Whole: rows[0].Whole}
	was := int64(0)
	for i, r := range rows {
		c.IDs = append(c.IDs, r.ID)
		c.Seq = append(c.Seq, int64(r.Seq)-was)
		was = int64(r.Seq)
		if r.In != nil {
			c.In = append(c.In, r.In)
		}
		for f, v := range r.Set {
			if c.Set == nil {
				c.Set = map[string][]json.RawMessage{}
			}
			if c.Set[f] == nil {
				c.Set[f] = slices.Repeat([]json.RawMessage{null}, len(rows))
			}
			c.Set[f][i] = v
		}
	}
	if len(c.In) > 1 && !slices.ContainsFunc(c.In, func(in []int) bool { return !slices.Equal(in, c.In[0]) }) {
		c.In = c.In[:1]
	}
	return c
}

// Rows reads the columns back. A null of a whole row, a zero, is left out of its
// Set; that of another row stays. The error says that the columns do not fit.
func (c Changes) Rows() ([]Row, error) {
	n := len(c.IDs)
	if len(c.Seq) != n || len(c.In) > 1 && len(c.In) != n {
		return nil, errColumns
	}
	rows := make([]Row, n)
	seq := int64(0)
	for i, id := range c.IDs {
		if id == "" {
			return nil, errColumns
		}
		seq += c.Seq[i]
		rows[i] = Row{ID: id, Seq: Cursor(seq), Whole: c.Whole}
		if len(c.In) == 1 {
			rows[i].In = c.In[0]
		} else if len(c.In) > 0 {
			rows[i].In = c.In[i]
		}
		if len(c.Set) > 0 {
			rows[i].Set = make(map[string]json.RawMessage, len(c.Set))
		}
	}
	for f, column := range c.Set {
		if len(column) != n {
			return nil, errColumns
		}
		for i, v := range column {
			if c.Whole && bytes.Equal(v, null) {
				continue
			}
			rows[i].Set[f] = v
		}
	}
	return rows, nil
}
