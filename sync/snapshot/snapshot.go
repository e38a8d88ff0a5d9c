// Package snapshot keeps ready, as a file, what every new phone needs: the
// records of the circles that the whole commune is in. The file is made in the
// background with the best compression there is, is named by its content, never
// changes, and goes through any cache; a first sync then costs the server no
// more than sending it. It can also be carried by card.
//
// A file holds its circles as of one number of the journal. A phone that loaded it
// is told what changed since, so a file need not be new: it is made again when
// that tail has grown to a fifth of it. docs/PROTOCOL.md §4.7 has the form.
package snapshot

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"langso/sync/journal"
	"langso/sync/wire"
)

const (
	least = 50   // records: below that a file saves nothing
	tail  = 5    // a file is made again when a fifth of it is new
	rows  = 5000 // records in one line, so that memory stays bounded
	form  = 2    // of the file: one in another is made again
)

// Store makes and keeps the file in a folder.
type Store struct {
	dir     string
	journal *journal.Journal
	colls   map[string][]string // circle → collections whose records in it are in the file
	circles []string            // sorted

	mu    sync.RWMutex
	index index
	tails *tails
}

// index is what the folder says of its file.
type index struct {
	Form  int           `json:"form"`
	Epoch string        `json:"epoch"`
	File  wire.Snapshot `json:"file"`
	Old   string        `json:"old,omitempty"` // the name before it
}

// Open opens the store in a folder, which may not be there yet, and finds the
// file that was made before. colls names for each circle the collections whose
// records in it are put into the file.
func Open(dir string, j *journal.Journal, colls map[string][]string) (*Store, error) {
	s := &Store{dir: dir, journal: j, colls: colls, circles: slices.Sorted(maps.Keys(colls)), tails: newTails()}
	raw, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open snapshots: %w", err)
	}
	if json.Unmarshal(raw, &s.index) != nil || s.index.Form != form || !slices.Equal(s.index.File.Circles, s.circles) {
		s.index = index{} // torn by a power cut, or of an older program: made again
	}
	return s, nil
}

// Offer returns the file when it is of the history at hand and who asks stands
// in all its circles.
func (s *Store) Offer(circles []string, head journal.Head) []wire.Snapshot {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.index.Epoch != head.Epoch || s.index.File.Name == "" {
		return nil
	}
	for _, c := range s.circles {
		if !slices.Contains(circles, c) {
			return nil
		}
	}
	return []wire.Snapshot{s.index.File}
}

// Path is where the file lies, packed with brotli; "" when there is none.
func (s *Store) Path() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.index.File.Name == "" {
		return ""
	}
	return s.path(s.index.File.Name, "br")
}

// Refresh makes the file when it is missing or has grown old, and tells whether
// it did.
func (s *Store) Refresh(ctx context.Context) (made bool, err error) {
	due, err := s.due(ctx)
	if err != nil || !due {
		return false, err
	}
	if err := s.make(ctx); err != nil {
		return false, fmt.Errorf("make snapshot: %w", err)
	}
	return true, nil
}

func (s *Store) due(ctx context.Context) (bool, error) {
	head, err := s.journal.Head()
	if err != nil {
		return false, err
	}
	s.mu.RLock()
	have := s.index.Epoch == head.Epoch
	since := int64(s.index.File.Seq)
	s.mu.RUnlock()
	if !have {
		since = 0
	}
	n, fresh := 0, 0
	for _, c := range s.circles {
		all, more, err := s.journal.Growth(ctx, c, since)
		if err != nil {
			return false, fmt.Errorf("look at snapshot: %w", err)
		}
		n, fresh = n+all, fresh+more
	}
	return n >= least && (!have || fresh > max(n/tail, least)), nil
}

// make reads the circles and writes their file.
func (s *Store) make(ctx context.Context) error {
	plain, head, err := s.read(ctx)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(plain)
	f := wire.Snapshot{Circles: s.circles, Seq: wire.Cursor(head.Seq), Name: hex.EncodeToString(sum[:])}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	for _, p := range packers {
		packed, err := p.pack(plain)
		if err != nil {
			return err
		}
		if p.encoding == "br" {
			f.Bytes = len(packed)
		}
		if err := write(s.path(f.Name, p.encoding), packed); err != nil {
			return err
		}
	}
	return s.keep(f, head.Epoch)
}

// keep puts the file into the index; the one before it stays for phones that are
// getting it just now, older ones go.
func (s *Store) keep(f wire.Snapshot, epoch string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := index{Form: form, Epoch: epoch, File: f, Old: s.index.File.Name}
	raw, err := json.Marshal(next)
	if err != nil {
		return err
	}
	if err := write(filepath.Join(s.dir, "index.json"), raw); err != nil {
		return err
	}
	s.index = next
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, _, packed := strings.Cut(e.Name(), ".")
		if !packed || len(name) != sha256.Size*2 || name == next.File.Name || name == next.Old {
			continue
		}
		if err := os.Remove(filepath.Join(s.dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) path(name, encoding string) string {
	return filepath.Join(s.dir, name+"."+encoding)
}

// member is a record of the file.
type member struct {
	coll, id string
	in       []int // indexes into circles
}

// members are the records of all circles, in order of collection and id.
func (s *Store) members(ctx context.Context, r *journal.Reader) ([]*member, error) {
	var out []*member
	byKey := map[[2]string]*member{}
	for i, circle := range s.circles {
		all, err := r.Members(ctx, circle)
		if err != nil {
			return nil, err
		}
		for _, m := range all {
			if !slices.Contains(s.colls[circle], m.Coll) {
				continue
			}
			k := [2]string{m.Coll, m.ID}
			if byKey[k] == nil {
				byKey[k] = &member{coll: m.Coll, id: m.ID}
				out = append(out, byKey[k])
			}
			byKey[k].in = append(byKey[k].in, i)
		}
	}
	slices.SortFunc(out, func(a, b *member) int { return cmp.Or(cmp.Compare(a.coll, b.coll), cmp.Compare(a.id, b.id)) })
	return out, nil
}

// read writes the circles' records as a snapshot file.
func (s *Store) read(ctx context.Context) ([]byte, journal.Head, error) {
	r, err := s.journal.Read(ctx)
	if err != nil {
		return nil, journal.Head{}, err
	}
	defer r.Close()
	members, err := s.members(ctx, r)
	if err != nil {
		return nil, r.Head, err
	}
	var parts []wire.Changes
	for from := 0; from < len(members); {
		to := from
		for to < len(members) && members[to].coll == members[from].coll && to-from < rows {
			to++
		}
		changes, err := columns(r, members[from:to])
		if err != nil {
			return nil, r.Head, err
		}
		parts = append(parts, changes...)
		from = to
	}
	plain, err := wire.WriteSnapshot(wire.SnapshotHead{V: wire.SnapshotVersion, Epoch: r.Epoch, Circles: s.circles, Seq: wire.Cursor(r.Seq)}, parts)
	return plain, r.Head, err
}

func columns(r *journal.Reader, members []*member) ([]wire.Changes, error) {
	var out []wire.Row
	for part := range slices.Chunk(members, 500) {
		ids := make([]string, len(part))
		for i, m := range part {
			ids[i] = m.id
		}
		records, err := r.Records(part[0].coll, ids)
		if err != nil {
			return nil, err
		}
		for _, m := range part {
			if rec := records[m.id]; rec != nil {
				out = append(out, wire.Row{ID: m.id, Seq: wire.Cursor(rec.Seq), Whole: true, In: m.in, Set: rec.Whole()})
			}
		}
	}
	return wire.Columns(members[0].coll, out), nil
}

// packer is one compression of a file.
type packer struct {
	encoding string
	pack     func([]byte) ([]byte, error)
}

// packers take their time: a file is packed once and sent to thousands.
var packers = []packer{{"br", func(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w := brotli.NewWriterOptions(&out, brotli.WriterOptions{Quality: 11, LGWin: 22})
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	err := w.Close()
	return out.Bytes(), err
}}, {"zstd", func(b []byte) ([]byte, error) {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	return w.EncodeAll(b, nil), nil
}}}

// write puts a file in place whole or not at all.
func write(path string, b []byte) error {
	next := path + ".new"
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(next, path)
}
