package pb_migrations

import "github.com/pocketbase/pocketbase/core"

// The last number given in each circle, so that nobody looks through its entries to
// learn that nothing is new.
func init() {
	forward(func(app core.App) error {
		for _, sql := range []string{
			`ALTER TABLE journal_circles ADD COLUMN last INTEGER NOT NULL DEFAULT 0`,
			`UPDATE journal_circles SET last = (SELECT coalesce(max(seq), 0) FROM journal_entries WHERE circle = no)`,
			`CREATE INDEX journal_circles_last ON journal_circles (last)`,
		} {
			if _, err := app.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
				return err
			}
		}
		return nil
	}, "1795478650_circles_last.go")
}
