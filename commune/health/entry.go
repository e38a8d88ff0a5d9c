package health

import (
	"encoding/json"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// entry is a lens over a record of health_entries: the names of its fields are
// written here and nowhere else.
type entry struct{ *core.Record }

func (e entry) person() string     { return e.GetString("person") }
func (e entry) kind() string       { return e.GetString("kind") }
func (e entry) code() string       { return e.GetString("code") }
func (e entry) occurredOn() string { return e.GetString("occurred_on") }
func (e entry) source() string     { return e.GetString("source") }
func (e entry) op() string         { return e.GetString("op") }
func (e entry) root() string       { return e.GetString("root") }
func (e entry) reason() string     { return e.GetString("reason") }

// amends returns the ids of the entries that this one amends; ok is false when
// the field holds anything but a short list of ids, each once.
func (e entry) amends() (ids []string, ok bool) {
	if err := json.Unmarshal([]byte(orNull(e.GetString("amends"))), &ids); err != nil || len(ids) > 16 {
		return nil, false
	}
	for i, id := range ids {
		if !commune.ValidID(id) || slices.Contains(ids[:i], id) {
			return nil, false
		}
	}
	return ids, true
}

// data returns the figures; ok is false when the field is no JSON object of a
// few numbers, yes-or-noes and short texts.
func (e entry) data() (figures map[string]any, ok bool) {
	raw := orNull(e.GetString("data"))
	if len(raw) > 4096 || json.Unmarshal([]byte(raw), &figures) != nil || len(figures) > 16 {
		return nil, false
	}
	for key, v := range figures {
		text, isText := v.(string)
		_, isNumber := v.(float64)
		_, isBool := v.(bool)
		if key == "" || len(key) > 40 || !isText && !isNumber && !isBool || len(text) > 400 {
			return nil, false
		}
	}
	return figures, true
}

// staff tells whether the author works for the health of this entry's person.
func (e entry) staff(a commune.Author) bool {
	return a.Stands(commune.Named("village-health", e.GetString("village"))) ||
		a.Stands(commune.Named("station", e.GetString("station")))
}

// An empty JSON field may be written "" or null.
func orNull(raw string) string {
	if raw == "" || raw == `""` {
		return "null"
	}
	return raw
}

// content are the fields that an entry's author wrote; routes are not.
var content = []string{"person", "kind", "code", "data", "text", "occurred_on", "source", "op", "root", "amends", "reason"}

func fillEntry(c *commune.Case) error {
	if !c.Creating() {
		return nil
	}
	e := entry{c.New}
	if e.Id == "" {
		e.Id = core.GenerateDefaultRandomId() // its root is named after it
	}
	if c.Author.Person != "" {
		e.Set("author", c.Author.Person)
	}
	if e.op() == "" {
		e.Set("op", "add")
	}
	if e.kind() == "no_allergy" && e.code() == "" {
		e.Set("code", noKnownAllergy)
	}
	if e.occurredOn() == "" {
		e.Set("occurred_on", commune.Day(c.At))
	}
	if e.source() == "" {
		e.Set("source", "told")
		if e.staff(c.Author) && e.kind() != "no_allergy" { // which nobody can measure
			e.Set("source", "measured")
		}
	}
	e.Set("root", e.Id)
	if ids, _ := e.amends(); e.op() != "add" && len(ids) > 0 {
		if amended, err := c.App.FindRecordById("health_entries", ids[0]); err == nil {
			e.Set("root", entry{amended}.root())
		}
	}
	return nil
}
