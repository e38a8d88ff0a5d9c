package commune

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Alias is the new name of a field that older apps still send under its old one.
type Alias struct {
	Field string // the name now
	Until string // the last day on which the old one is taken, as 2027-06-30
}

// Aliases are a collection's old field names with what became of them. Rows that
// go down carry new names only: an old app goes on showing what it has.
type Aliases map[string]Alias

// Holds tells whether the old name is still taken at a moment.
func (a Alias) Holds(at time.Time) bool { return Day(at) <= a.Until }

// Renamed returns the fields of an edit under their names of now, and the old
// names by the new ones. What an edit says under both names, it means under the
// new one. An old name whose day is over stays: the edit is parked, not lost.
func Renamed[T json.RawMessage | json.Number](a Aliases, fields map[string]T, at time.Time) (map[string]T, map[string]string) {
	var out map[string]T
	var old map[string]string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		alias, has := a[name]
		if !has || !alias.Holds(at) {
			continue
		}
		if out == nil {
			out, old = maps.Clone(fields), map[string]string{}
		}
		delete(out, name)
		if _, both := out[alias.Field]; !both {
			out[alias.Field] = fields[name]
			old[alias.Field] = name
		}
	}
	if out == nil {
		return fields, nil
	}
	return out, old
}
