package files

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/sync/files/picture"
)

// path is where the bytes of a size lie: below a folder of the name's first two
// digits, so that no folder grows without end.
func (s *Store) path(hash, size string) string {
	if size != "" {
		hash += "." + size
	}
	return filepath.Join(s.dir(), hash[:2], hash)
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// store looks at a file that a person sent whole, makes its small pictures and
// keeps them; from then on the person's references to it count. done is written
// in the same commit. A file that is there already is not written again, and
// nothing in the answer tells so. The caller holds s.storing.
func (s *Store) store(person, hash string, b []byte, done func(tx core.App) error) error {
	p, err := picture.Clean(b, s.MaxPixels)
	if err != nil {
		return inWords(err)
	}
	f := file{Hash: hash, Kind: string(p.Kind), Bytes: int64(len(p.Bytes)), Width: int64(p.Width), Height: int64(p.Height), Sum: sum(p.Bytes)}
	parts := map[string][]byte{"": p.Bytes}
	if p.Kind != picture.PDF {
		for size, into := range map[string]*string{"screen": &f.Screen, "thumb": &f.Thumb} {
			side, most := screenSide, 0
			if size == "thumb" {
				side, most = thumbSide, thumbBytes
			}
			small, err := p.Fit(side, most)
			if err != nil {
				return err
			}
			if len(small) < len(p.Bytes) {
				parts[size], *into = small, sum(small)
			}
		}
	}
	known, err := s.find(hash)
	if err != nil {
		return err
	}
	enter := `UPDATE files SET kept = {:now} WHERE hash = {:hash}`
	if known == nil || !s.onDisk(known) {
		enter = `INSERT OR REPLACE INTO files (hash, kind, bytes, width, height, sum, screen, thumb, kept) VALUES ({:hash}, {:kind}, {:bytes}, {:width}, {:height}, {:sum}, {:screen}, {:thumb}, {:now})`
		for size, b := range parts {
			if err := s.writeFile(s.path(hash, size), b); err != nil {
				return err
			}
		}
	}
	return s.App.RunInTransaction(func(tx core.App) error {
		now := moment(s.Now())
		for _, q := range []string{
			enter,
			`INSERT INTO file_holders (hash, person) VALUES ({:hash}, {:person}) ON CONFLICT DO NOTHING`,
			`UPDATE file_refs SET proven = 1 WHERE hash = {:hash} AND by = {:person}`,
		} {
			_, err := tx.NonconcurrentDB().NewQuery(q).Bind(dbx.Params{"hash": hash, "kind": f.Kind, "bytes": f.Bytes, "width": f.Width, "height": f.Height,
				"sum": f.Sum, "screen": f.Screen, "thumb": f.Thumb, "now": now, "person": person}).Execute()
			if err != nil {
				return fmt.Errorf("enter file: %w", err)
			}
		}
		return done(tx)
	})
}

// onDisk tells whether all bytes of a file that is in the book are there: a disk
// may have been exchanged under it.
func (s *Store) onDisk(f *file) bool {
	for size, sum := range map[string]string{"": f.Sum, "screen": f.Screen, "thumb": f.Thumb} {
		if _, err := os.Stat(s.path(f.Hash, size)); sum != "" && err != nil {
			return false
		}
	}
	return true
}

// writeFile writes a file that is whole or not there, also after a power cut. What
// a crash leaves lies among the uploads and goes with them.
func (s *Store) writeFile(path string, b []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	f, err := os.CreateTemp(s.uploadsDir(), "new-*")
	if err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write file: %w", err), os.Remove(f.Name()))
	}
	return syncDir(dir)
}

// syncDir makes a rename last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}
