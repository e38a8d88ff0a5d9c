package villagetest

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/pocketbase/pocketbase/core"
)

// Folder is a data folder's content at one moment: bytes by path below it.
type Folder map[string][]byte

// ReadFolder reads all files below dir.
func ReadFolder(dir string) (Folder, error) {
	out := Folder{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		raw, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a log that SQLite removed meanwhile
		}
		out[name] = raw
		return err
	})
	return out, err
}

// Write puts the content in the place of whatever dir holds.
func (f Folder) Write(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for name := range maps.Keys(f) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, f[name], 0o600); err != nil {
			return err
		}
	}
	return os.MkdirAll(dir, 0o700)
}

// Backup is the data folder as it is now, taken while nobody writes.
func (s *Server) Backup(tb testing.TB) Folder {
	tb.Helper()
	var f Folder
	err := s.App.RunInTransaction(func(core.App) (err error) {
		f, err = ReadFolder(s.dir)
		return err
	})
	if err != nil {
		tb.Fatalf("take backup: %v", err)
	}
	delete(f, "data.db-shm") // belongs to who has the files open
	delete(f, "auxiliary.db-shm")
	return f
}

// Restore puts a backup in the place of the data folder and starts the server
// on it. What stands beside the folder stays, as with an administrator's restore.
func (s *Server) Restore(tb testing.TB, f Folder) {
	tb.Helper()
	s.Stop()
	if err := f.Write(s.dir); err != nil {
		tb.Fatalf("restore: %v", err)
	}
	s.start(tb)
}

// Kill ends the server as kill -9 does: what it had written to its files is
// there, nothing is closed in order. Then it starts again.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	s.Crash(tb, s.Backup(tb))
}

// Crash is Kill with what the crash left in the data folder.
func (s *Server) Crash(tb testing.TB, left Folder) {
	tb.Helper()
	mark, err := os.ReadFile(s.dir + ".mark")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		tb.Fatal(err)
	}
	s.Stop()
	if err := left.Write(s.dir); err != nil {
		tb.Fatalf("crash: %v", err)
	}
	if mark != nil { // stopping in order has written a newer one
		if err := os.WriteFile(s.dir+".mark", mark, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	s.start(tb)
}
