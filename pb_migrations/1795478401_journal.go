package pb_migrations

import "github.com/pocketbase/pocketbase/core"

// The journal's tables are plain: no API, no dashboard page, no hooks. What
// each column means stands in the package documentation of sync/journal.
func init() {
	forward(func(app core.App) error {
		// PocketBase makes a collection "users" with an open registration. Here
		// people are persons and sign in with their phone's key.
		if users, err := app.FindCollectionByNameOrId("users"); err == nil {
			if err := app.Delete(users); err != nil {
				return err
			}
		}
		for _, sql := range []string{
			`CREATE TABLE journal_meta (id INTEGER PRIMARY KEY CHECK (id = 1), epoch TEXT NOT NULL, salt INTEGER NOT NULL, seq INTEGER NOT NULL)`,
			`CREATE TABLE journal_touched (coll TEXT NOT NULL, rid TEXT NOT NULL, PRIMARY KEY (coll, rid)) WITHOUT ROWID`,
			`CREATE TABLE journal_collections (no INTEGER PRIMARY KEY, coll TEXT NOT NULL UNIQUE, name TEXT NOT NULL, declared TEXT NOT NULL, last INTEGER NOT NULL DEFAULT 0)`,
			`CREATE TABLE journal_fields (coll INTEGER NOT NULL, no INTEGER NOT NULL, field TEXT NOT NULL, PRIMARY KEY (coll, no)) WITHOUT ROWID`,
			`CREATE TABLE journal_circles (no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)`,
			`CREATE TABLE journal_records (coll INTEGER NOT NULL, rid TEXT NOT NULL, seq INTEGER NOT NULL, born INTEGER NOT NULL, gone INTEGER NOT NULL, fields BLOB NOT NULL, circles BLOB NOT NULL, PRIMARY KEY (coll, rid)) WITHOUT ROWID`,
			`CREATE TABLE journal_entries (circle INTEGER NOT NULL, seq INTEGER NOT NULL, coll INTEGER NOT NULL, rid TEXT NOT NULL, entered INTEGER NOT NULL, out INTEGER NOT NULL, PRIMARY KEY (circle, seq)) WITHOUT ROWID`,
			`CREATE TABLE sync_phones (no INTEGER PRIMARY KEY, phone TEXT NOT NULL UNIQUE, acked INTEGER NOT NULL DEFAULT 0, confirmed INTEGER NOT NULL DEFAULT 0)`,
			`CREATE TABLE sync_standings (hash TEXT PRIMARY KEY, circles TEXT NOT NULL) WITHOUT ROWID`,
			`CREATE TABLE sync_verdicts (phone TEXT NOT NULL, n INTEGER NOT NULL, hash BLOB NOT NULL, verdict TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (phone, n)) WITHOUT ROWID`,
		} {
			if _, err := app.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
				return err
			}
		}
		return nil
	}, "1795478401_journal.go")
}
