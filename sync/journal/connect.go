package journal

import (
	"github.com/pocketbase/dbx"

	"langso/sync/sqlite"
)

// Connect opens a database file as the journal needs it. It differs from
// PocketBase's own in four things: compiled statements are kept; recursive_triggers, so that a row which
// REPLACE throws out fires its DELETE trigger; synchronous FULL, so that an
// acknowledged edit survives a power cut; and a smaller cache, since each
// connection has one and a commune's computer is small.
func Connect(path string) (*dbx.DB, error) {
	return dbx.NewFromDB(sqlite.Open(path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=journal_size_limit(200000000)"+
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(ON)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-4000)&_pragma=recursive_triggers(ON)"), "sqlite"), nil
}
