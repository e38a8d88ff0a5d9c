package attach

import (
	"github.com/pocketbase/pocketbase/core"
)

// plain are the tables of sync, as the commune's migrations leave them.
var plain = []string{
	`CREATE TABLE IF NOT EXISTS journal_meta (id INTEGER PRIMARY KEY CHECK (id = 1), epoch TEXT NOT NULL, salt INTEGER NOT NULL, seq INTEGER NOT NULL, summed INTEGER NOT NULL DEFAULT 0, floor INTEGER NOT NULL DEFAULT 0)`,
	`CREATE TABLE IF NOT EXISTS journal_touched (coll TEXT NOT NULL, rid TEXT NOT NULL, PRIMARY KEY (coll, rid)) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS journal_collections (no INTEGER PRIMARY KEY, coll TEXT NOT NULL UNIQUE, name TEXT NOT NULL, declared TEXT NOT NULL, last INTEGER NOT NULL DEFAULT 0)`,
	`CREATE TABLE IF NOT EXISTS journal_fields (coll INTEGER NOT NULL, no INTEGER NOT NULL, field TEXT NOT NULL, PRIMARY KEY (coll, no)) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS journal_circles (no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, n INTEGER NOT NULL DEFAULT 0, a INTEGER NOT NULL DEFAULT 0, b INTEGER NOT NULL DEFAULT 0)`,
	`CREATE TABLE IF NOT EXISTS journal_records (coll INTEGER NOT NULL, rid TEXT NOT NULL, seq INTEGER NOT NULL, born INTEGER NOT NULL, gone INTEGER NOT NULL, fields BLOB NOT NULL, circles BLOB NOT NULL, PRIMARY KEY (coll, rid)) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS journal_entries (circle INTEGER NOT NULL, seq INTEGER NOT NULL, coll INTEGER NOT NULL, rid TEXT NOT NULL, entered INTEGER NOT NULL, out INTEGER NOT NULL, PRIMARY KEY (circle, seq)) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS journal_days (day TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS sync_phones (no INTEGER PRIMARY KEY, phone TEXT NOT NULL UNIQUE, acked INTEGER NOT NULL DEFAULT 0, confirmed INTEGER NOT NULL DEFAULT 0)`,
	`CREATE TABLE IF NOT EXISTS sync_standings (hash TEXT PRIMARY KEY, circles TEXT NOT NULL) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS sync_verdicts (phone TEXT NOT NULL, n INTEGER NOT NULL, hash BLOB NOT NULL, verdict TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (phone, n)) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS attach_phones (id TEXT PRIMARY KEY, person TEXT NOT NULL, public_key TEXT NOT NULL UNIQUE) WITHOUT ROWID`,
}

// makeTables makes what is missing: the plain tables, and the two collections of
// what waits for a person, which the dashboard shows.
func makeTables(app core.App) error {
	for _, sql := range plain {
		if _, err := app.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
			return err
		}
	}
	text := func(name string) core.Field { return &core.TextField{Name: name, System: true, Max: 1000} }
	data := func(name string, hidden bool) core.Field {
		return &core.JSONField{Name: name, System: true, Hidden: hidden, MaxSize: 64 << 10}
	}
	whole := func(name string, hidden bool) core.Field {
		return &core.NumberField{Name: name, System: true, Hidden: hidden, OnlyInt: true}
	}
	for name, fields := range map[string][]core.Field{
		"parked_edits": {text("phone"), whole("n", false), text("person"), text("code"), text("coll"), text("record"), data("edit", false), data("theirs", false), text("state"), text("note"),
			data("circles", true), whole("seq", true), text("maker"), text("at"), text("take"), data("value", false), text("by"), text("by_name"), text("settled_at")},
		"settlements": {text("person"), text("phone"), whole("n", false), text("take"), text("by_name"), text("at"), text("say")},
	} {
		if _, err := app.FindCollectionByNameOrId(name); err == nil {
			continue
		}
		c := core.NewBaseCollection(name)
		c.Fields.Add(fields...)
		if name == "parked_edits" {
			c.AddIndex("parked_edits_phone_n", true, "phone, n", "")
			c.AddIndex("parked_edits_state", false, "state", "")
		}
		if err := app.Save(c); err != nil {
			return err
		}
	}
	return nil
}
