package pb_migrations

import "github.com/pocketbase/pocketbase/core"

// Sums over each circle, by which a phone and the server compare what they hold;
// how far back the journal remembers what went.
func init() {
	forward(func(app core.App) error {
		for _, sql := range []string{
			`ALTER TABLE journal_circles ADD COLUMN n INTEGER NOT NULL DEFAULT 0`,
			`ALTER TABLE journal_circles ADD COLUMN a INTEGER NOT NULL DEFAULT 0`,
			`ALTER TABLE journal_circles ADD COLUMN b INTEGER NOT NULL DEFAULT 0`,
			`ALTER TABLE journal_meta ADD COLUMN summed INTEGER NOT NULL DEFAULT 0`,
			`ALTER TABLE journal_meta ADD COLUMN floor INTEGER NOT NULL DEFAULT 0`,
			`CREATE TABLE journal_days (day TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID`,
		} {
			if _, err := app.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
				return err
			}
		}
		return nil
	}, "1795478501_sums.go")
}
