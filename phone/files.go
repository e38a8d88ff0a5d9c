package phone

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"langso/sync/files/picture"
	"langso/sync/wire"
)

// Files: a photo is cleaned (no position, no camera), named by the SHA-256 of
// what is left, and stored beside the records before anybody is told "done". A
// record can name it at once. It is sent when there is a road, in pieces, from
// where the last one ended; others' files come down the same way, small ones
// first. A file stays on the phone as long as a record or an unsent edit names it.

// The limits of a file, as the server has them by default. The server's count.
const (
	maxFileBytes  = 10 << 20
	maxFilePixels = 40_000_000
)

// The sizes of a file.
const (
	Whole  = ""       // as it was added
	Screen = "screen" // at most 720 pixels
	Thumb  = "thumb"  // at most 96 pixels, about 1 to 2 kB
)

// FileState is how a file of this person's own stands.
type FileState struct {
	Hash  string
	State string // "waiting", "sent" or "refused"
	Bytes int64
	Code  string // why it was refused, and in words
	Say   string
}

const fileTable = `CREATE TABLE IF NOT EXISTS files (hash TEXT NOT NULL, size TEXT NOT NULL, person TEXT NOT NULL, state TEXT NOT NULL, bytes INTEGER NOT NULL DEFAULT 0,
	upload TEXT NOT NULL DEFAULT '', etag TEXT NOT NULL DEFAULT '', code TEXT NOT NULL DEFAULT '', say TEXT NOT NULL DEFAULT '', epoch TEXT NOT NULL DEFAULT '', at TEXT NOT NULL, PRIMARY KEY (hash, size)) WITHOUT ROWID`

// filesDir returns the folder of files, made with its table when it is not there.
func (p *Phone) filesDir() (string, error) {
	if _, err := p.db.Exec(fileTable); err != nil {
		return "", fmt.Errorf("open files: %w", err)
	}
	var no int
	var name, path string
	if err := p.db.QueryRow(`PRAGMA database_list`).Scan(&no, &name, &path); err != nil {
		return "", fmt.Errorf("open files: %w", err)
	}
	dir := filepath.Join(filepath.Dir(path), "files")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("open files: %w", err)
	}
	return dir, nil
}

func fileName(hash, size string) string {
	if size == Whole {
		return hash
	}
	return hash + "." + size
}

// AddFile stores the photo or PDF at path, to be sent, and returns the name by
// which a record refers to it. See [Phone.AddFileBytes].
func (p *Phone) AddFile(path string) (hash string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("add file: %w", err)
	}
	if info.Size() > 4*maxFileBytes { // it may still lose what makes it large
		return "", tooBig
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("add file: %w", err)
	}
	return p.AddFileBytes(b)
}

var (
	tooBig    = &Failure{Failure: wire.Failure{Code: "too_big", Say: "Tệp quá lớn, hãy chọn ảnh nhỏ hơn.", Limit: maxFileBytes}}
	badType   = &Failure{Failure: wire.Failure{Code: "bad_type", Say: "Chỉ nhận ảnh JPEG, PNG, WebP và tệp PDF. Tệp này hỏng hoặc thuộc loại khác."}}
	tooLarge  = &Failure{Failure: wire.Failure{Code: "too_many_pixels", Say: "Ảnh quá lớn, hãy giảm kích thước ảnh rồi gửi lại."}}
	noFile    = &Failure{Status: 404, Failure: wire.Failure{Code: "not_found", Say: "Không tìm thấy tệp này."}}
	errDamage = errors.New("the file came damaged")
)

// AddFileBytes stores a photo (JPEG, PNG, WebP) or PDF, to be sent. What a photo
// tells beside its pixels, such as where it was taken, is left out before it is
// named. The name is the SHA-256 of what is stored, 64 hexadecimal digits. A
// *[Failure] says what is wrong with the file, as the server would.
func (p *Phone) AddFileBytes(b []byte) (hash string, err error) {
	dir, err := p.filesDir()
	if err != nil {
		return "", err
	}
	pic, err := picture.Clean(b, maxFilePixels)
	switch {
	case errors.Is(err, picture.ErrPixels):
		return "", tooLarge
	case errors.Is(err, picture.ErrKind):
		return "", badType
	case err != nil:
		return "", fmt.Errorf("add file: %w", err)
	case len(pic.Bytes) > maxFileBytes:
		return "", tooBig
	}
	sum := sha256.Sum256(pic.Bytes)
	hash = hex.EncodeToString(sum[:])
	if err := storeFile(filepath.Join(dir, hash), pic.Bytes); err != nil {
		return "", err
	}
	if pic.Kind != picture.PDF {
		small, err := pic.Fit(96, 2048)
		if err == nil {
			err = storeFile(filepath.Join(dir, fileName(hash, Thumb)), small)
		}
		if err != nil {
			return "", err
		}
	}
	_, person, err := p.Self()
	if err != nil {
		return "", err
	}
	return hash, p.transact(func(tx *sql.Tx) error {
		// Somebody else's that is here already becomes this person's too: the server
		// is to learn that they have it.
		_, err := tx.Exec(`INSERT INTO files (hash, size, person, state, bytes, at) VALUES (?, '', ?, 'waiting', ?, ?)
			ON CONFLICT (hash, size) DO UPDATE SET person = excluded.person, state = iif(state = 'sent' AND person = excluded.person, 'sent', 'waiting'), bytes = excluded.bytes, code = '', say = '', at = excluded.at`,
			hash, person, len(pic.Bytes), p.stamp())
		if err == nil && pic.Kind != picture.PDF {
			_, err = tx.Exec(`INSERT INTO files (hash, size, person, state, at) VALUES (?, 'thumb', ?, 'have', ?) ON CONFLICT DO NOTHING`, hash, person, p.stamp())
		}
		if err != nil {
			return fmt.Errorf("add file: %w", err)
		}
		return nil
	})
}

func (p *Phone) stamp() string { return p.now().UTC().Format(time.RFC3339) }

// storeFile writes a file that is whole or not there, also after a power cut.
func storeFile(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "new-*")
	if err != nil {
		return fmt.Errorf("store file: %w", err)
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("store file: %w", err), os.Remove(f.Name()))
	}
	return nil
}

// Files lists the files that this person added on this phone.
func (p *Phone) Files() ([]FileState, error) {
	if _, err := p.filesDir(); err != nil {
		return nil, err
	}
	_, person, err := p.Self()
	if err != nil {
		return nil, err
	}
	rows, err := p.db.Query(`SELECT hash, state, bytes, code, say FROM files WHERE size = '' AND person = ? AND state IN ('waiting', 'sent', 'refused') ORDER BY at, hash`, person)
	if err != nil {
		return nil, fmt.Errorf("list files: %w", err)
	}
	defer rows.Close()
	var out []FileState
	for rows.Next() {
		var f FileState
		if err := rows.Scan(&f.Hash, &f.State, &f.Bytes, &f.Code, &f.Say); err != nil {
			return nil, fmt.Errorf("list files: %w", err)
		}
		out = append(out, f)
	}
	return out, rows.Err()
}

// keepUnnamed is how long a file stays that the person added and no record or
// edit names yet.
const keepUnnamed = 30 * 24 * time.Hour

// SweepFiles deletes from the phone what no record and no open edit names any
// more, above all the files of a circle that the person has left. What the
// person added and has not sent stays; named by nothing, it goes after 30 days.
// While the phone is being filled anew it deletes nothing: what names a file may
// be yet to come. [Phone.SendFiles] and [Phone.File] begin with it.
func (p *Phone) SweepFiles() error {
	if _, err := os.Stat(filepath.Join(p.dir, "files")); errors.Is(err, fs.ErrNotExist) {
		return nil // it never had any
	}
	dir, err := p.filesDir()
	if err != nil {
		return err
	}
	epoch, err := getMeta(p.db, "epoch")
	if err != nil {
		return err
	}
	if cursor, err := getNumber(p.db, "cursor"); err != nil || epoch != "" && cursor == 0 {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("sweep files: %w", err)
	}
	named := map[string]bool{}
	for _, e := range entries {
		if len(e.Name()) < 64 || !e.Type().IsRegular() {
			if info, err := e.Info(); err == nil && strings.HasPrefix(e.Name(), "new-") && time.Since(info.ModTime()) > time.Hour {
				_ = os.Remove(filepath.Join(dir, e.Name())) // the phone died while it wrote; it is tried again
			}
			continue
		}
		hash := e.Name()[:64]
		keep, known := named[hash]
		if !known {
			if keep, err = p.names(hash); err != nil {
				return err
			}
			named[hash] = keep
		}
		if keep {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("sweep files: %w", err)
		}
		if _, err := p.db.Exec(`DELETE FROM files WHERE hash = ?`, hash); err != nil {
			return fmt.Errorf("sweep files: %w", err)
		}
	}
	return nil
}

// names tells whether something on the phone names a file, so that it is kept.
func (p *Phone) names(hash string) (named bool, err error) {
	err = p.db.QueryRow(`SELECT EXISTS (SELECT 1 FROM records WHERE instr(fields, ?1)) OR EXISTS (SELECT 1 FROM kept WHERE instr(fields, ?1)) OR EXISTS (SELECT 1 FROM edits WHERE state IN ('waiting', 'refused', 'parked', 'held') AND instr(body, ?1))
		OR EXISTS (SELECT 1 FROM files WHERE hash = ?1 AND state IN ('waiting', 'refused') AND at > ?2)`, hash, p.now().Add(-keepUnnamed).UTC().Format(time.RFC3339)).Scan(&named)
	if err != nil {
		return false, fmt.Errorf("look who names a file: %w", err)
	}
	return named, nil
}

// readsFile tells whether what is on the phone lets this person see a file.
func (p *Phone) readsFile(hash, person string) (may bool, err error) {
	err = p.db.QueryRow(`SELECT EXISTS (SELECT 1 FROM records WHERE instr(fields, ?1)) OR EXISTS (SELECT 1 FROM edits WHERE state IN ('waiting', 'refused', 'parked') AND instr(body, ?1))
		OR EXISTS (SELECT 1 FROM files WHERE hash = ?1 AND person = ?2 AND state IN ('waiting', 'refused'))`, hash, person).Scan(&may)
	if err != nil {
		return false, fmt.Errorf("look who names a file: %w", err)
	}
	return may, nil
}

// File returns the path of a file on the phone, fetching it when it is not here:
// from where the last attempt ended. size is [Whole], [Screen] or [Thumb]; of a
// file that is here whole, [Screen] is the whole. A *[Failure] "not_found" means
// that the person may not see it, or that it is not on the server yet.
func (p *Phone) File(ctx context.Context, hash, size string) (path string, err error) {
	if len(hash) != 64 {
		return "", noFile
	}
	if err := p.SweepFiles(); err != nil {
		return "", err
	}
	dir, err := p.filesDir()
	if err != nil {
		return "", err
	}
	_, person, err := p.Self()
	if err != nil {
		return "", err
	}
	if may, err := p.readsFile(hash, person); err != nil {
		return "", err
	} else if !may {
		return "", noFile
	}
	sizes := []string{size}
	if size == Screen {
		sizes = append(sizes, Whole)
	}
	for _, s := range sizes {
		path = filepath.Join(dir, fileName(hash, s))
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	path = filepath.Join(dir, fileName(hash, size))
	return path, p.fetchFile(ctx, hash, size, path)
}
