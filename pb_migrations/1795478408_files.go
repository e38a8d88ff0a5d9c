package pb_migrations

import "github.com/pocketbase/pocketbase/core"

// Files: photos and scans that records refer to by their SHA-256. The tables are
// plain: no API, no dashboard page. What each column means stands in the package
// documentation of files.
func init() {
	forward(func(app core.App) error {
		for _, sql := range []string{
			`CREATE TABLE files (hash TEXT PRIMARY KEY, kind TEXT NOT NULL, bytes INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
				sum TEXT NOT NULL, screen TEXT NOT NULL, thumb TEXT NOT NULL, kept TEXT NOT NULL) WITHOUT ROWID`,
			`CREATE TABLE file_holders (hash TEXT NOT NULL, person TEXT NOT NULL, PRIMARY KEY (hash, person)) WITHOUT ROWID`,
			`CREATE TABLE file_refs (hash TEXT NOT NULL, coll TEXT NOT NULL, record TEXT NOT NULL, by TEXT NOT NULL, proven INTEGER NOT NULL, PRIMARY KEY (hash, coll, record)) WITHOUT ROWID`,
			`CREATE INDEX file_refs_record ON file_refs (coll, record)`,
			`CREATE TABLE file_uploads (id TEXT PRIMARY KEY, person TEXT NOT NULL, hash TEXT NOT NULL, size INTEGER NOT NULL, meta TEXT NOT NULL, at TEXT NOT NULL, state INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID`,
			`CREATE INDEX file_uploads_person ON file_uploads (person, at)`,
		} {
			if _, err := app.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
				return err
			}
		}
		for name, field := range map[string]*core.TextField{
			"products": text("photos", "Ảnh: mã SHA-256 của mỗi ảnh, cách nhau một dấu cách, nhiều nhất 6", 6*65),
			"drafts":   text("scans", "Giấy tờ chụp hoặc quét: mã SHA-256, cách nhau một dấu cách, nhiều nhất 20", 20*65),
			"dossiers": text("scans", "Giấy tờ chụp hoặc quét khi nộp: mã SHA-256, cách nhau một dấu cách, nhiều nhất 20", 20*65),
		} {
			c, err := app.FindCollectionByNameOrId(name)
			if err != nil {
				return err
			}
			field.SetSystem(true)
			c.Fields.Add(field)
			if err := app.Save(c); err != nil {
				return err
			}
		}
		return nil
	}, "1795478408_files.go")
}
