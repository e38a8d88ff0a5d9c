//go:build !js

package phone

import (
	"database/sql"

	"langso/sync/sqlite"
)

// openDB opens the phone's file.
func openDB(name string) (*sql.DB, error) { return sqlite.Open(name), nil }

const fetchUnpacks = false
