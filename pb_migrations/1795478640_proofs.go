package pb_migrations

import "github.com/pocketbase/pocketbase/core"

// Proofs: which sign-in of somebody else's service let which phone in, so that one
// that was overheard lets no other in.
func init() {
	forward(func(app core.App) error {
		_, err := app.NonconcurrentDB().NewQuery(`CREATE TABLE used_proofs (proof BLOB PRIMARY KEY, phone_key TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID`).Execute()
		return err
	}, "1795478640_proofs.go")
}
