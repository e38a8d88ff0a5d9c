package phone

import (
	"bytes"
	"database/sql"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"langso/sync/wire"
)

// holds tells whether a file of the phone's folder still holds the words.
func holds(t *testing.T, dir, words string) (in string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte(words)) {
			in += f.Name() + " "
		}
	}
	return in
}

// While another program reads the phone's file its log cannot be cut, and what was
// deleted is still in it: it is done when the phone is opened the next time, or
// after the next exchange.
func TestScrubWaitsForWhoReads(t *testing.T) {
	const secret = "tăng huyết áp độ hai"
	for how, end := range map[string]struct {
		delete func(*Phone) error
		again  func(t *testing.T, p *Phone, dir string) *Phone
	}{
		"blocked, then opened again": {
			func(p *Phone) error {
				err := p.failed(&Failure{Status: http.StatusForbidden, Failure: wire.Failure{Code: "phone_blocked", Wipe: true}})
				var f *Failure
				if !errors.As(err, &f) || f.Code != "phone_blocked" {
					return err
				}
				return nil
			}, reopened},
		"records left, then opened again": {left, reopened},
		"records left, then it met the server": {left, func(t *testing.T, p *Phone, _ string) *Phone {
			if err := p.scrubIfDue(); err != nil {
				t.Fatal(err)
			}
			return p
		}},
	} {
		t.Run(how, func(t *testing.T) {
			dir := t.TempDir()
			p, err := Open(dir, "https://xa.example")
			if err != nil {
				t.Fatal(err)
			}
			for _, sql := range []string{`PRAGMA busy_timeout = 20`, `INSERT INTO meta (key, value) VALUES ('cursor', '7')`,
				`INSERT INTO records (coll, id, seq, circles, fields) VALUES ('entries', 'entry0000000001', 7, '["person:lan"]', '{"note":"` + secret + `"}')`} {
				if _, err := p.db.Exec(sql); err != nil {
					t.Fatal(err)
				}
			}
			for _, part := range []string{"snapshot-0123456789abcdef.part", "snapshot-fedcba9876543210.part"} {
				if err := os.WriteFile(filepath.Join(dir, part), []byte("half"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			other, err := sql.Open("sqlite", filepath.Join(dir, "phone.db"))
			if err != nil {
				t.Fatal(err)
			}
			defer other.Close()
			other.SetMaxOpenConns(1)
			reading, err := other.Begin()
			if err != nil {
				t.Fatal(err)
			}
			var note string
			if err := reading.QueryRow(`SELECT fields FROM records`).Scan(&note); err != nil {
				t.Fatal(err)
			}
			if err := end.delete(p); err != nil {
				t.Fatal(err)
			}
			if in := holds(t, dir, secret); in == "" {
				t.Fatal("the test shows nothing: the log is cut though somebody reads it")
			}
			if err := reading.Rollback(); err != nil {
				t.Fatal(err)
			}
			p = end.again(t, p, dir)
			defer p.Close()
			if in := holds(t, dir, secret); in != "" {
				t.Errorf("what was deleted is still in %s", in)
			}
			if due, err := getMeta(p.db, "scrub"); err != nil || due != "" {
				t.Errorf("it is still to be done: %q, %v", due, err)
			}
		})
	}
}

// Two programs have one phone's file open. What one of them deletes while the other
// has just emptied the log is still to be scrubbed when that one notes that it is done.
func TestWhatIsDeletedWhileAnotherScrubs(t *testing.T) {
	const secret = "tăng huyết áp độ hai"
	for what, all := range map[string]bool{"a record left": false, "the phone was blocked": true} {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			open := func() *Phone {
				p, err := Open(dir, "https://xa.example")
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = p.Close() })
				return p
			}
			one, other := open(), open()
			wrong := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			wrong(one.transact(func(tx *sql.Tx) error {
				if all {
					return soiled(tx)
				}
				return dirty(tx)
			}))
			due, err := getMeta(one.db, "scrub")
			wrong(err)
			if done, err := one.scrub(due); !done || err != nil {
				t.Fatalf("scrubbed: %v, %v", done, err)
			}
			_, err = other.db.Exec(`INSERT INTO records (coll, id, seq, circles, fields) VALUES ('entries', 'entry0000000001', 7, '["person:lan"]', '{"note":"` + secret + `"}')`)
			wrong(err)
			wrong(other.transact(func(tx *sql.Tx) error { return forgetRecords(tx) }))
			wrong(one.scrubbed(due))
			if in := holds(t, dir, secret); in == "" {
				t.Fatal("the test shows nothing: the log is cut already")
			}
			left, err := getMeta(other.db, "scrub")
			wrong(err)
			if all != strings.HasPrefix(left, allDue) {
				t.Errorf("the note says %q now", left)
			}
			wrong(other.scrubIfDue())
			if in := holds(t, dir, secret); in != "" {
				t.Errorf("what was deleted is still in %s", in)
			}
			if left, err := getMeta(one.db, "scrub"); err != nil || left != "" {
				t.Errorf("still to be done: %q, %v", left, err)
			}
		})
	}
}

func left(p *Phone) error {
	if err := p.transact(func(tx *sql.Tx) error { return forgetRecords(tx) }); err != nil {
		return err
	}
	return p.scrubIfDue()
}

// reopened is the phone after its program ended, with the other one still there:
// so the end does not cut the log.
func reopened(t *testing.T, p *Phone, dir string) *Phone {
	t.Helper()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if in := holds(t, dir, "tăng huyết áp"); in == "" {
		t.Fatal("the test shows nothing: the log is gone with the program")
	}
	p, err := Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A file that was begun is gone on with while the phone has nothing yet, and else
// only in the way.
func TestBegunDownloads(t *testing.T) {
	for who, c := range map[string]struct {
		sql  string
		left int
	}{
		"a first sync that was cut":       {`SELECT 1`, 1},
		"a phone that is complete":        {`INSERT INTO meta (key, value) VALUES ('cursor', '7')`, 0},
		"one that was killed as it wiped": {`INSERT INTO meta (key, value) VALUES ('scrub', 'all')`, 0},
	} {
		dir := t.TempDir()
		p, err := Open(dir, "https://xa.example")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.db.Exec(c.sql); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "snapshot-0123456789abcdef.part"), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		if p, err = Open(dir, ""); err != nil {
			t.Fatal(err)
		}
		if parts, err := filepath.Glob(filepath.Join(dir, "*.part")); err != nil || len(parts) != c.left {
			t.Errorf("%s: %v, %v", who, parts, err)
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
