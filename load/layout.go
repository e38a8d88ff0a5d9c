package load

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// layout is a collection as its table is now: a field added in the dashboard
// can be loaded at once.
type layout struct {
	kind
	collection *core.Collection
	declared   *commune.Collection // nil when no domain declares it
	key        string              // the column that knows a row; "id" when none holds the external id
	columns    []column
	byName     map[string]int
	routes     []routed
	insert     string
	update     string
}

// column is one field.
type column struct {
	core.Field
	name     string
	form     form
	to       string // for a reference: the collection it points at
	required bool   // for a reference
	loose    loose
}

// form is how a value is read and written.
type form byte

const (
	closed form = iota // the server's own, or of a type that files cannot hold
	text
	number
	yesno
	list // one of a list of values
	data // JSON
	date
	reference
	stamp // created, updated
)

type routed struct {
	field string
	commune.Route
}

func newLayout(app core.App, domains []commune.Domain, k kind) (*layout, error) {
	col, err := app.FindCachedCollectionByNameOrId(k.name)
	if err != nil {
		return nil, fmt.Errorf("find collection: %w", err)
	}
	l := &layout{kind: k, collection: col, key: keyOf(col), byName: map[string]int{}}
	_, l.declared = commune.Find(domains, k.name)
	if l.declared != nil {
		l.routes = inOrder(l.declared.Routes)
	}
	var names, holes, sets []string
	for _, f := range col.Fields {
		c := column{Field: f, name: f.GetName(), loose: k.loose[f.GetName()]}
		c.form, c.to, c.required = formOf(app, f)
		if slices.Contains(k.own, c.name) || slices.ContainsFunc(l.routes, func(r routed) bool { return r.field == c.name }) {
			c.form = closed
		}
		l.byName[c.name] = len(l.columns)
		l.columns = append(l.columns, c)
		names = append(names, "[["+c.name+"]]")
		holes = append(holes, "{:"+c.name+"}")
		if c.name != "id" {
			sets = append(sets, "[["+c.name+"]] = {:"+c.name+"}")
		}
	}
	l.insert = fmt.Sprintf("INSERT INTO {{%s}} (%s) VALUES (%s)", k.name, strings.Join(names, ", "), strings.Join(holes, ", "))
	l.update = fmt.Sprintf("UPDATE {{%s}} SET %s WHERE [[id]] = {:id}", k.name, strings.Join(sets, ", "))
	return l, nil
}

// keyOf names the column by which rows of a collection are known.
func keyOf(col *core.Collection) string {
	if col.Fields.GetByName("external") != nil {
		return "external"
	}
	for _, k := range kinds {
		if k.name == col.Name && k.key != "" {
			return k.key
		}
	}
	return "id"
}

func formOf(app core.App, f core.Field) (form, string, bool) {
	if f.GetName() == "id" {
		return closed, "", false
	}
	switch f := f.(type) {
	case *core.TextField, *core.EmailField, *core.URLField, *core.EditorField:
		return text, "", false
	case *core.NumberField:
		return number, "", false
	case *core.BoolField:
		return yesno, "", false
	case *core.SelectField:
		if f.MaxSelect <= 1 {
			return list, "", false
		}
	case *core.JSONField:
		return data, "", false
	case *core.DateField:
		return date, "", false
	case *core.AutodateField:
		return stamp, "", false
	case *core.RelationField:
		if to, err := app.FindCachedCollectionByNameOrId(f.CollectionId); err == nil && f.MaxSelect <= 1 {
			return reference, to.Name, f.Required
		}
	}
	return closed, "", false
}

// inOrder puts a route behind the one that gives the field it goes through.
func inOrder(routes commune.Routes) []routed {
	var out []routed
	var add func(field string)
	done := map[string]bool{}
	add = func(field string) {
		r, is := routes[field]
		if !is || done[field] {
			return
		}
		done[field] = true
		add(r.Via)
		out = append(out, routed{field, r})
	}
	for field := range routes {
		add(field)
	}
	return out
}
