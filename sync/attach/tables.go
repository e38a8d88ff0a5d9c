package attach

import (
	"fmt"
	"slices"

	"github.com/pocketbase/pocketbase/core"
)

// plain are the tables of sync, as the commune's migrations leave them.
var plain = []string{
	`CREATE TABLE IF NOT EXISTS journal_meta (id INTEGER PRIMARY KEY CHECK (id = 1), epoch TEXT NOT NULL, salt INTEGER NOT NULL, seq INTEGER NOT NULL, summed INTEGER NOT NULL DEFAULT 0, floor INTEGER NOT NULL DEFAULT 0)`,
	`CREATE TABLE IF NOT EXISTS journal_touched (coll TEXT NOT NULL, rid TEXT NOT NULL, PRIMARY KEY (coll, rid)) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS journal_collections (no INTEGER PRIMARY KEY, coll TEXT NOT NULL UNIQUE, name TEXT NOT NULL, declared TEXT NOT NULL, last INTEGER NOT NULL DEFAULT 0)`,
	`CREATE TABLE IF NOT EXISTS journal_fields (coll INTEGER NOT NULL, no INTEGER NOT NULL, field TEXT NOT NULL, PRIMARY KEY (coll, no)) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS journal_circles (no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, n INTEGER NOT NULL DEFAULT 0, a INTEGER NOT NULL DEFAULT 0, b INTEGER NOT NULL DEFAULT 0, last INTEGER NOT NULL DEFAULT 0)`,
	`CREATE TABLE IF NOT EXISTS journal_records (coll INTEGER NOT NULL, rid TEXT NOT NULL, seq INTEGER NOT NULL, born INTEGER NOT NULL, gone INTEGER NOT NULL, fields BLOB NOT NULL, circles BLOB NOT NULL, PRIMARY KEY (coll, rid)) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS journal_entries (circle INTEGER NOT NULL, seq INTEGER NOT NULL, coll INTEGER NOT NULL, rid TEXT NOT NULL, entered INTEGER NOT NULL, out INTEGER NOT NULL, PRIMARY KEY (circle, seq)) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS journal_days (day TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS sync_phones (no INTEGER PRIMARY KEY, phone TEXT NOT NULL UNIQUE, acked INTEGER NOT NULL DEFAULT 0, confirmed INTEGER NOT NULL DEFAULT 0)`,
	`CREATE TABLE IF NOT EXISTS sync_standings (hash TEXT PRIMARY KEY, circles TEXT NOT NULL) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS sync_verdicts (phone TEXT NOT NULL, n INTEGER NOT NULL, hash BLOB NOT NULL, verdict TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (phone, n)) WITHOUT ROWID`,
}

// ofFiles are the tables of photos and scans, for apps that have some.
var ofFiles = []string{
	`CREATE TABLE IF NOT EXISTS files (hash TEXT PRIMARY KEY, kind TEXT NOT NULL, bytes INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
		sum TEXT NOT NULL, screen TEXT NOT NULL, thumb TEXT NOT NULL, kept TEXT NOT NULL) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS file_holders (hash TEXT NOT NULL, person TEXT NOT NULL, PRIMARY KEY (hash, person)) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS file_refs (hash TEXT NOT NULL, coll TEXT NOT NULL, record TEXT NOT NULL, by TEXT NOT NULL, proven INTEGER NOT NULL, PRIMARY KEY (hash, coll, record)) WITHOUT ROWID`,
	`CREATE INDEX IF NOT EXISTS file_refs_record ON file_refs (coll, record)`,
	`CREATE TABLE IF NOT EXISTS file_uploads (id TEXT PRIMARY KEY, person TEXT NOT NULL, hash TEXT NOT NULL, size INTEGER NOT NULL, meta TEXT NOT NULL, at TEXT NOT NULL, state INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID`,
	`CREATE INDEX IF NOT EXISTS file_uploads_person ON file_uploads (person, at)`,
}

// ours is a collection that sync needs and the dashboard shows. It has no API
// rules: only superusers see it.
type ours struct {
	name    string
	fields  []core.Field // the first is how one of ours is told from another of that name
	indexes [][3]string  // name, columns, condition; unique unless it is of the column state
}

// collections are those of sync, for an app whose people are in auth.
func collections(auth *core.Collection) []ours {
	return []ours{
		{"phones", []core.Field{
			// It outlives its account: a phone that nobody knew any more would keep what it has.
			text("public_key", 200), &core.RelationField{Name: "person", System: true, CollectionId: auth.Id, MaxSelect: 1},
			text("label", 120), &core.BoolField{Name: "blocked", System: true},
			text("app", 60), text("seen", 30), whole("waiting"), whole("refused"), whole("parked"), whole("cursor"), text("cursor_epoch", 40),
			text("day", 10), whole("up"), whole("down"), whole("skew"), whole("repairs"),
			&core.SelectField{Name: "deep_check", System: true, Values: []string{"asked"}},
			&core.SelectField{Name: "transport", System: true, Values: []string{"none", "fcm", "webpush"}}, hidden(text("address", 4096)),
			&core.SelectField{Name: "address_state", System: true, Values: []string{"ok", "gone", "suspect"}}, whole("registered_at"), whole("gone_at"),
		}, [][3]string{{"phones_public_key", "public_key", ""}}},
		{"parked_edits", []core.Field{
			text("code", 60), text("phone", 30), whole("n"), text("person", 30), text("coll", 60), text("record", 60), data("edit"), data("theirs"),
			&core.SelectField{Name: "state", System: true, Values: []string{"waiting", "settled", "dropped"}}, text("note", 1000),
			hidden(data("circles")), hidden(whole("seq")), text("maker", 120), text("at", 30),
			&core.SelectField{Name: "take", System: true, Values: []string{"theirs", "mine", "value"}}, data("value"), text("by", 30), text("by_name", 120), text("settled_at", 30),
		}, [][3]string{{"parked_edits_phone_n", "phone, n", ""}, {"parked_edits_state", "state", ""}}},
		{"settlements", []core.Field{
			text("by_name", 120), text("person", 30), text("phone", 30), whole("n"),
			&core.SelectField{Name: "take", System: true, Values: []string{"theirs", "mine", "value"}}, text("at", 30), text("say", 1000),
		}, nil},
	}
}

func text(name string, most int) core.Field {
	return &core.TextField{Name: name, System: true, Max: most}
}
func whole(name string) core.Field {
	return &core.NumberField{Name: name, System: true, OnlyInt: true}
}
func data(name string) core.Field {
	return &core.JSONField{Name: name, System: true, MaxSize: 1 << 20}
}

func hidden(f core.Field) core.Field { f.SetHidden(true); return f }

// makeTables makes what is missing, in an app whose people are in the collection auth.
func makeTables(app core.App, auth string, files bool) error {
	people, err := app.FindCollectionByNameOrId(auth)
	if err != nil || !people.IsAuth() {
		return fmt.Errorf("the app has no auth collection %q", auth)
	}
	return app.RunInTransaction(func(tx core.App) error {
		tables := plain
		if files {
			if _, err := tx.FindCollectionByNameOrId("files"); err == nil {
				return fmt.Errorf(`the app has a collection "files", which is the name of a table that sync needs`)
			}
			tables = append(tables[:len(tables):len(tables)], ofFiles...)
		}
		for _, sql := range tables {
			if _, err := tx.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
				return err
			}
		}
		if err := lastOfCircles(tx); err != nil {
			return fmt.Errorf("journal_circles: %w", err)
		}
		for _, c := range collections(people) {
			if err := c.make(tx); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
		return bringOver(tx, people.Name)
	})
}

// lastOfCircles gives the circles of an older program the last number of each.
func lastOfCircles(tx core.App) error {
	columns, err := tx.TableColumns("journal_circles")
	if err != nil {
		return err
	}
	var steps []string
	if !slices.Contains(columns, "last") {
		steps = append(steps, `ALTER TABLE journal_circles ADD COLUMN last INTEGER NOT NULL DEFAULT 0`,
			`UPDATE journal_circles SET last = (SELECT coalesce(max(seq), 0) FROM journal_entries WHERE circle = no)`)
	}
	for _, sql := range append(steps, `CREATE INDEX IF NOT EXISTS journal_circles_last ON journal_circles (last)`) {
		if _, err := tx.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
			return err
		}
	}
	return nil
}

// bringOver takes over the phones that an older program kept in a table of its
// own: a phone that had to bind anew would number its edits anew, and what was
// taken while the answer was lost would be done twice.
func bringOver(tx core.App, people string) error {
	if !tx.HasTable("attach_phones") {
		return nil
	}
	for _, sql := range []string{
		"INSERT INTO phones (id, person, public_key) SELECT id, person, public_key FROM attach_phones WHERE person IN (SELECT id FROM {{" + people + "}}) ON CONFLICT DO NOTHING",
		"DROP TABLE attach_phones",
	} {
		if _, err := tx.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
			return fmt.Errorf("bring phones over: %w", err)
		}
	}
	return nil
}

// make makes the collection, or adds the fields that one of an older program lacks.
func (o ours) make(app core.App) error {
	c, err := app.FindCollectionByNameOrId(o.name)
	if err != nil {
		c = core.NewBaseCollection(o.name)
	} else if f := c.Fields.GetByName(o.fields[0].GetName()); f == nil || !f.GetSystem() {
		return fmt.Errorf("the app has a collection of this name, which sync needs")
	}
	lacks := false
	for _, f := range o.fields {
		switch was := c.Fields.GetByName(f.GetName()).(type) {
		case nil:
			c.Fields.Add(f)
			lacks = true
		case *core.RelationField:
			if was.CascadeDelete { // of a program in which a phone ended with its account
				was.CascadeDelete, was.Required = false, false
				lacks = true
			}
		}
	}
	if !lacks {
		return nil
	}
	for _, index := range o.indexes {
		c.AddIndex(index[0], index[1] != "state", index[1], index[2])
	}
	return app.Save(c)
}
