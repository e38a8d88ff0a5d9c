package wire

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// A dictionary is text that both sides have before they talk: what the messages
// of an app usually hold. It makes small messages three times smaller. Both forms
// use it: the binary one by number, browsers by RFC 9842.

// Dictionary is one version of it.
type Dictionary struct {
	Version byte // 1 … 255; 0 is no dictionary
	Text    []byte
	Hash    [sha256.Size]byte
	writers sync.Pool
	readers sync.Pool
	frames  sync.Pool // of zstd writers, for browsers
}

// frameWindow is how far back a frame refers: the dictionary and a page of answer.
const frameWindow = 128 << 10

// MostDictionary bounds a dictionary: phones carry it.
const MostDictionary = 16 << 10

var dictionaries = map[byte]*Dictionary{}

// AddDictionary makes a version known to this program. It is called when the
// program starts, once for each version that is still spoken; it panics on a
// version that is there already, or a text that is too long.
func AddDictionary(version byte, text []byte) {
	if dictionaries[version] != nil || version == 0 || len(text) > MostDictionary {
		panic(fmt.Sprintf("dictionary %d of %d bytes", version, len(text)))
	}
	d := &Dictionary{Version: version, Text: text, Hash: sha256.Sum256(text)}
	d.writers.New = func() any { w, _ := flate.NewWriterDict(nil, effort, text); return w }
	d.frames.New = func() any {
		w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(frameWindow), zstd.WithEncoderLevel(zstd.SpeedBetterCompression),
			zstd.WithEncoderDictRaw(0, text), zstd.WithEncoderCRC(false))
		if err != nil {
			panic(err) // options that do not exist
		}
		return w
	}
	d.readers.New = func() any { return flate.NewReaderDict(bytes.NewReader(nil), text) }
	dictionaries[version] = d
}

// AddDictionaries makes versions known to this program that are not yet.
func AddDictionaries(versions map[byte][]byte) {
	for version, text := range versions {
		if d := FindDictionary(version); d == nil || string(d.Text) != string(text) {
			AddDictionary(version, text)
		}
	}
}

// LatestDictionary is the highest version known, nil when there is none.
func LatestDictionary() *Dictionary {
	var best *Dictionary
	for _, d := range dictionaries {
		if best == nil || d.Version > best.Version {
			best = d
		}
	}
	return best
}

// FindDictionary returns a version, nil when it is not known.
func FindDictionary(version byte) *Dictionary { return dictionaries[version] }

// DictionaryVersions are those that this program knows, the newest first.
func DictionaryVersions() []int {
	out := []int{}
	for v := range dictionaries {
		out = append(out, int(v))
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out
}

// deflate compresses with the dictionary; it returns the text itself, and false,
// when that is not longer.
func (d *Dictionary) deflate(b []byte) ([]byte, bool) {
	if d == nil {
		return b, false
	}
	var out bytes.Buffer
	w := d.writers.Get().(*flate.Writer)
	defer d.writers.Put(w)
	w.Reset(&out)
	_, _ = w.Write(b) // memory takes all
	_ = w.Close()
	if out.Len() >= len(b) {
		return b, false
	}
	return out.Bytes(), true
}

// inflate undoes deflate, up to limit bytes.
func (d *Dictionary) inflate(b []byte, limit int) ([]byte, error) {
	r := d.readers.Get().(io.ReadCloser)
	defer d.readers.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(b), d.Text); err != nil {
		return nil, ErrPacked
	}
	out, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil || len(out) > limit {
		return nil, ErrPacked
	}
	return out, nil
}
