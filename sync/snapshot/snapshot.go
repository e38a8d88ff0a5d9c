// Package snapshot keeps ready, as files, what every new phone needs: the
// records of the circles that the whole commune is in. A file is made in the
// background with the best compression there is, is named by its content, never
// changes, and goes through any cache; a first sync then costs the server no
// more than sending it. It can also be carried by card.
//
// A file holds one circle as of one number of the journal. A phone that loaded it
// is told what changed since, so a file need not be new: it is made again when
// that tail has grown to a fifth of it. docs/PROTOCOL.md §4.7 has the form.
package snapshot

import (
	"bytes"
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
	least = 500  // records: below that a file saves less than the journey to it costs
	tail  = 5    // a file is made again when a fifth of it is new
	rows  = 5000 // records in one line, so that memory stays bounded
)

// Store makes and keeps the files in one folder.
type Store struct {
	dir     string
	journal *journal.Journal
	circles map[string][]string // circle → collections in its file

	mu    sync.RWMutex
	epoch string
	files map[string]wire.Snapshot // by circle
}

// Open opens the store in a folder, which may not be there yet, and finds the
// files that were made before. circles names for each circle the collections
// whose records in it are put into its file.
func Open(dir string, j *journal.Journal, circles map[string][]string) (*Store, error) {
	s := &Store{dir: dir, journal: j, circles: circles, files: map[string]wire.Snapshot{}}
	raw, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open snapshots: %w", err)
	}
	var index index
	if json.Unmarshal(raw, &index) != nil {
		return s, nil // torn by a power cut: the files are made again
	}
	s.epoch = index.Epoch
	for _, f := range index.Files {
		s.files[f.Circle] = f
	}
	return s, nil
}

// index is what the folder says of its files.
type index struct {
	Epoch string          `json:"epoch"`
	Files []wire.Snapshot `json:"files"`
}

// Offer returns the files of these circles that are of the history at hand.
func (s *Store) Offer(circles []string, head journal.Head) (out []wire.Snapshot) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.epoch != head.Epoch {
		return nil
	}
	for _, c := range circles {
		if f, ok := s.files[c]; ok {
			out = append(out, f)
		}
	}
	return out
}

// OnDisk is a file that lies ready, packed with brotli.
type OnDisk struct{ Circle, Path string }

// Files returns where the files lie, in order of circles.
func (s *Store) Files() []OnDisk {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []OnDisk
	for _, circle := range slices.Sorted(maps.Keys(s.files)) {
		out = append(out, OnDisk{circle, s.path(s.files[circle].Name, "br")})
	}
	return out
}

// Refresh makes the files that are missing or have grown old; it returns how
// many it made.
func (s *Store) Refresh(ctx context.Context) (made int, err error) {
	for _, circle := range slices.Sorted(maps.Keys(s.circles)) {
		if ctx.Err() != nil {
			return made, ctx.Err()
		}
		due, err := s.due(ctx, circle)
		if err != nil {
			return made, fmt.Errorf("refresh snapshot of %s: %w", circle, err)
		}
		if !due {
			continue
		}
		if err := s.make(ctx, circle); err != nil {
			return made, fmt.Errorf("make snapshot of %s: %w", circle, err)
		}
		made++
	}
	return made, nil
}

func (s *Store) due(ctx context.Context, circle string) (bool, error) {
	head, err := s.journal.Head()
	if err != nil {
		return false, err
	}
	s.mu.RLock()
	f, have := s.files[circle]
	have = have && s.epoch == head.Epoch
	s.mu.RUnlock()
	since := int64(0)
	if have {
		since = int64(f.Seq)
	}
	n, fresh, err := s.journal.Growth(ctx, circle, since)
	if err != nil {
		return false, err
	}
	return n >= least && (!have || fresh > max(n/tail, 50)), nil
}

// make reads a circle and writes its file.
func (s *Store) make(ctx context.Context, circle string) error {
	plain, head, err := s.read(ctx, circle)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(plain)
	f := wire.Snapshot{Circle: circle, Seq: wire.Cursor(head.Seq), Name: hex.EncodeToString(sum[:])}
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

// keep puts a file into the index; the one before it stays for phones that are
// getting it just now, older ones go.
func (s *Store) keep(f wire.Snapshot, epoch string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.epoch != epoch {
		s.epoch, s.files = epoch, map[string]wire.Snapshot{}
	}
	before := s.files[f.Circle].Name
	s.files[f.Circle] = f
	index := index{Epoch: epoch}
	used := map[string]bool{before: true}
	for _, c := range slices.Sorted(maps.Keys(s.files)) {
		index.Files = append(index.Files, s.files[c])
		used[s.files[c].Name] = true
	}
	raw, err := json.Marshal(index)
	if err != nil {
		return err
	}
	if err := write(filepath.Join(s.dir, "index.json"), raw); err != nil {
		return err
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if name, _, packed := strings.Cut(e.Name(), "."); packed && len(name) == sha256.Size*2 && !used[name] {
			if err := os.Remove(filepath.Join(s.dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) path(name, encoding string) string {
	return filepath.Join(s.dir, name+"."+encoding)
}

// read writes a circle's records as the lines of a snapshot file.
func (s *Store) read(ctx context.Context, circle string) ([]byte, journal.Head, error) {
	r, err := s.journal.Read(ctx)
	if err != nil {
		return nil, journal.Head{}, err
	}
	defer r.Close()
	members, err := r.Members(ctx, circle)
	if err != nil {
		return nil, r.Head, err
	}
	ids := map[string][]string{}
	slices.SortStableFunc(members, func(a, b journal.Member) int { return int(a.Seq - b.Seq) })
	for _, m := range members {
		ids[m.Coll] = append(ids[m.Coll], m.ID)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	head := &wire.SnapshotHead{V: wire.Version, Epoch: r.Epoch, Circle: circle, Seq: wire.Cursor(r.Seq)}
	if err := enc.Encode(wire.Line{Snapshot: head}); err != nil {
		return nil, r.Head, err
	}
	for _, coll := range slices.Sorted(slices.Values(s.circles[circle])) {
		for part := range slices.Chunk(ids[coll], rows) {
			changes, err := columns(r, coll, part)
			if err != nil {
				return nil, r.Head, err
			}
			if err := enc.Encode(wire.Line{Changes: changes}); err != nil {
				return nil, r.Head, err
			}
		}
	}
	return b.Bytes(), r.Head, nil
}

func columns(r *journal.Reader, coll string, ids []string) (*wire.Changes, error) {
	var out []wire.Row
	for part := range slices.Chunk(ids, 500) {
		records, err := r.Records(coll, part)
		if err != nil {
			return nil, err
		}
		for _, id := range part {
			if rec := records[id]; rec != nil {
				out = append(out, wire.Row{ID: id, Seq: wire.Cursor(rec.Seq), Whole: true, In: []int{0}, Set: rec.Whole()})
			}
		}
	}
	return &wire.Columns(coll, out)[0], nil
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
