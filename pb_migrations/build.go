// Package pb_migrations is the history of the collections: small steps, written
// by hand, applied in the order of their file names, forward only.
//
// A step imports nothing of the program and repeats names as plain strings: it
// must mean the same in ten years, whatever the code has become. The helpers
// below only spare the reader PocketBase's punctuation; they never change.
package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
	"github.com/pocketbase/pocketbase/tools/types"
)

// forward registers a step that cannot be undone.
func forward(up func(app core.App) error, file string) { m.Register(up, nil, file) }

// collection saves a base collection without API rules: phones read and write
// it by circles alone, the dashboard as superuser.
func collection(app core.App, name string, indexes types.JSONArray[string], fields ...core.Field) error {
	c := core.NewBaseCollection(name)
	for _, f := range fields {
		f.SetSystem(true) // the program reads it: the dashboard may not rename or drop it
	}
	c.Fields.Add(fields...)
	c.Fields.Add(
		&core.AutodateField{Name: "created", OnCreate: true},
		&core.AutodateField{Name: "updated", OnCreate: true, OnUpdate: true},
	)
	c.Indexes = indexes
	return app.Save(c)
}

func text(name, help string, max int) *core.TextField {
	return &core.TextField{Name: name, Help: help, Max: max}
}

// local is a field of the server's own: the dashboard shows it, phones never
// get it (sync leaves out hidden fields).
func local(name, help string, max int) *core.TextField {
	return &core.TextField{Name: name, Help: help, Max: max, Hidden: true}
}

// title is the field by which people recognise the record.
func title(name, help string, max int) *core.TextField {
	return &core.TextField{Name: name, Help: help, Max: max, Required: true, Presentable: true}
}

func number(name, help string) *core.NumberField { return &core.NumberField{Name: name, Help: help} }

func whole(name, help string) *core.NumberField {
	return &core.NumberField{Name: name, Help: help, OnlyInt: true}
}

func yes(name, help string) *core.BoolField { return &core.BoolField{Name: name, Help: help} }

func data(name, help string) *core.JSONField {
	return &core.JSONField{Name: name, Help: help, MaxSize: 64 << 10}
}

func choice(name, help string, values ...string) *core.SelectField {
	return &core.SelectField{Name: name, Help: help, MaxSelect: 1, Values: values}
}

// one points at one record of a collection made earlier.
func one(app core.App, name, help, to string) *core.RelationField {
	return &core.RelationField{Name: name, Help: help, MaxSelect: 1, CollectionId: id(app, to)}
}

func must(f *core.RelationField) *core.RelationField { f.Required = true; return f }

func id(app core.App, name string) string {
	c, err := app.FindCollectionByNameOrId(name)
	if err != nil {
		return name // Save will say that there is no such collection
	}
	return c.Id
}
