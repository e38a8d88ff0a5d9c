package files

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// keepOrphans is how long a file is kept that no record refers to: longer than a
// phone is usually away with an edit that names it.
const keepOrphans = 30 * 24 * time.Hour

// Expire forgets uploads that began more than 7 days ago, and what lies in the
// folder of uploads and belongs to none.
func (s *Store) Expire() error {
	_, err := s.App.NonconcurrentDB().NewQuery(`DELETE FROM file_uploads WHERE at < {:then}`).
		Bind(dbx.Params{"then": moment(s.Now().Add(-keepUploads))}).Execute()
	if err != nil {
		return fmt.Errorf("forget uploads: %w", err)
	}
	entries, err := os.ReadDir(s.uploadsDir())
	if err != nil {
		return fmt.Errorf("forget uploads: %w", err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || time.Since(info.ModTime()) < time.Hour {
			continue // gone already, or being written: the disk's clock, not the commune's
		}
		var on bool
		err = s.App.ConcurrentDB().NewQuery(`SELECT EXISTS (SELECT 1 FROM file_uploads WHERE id = {:id} AND state = {:coming})`).
			Bind(dbx.Params{"id": e.Name(), "coming": coming}).Row(&on)
		if err != nil {
			return fmt.Errorf("forget uploads: %w", err)
		}
		if on {
			continue
		}
		if err := os.Remove(filepath.Join(s.uploadsDir(), e.Name())); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("forget uploads: %w", err)
		}
	}
	return nil
}

// Sweep makes file_refs what the records truly say and deletes the files that no
// record has referred to for 30 days, nor an edit that waits for an officer.
func (s *Store) Sweep() error {
	s.storing.Lock()
	defer s.storing.Unlock()
	var orphans []file
	err := s.App.RunInTransaction(func(tx core.App) error {
		for _, c := range s.declared {
			if err := s.recount(tx, c); err != nil {
				return err
			}
		}
		if err := s.keepParked(tx); err != nil {
			return err
		}
		then := dbx.Params{"then": moment(s.Now().Add(-keepOrphans))}
		const orphan = `kept < {:then} AND NOT EXISTS (SELECT 1 FROM file_refs r WHERE r.hash = files.hash)`
		if err := tx.ConcurrentDB().NewQuery(`SELECT * FROM files WHERE ` + orphan).Bind(then).All(&orphans); err != nil {
			return err
		}
		for _, f := range orphans {
			for _, table := range []string{"files", "file_holders"} {
				if _, err := tx.NonconcurrentDB().NewQuery(`DELETE FROM ` + table + ` WHERE hash = {:hash}`).Bind(dbx.Params{"hash": f.Hash}).Execute(); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("find orphans: %w", err)
	}
	// The rows are gone first: a file without a row is only bytes, a row without
	// its file would be a promise.
	for _, f := range orphans {
		for _, size := range []string{"", "screen", "thumb"} {
			if err := os.Remove(s.path(f.Hash, size)); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("delete orphan: %w", err)
			}
		}
	}
	return nil
}

// recount compares the references of one collection with its records: what was
// written past the hooks, by SQL or a migration, is the server's own word.
func (s *Store) recount(tx core.App, c *commune.Collection) error {
	said := map[string]map[string]bool{} // record → names
	for _, field := range c.Files {
		rows, err := tx.ConcurrentDB().NewQuery(`SELECT id, [[` + field + `]] FROM {{` + c.Name + `}} WHERE [[` + field + `]] != ''`).Rows()
		if err != nil {
			return err
		}
		for rows.Next() {
			var id, text string
			if err := rows.Scan(&id, &text); err != nil {
				return errors.Join(err, rows.Close())
			}
			if said[id] == nil {
				said[id] = map[string]bool{}
			}
			for _, hash := range aHash.FindAllString(text, -1) {
				said[id][hash] = true
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
	}
	var noted []struct{ Hash, Record string }
	if err := tx.ConcurrentDB().NewQuery(`SELECT hash, record FROM file_refs WHERE coll = {:coll}`).Bind(dbx.Params{"coll": c.Name}).All(&noted); err != nil {
		return err
	}
	for _, n := range noted {
		if said[n.Record][n.Hash] {
			delete(said[n.Record], n.Hash)
			continue
		}
		if err := s.unrefer(tx, c.Name, n.Record, n.Hash); err != nil {
			return err
		}
	}
	for record, names := range said {
		for hash := range names {
			if err := insertRef(tx, hash, c.Name, record, "", true); err != nil {
				return err
			}
		}
	}
	return nil
}

var aHash = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

// keepParked keeps the files that parked edits name.
func (s *Store) keepParked(tx core.App) error {
	if !tx.HasTable("parked_edits") {
		return nil
	}
	var edits []string
	if err := tx.ConcurrentDB().NewQuery(`SELECT edit FROM parked_edits WHERE state = 'waiting'`).Column(&edits); err != nil {
		return err
	}
	for _, text := range edits {
		for _, hash := range aHash.FindAllString(text, -1) {
			if err := s.keep(tx, hash); err != nil {
				return err
			}
		}
	}
	return nil
}
