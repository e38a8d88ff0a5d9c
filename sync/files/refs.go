package files

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// bind keeps file_refs with the records of a collection, in the transaction that
// writes the record. What is written past the hooks, by SQL, the nightly work finds.
func (s *Store) bind(c *commune.Collection) {
	written := func(e *core.RecordEvent) error {
		if err := checkFields(c, e.Record); err != nil {
			return err
		}
		if err := e.Next(); err != nil {
			return err
		}
		who, _ := commune.AuthorOf(e.Context)
		return s.refer(e.App, c, e.Record.Id, named(c, e.Record), who)
	}
	s.App.OnRecordCreate(c.Name).BindFunc(written)
	s.App.OnRecordUpdate(c.Name).BindFunc(written)
	s.App.OnRecordDelete(c.Name).BindFunc(func(e *core.RecordEvent) error {
		if err := e.Next(); err != nil {
			return err
		}
		return s.refer(e.App, c, e.Record.Id, nil, commune.Author{})
	})
}

// checkFields refuses a file field that holds anything but names of files.
func checkFields(c *commune.Collection, r *core.Record) error {
	for _, field := range c.Files {
		text := r.GetString(field)
		if text == "" {
			continue
		}
		names := strings.Split(text, " ")
		for i, name := range names {
			if !ValidHash(name) || slices.Contains(names[:i], name) {
				return commune.Refuse("bad_file", "Mã ảnh hoặc giấy tờ đính kèm không đúng. Xin chọn lại ảnh.")
			}
		}
	}
	return nil
}

// named returns the names of the files that a record refers to.
func named(c *commune.Collection, f commune.Fields) []string {
	var out []string
	for _, field := range c.Files {
		for _, name := range strings.Fields(f.GetString(field)) {
			if ValidHash(name) && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// refer makes the references of a record those that it names. One that stood
// before stays whosesoever it was; a new one is by who.
func (s *Store) refer(tx core.App, c *commune.Collection, id string, names []string, who commune.Author) error {
	var had []string
	if err := tx.ConcurrentDB().NewQuery(`SELECT hash FROM file_refs WHERE coll = {:coll} AND record = {:record}`).
		Bind(dbx.Params{"coll": c.Name, "record": id}).Column(&had); err != nil {
		return fmt.Errorf("read references of %s: %w", c.Name, err)
	}
	for _, hash := range had {
		if slices.Contains(names, hash) {
			continue
		}
		if err := s.unrefer(tx, c.Name, id, hash); err != nil {
			return err
		}
	}
	for _, hash := range names {
		if slices.Contains(had, hash) {
			continue
		}
		proven, err := s.mayRefer(tx, who, hash)
		if err != nil {
			return err
		}
		if err := insertRef(tx, hash, c.Name, id, who.Person, proven); err != nil {
			return err
		}
	}
	return nil
}

func insertRef(tx core.App, hash, coll, record, by string, proven bool) error {
	_, err := tx.NonconcurrentDB().NewQuery(`INSERT INTO file_refs (hash, coll, record, by, proven) VALUES ({:hash}, {:coll}, {:record}, {:by}, {:proven}) ON CONFLICT DO NOTHING`).
		Bind(dbx.Params{"hash": hash, "coll": coll, "record": record, "by": by, "proven": proven}).Execute()
	if err != nil {
		return fmt.Errorf("note reference to a file: %w", err)
	}
	return nil
}

// unrefer drops a reference; the file is kept a while from now.
func (s *Store) unrefer(tx core.App, coll, record, hash string) error {
	_, err := tx.NonconcurrentDB().NewQuery(`DELETE FROM file_refs WHERE hash = {:hash} AND coll = {:coll} AND record = {:record}`).
		Bind(dbx.Params{"hash": hash, "coll": coll, "record": record}).Execute()
	if err != nil {
		return fmt.Errorf("drop reference to a file: %w", err)
	}
	return s.keep(tx, hash)
}

// keep notes that a file is needed, or was until now.
func (s *Store) keep(tx core.App, hash string) error {
	_, err := tx.NonconcurrentDB().NewQuery(`UPDATE files SET kept = {:now} WHERE hash = {:hash}`).
		Bind(dbx.Params{"hash": hash, "now": moment(s.Now())}).Execute()
	if err != nil {
		return fmt.Errorf("keep a file: %w", err)
	}
	return nil
}

// mayRefer tells whether a reference by who counts at once: the server's own and
// the dashboard's, of who sent the file, and of who may read it now.
func (s *Store) mayRefer(tx core.App, who commune.Author, hash string) (bool, error) {
	if who.Person == "" {
		return true, nil
	}
	holds, err := s.holds(tx, who.Person, hash)
	if err != nil || holds {
		return holds, err
	}
	circles := make([]string, len(who.Circles))
	for i, c := range who.Circles {
		circles[i] = string(c)
	}
	return s.reads(tx, circles, hash)
}

// holds tells whether a person has sent the file whole.
func (s *Store) holds(app core.App, person, hash string) (holds bool, err error) {
	err = app.ConcurrentDB().NewQuery(`SELECT EXISTS (SELECT 1 FROM file_holders WHERE hash = {:hash} AND person = {:person})`).
		Bind(dbx.Params{"hash": hash, "person": person}).Row(&holds)
	return holds, err
}

// reads tells whether who stands in these circles may read the file: a live
// record in one of them refers to it, and the reference counts. Records are
// looked at as they are, not as they were noted.
func (s *Store) reads(app core.App, circles []string, hash string) (bool, error) {
	var refs []struct{ Coll, Record string }
	err := app.ConcurrentDB().NewQuery(`SELECT coll, record FROM file_refs WHERE hash = {:hash} AND proven`).
		Bind(dbx.Params{"hash": hash}).All(&refs)
	if err != nil {
		return false, fmt.Errorf("read references to a file: %w", err)
	}
	for _, ref := range refs {
		c := s.declared[ref.Coll]
		if c == nil {
			continue // its domain is no longer part of the commune
		}
		r, err := app.FindRecordById(ref.Coll, ref.Record)
		if errors.Is(err, sql.ErrNoRows) {
			continue // deleted past the hooks
		}
		if err != nil {
			return false, fmt.Errorf("read a record that refers to a file: %w", err)
		}
		if !slices.Contains(named(c, r), hash) {
			continue
		}
		for _, circle := range c.Read.Of(r) {
			if slices.Contains(circles, string(circle)) {
				return true, nil
			}
		}
	}
	return false, nil
}

// mayRead tells whether a person may read a file now.
func (s *Store) mayRead(person, hash string) (bool, error) {
	circles, err := s.Circles(person)
	if err != nil {
		return false, fmt.Errorf("standing of a reader: %w", err)
	}
	return s.reads(s.App, circles, hash)
}
