//go:build js

package phone

import "database/sql"

// In a browser there is no SQLite in Go. The package compiles there; a program
// that uses it registers a database/sql driver named "sqlite" over whatever
// storage the page has, before Open. Without one Open returns an error that says
// so. It also gives Go a globalThis.fs that has folders and files, for Open and
// for snapshot files; testdata/page is such a program, under node. A page without all
// that wants pb_public/sync, which speaks the same protocol.

// openDB opens the phone's file.
func openDB(name string) (*sql.DB, error) { return sql.Open("sqlite", name) }

// fetchUnpacks: a page hands bodies over unpacked, whatever Content-Encoding says.
const fetchUnpacks = true
