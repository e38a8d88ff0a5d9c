package snapshot

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/andybalholm/brotli"

	"langso/sync/wire"
)

// Piece is the size of the pieces in which a browser keeps what came of a file,
// in unpacked bytes. A tail begins at a piece: then whoever is cut at about the same
// place gets the same bytes, from here or from a cache.
const Piece = 8 << 10

// How many bytes stay in memory: of tails, packed, and of files, unpacked.
const (
	keptTails  = 4 << 20
	keptPlains = 16 << 20
)

// atOnce is how many tails are packed at once, and hasty how many may wait for
// their turn: a village that lost its road comes back at once. Who comes while so
// many wait, because somebody asks for one beginning after another, gets a tail
// that is packed in a hurry.
const (
	atOnce = 2
	hasty  = 8
)

// tails are the ends of the file that were asked for lately, by name, encoding
// and beginning, and the files that they are ends of.
type tails struct {
	packed, plain lately
	turns         chan struct{}
	waiting       atomic.Int32
}

func newTails() *tails {
	return &tails{packed: lately{most: keptTails}, plain: lately{most: keptPlains}, turns: make(chan struct{}, atOnce)}
}

// serveTail sends the unpacked bytes from a piece on, packed with what the
// browser knows.
func (s *Store) serveTail(w http.ResponseWriter, r *http.Request, name, from string) {
	begin := 0
	if from != "" {
		var err error
		if begin, err = strconv.Atoi(from); err != nil || begin < 0 || begin%Piece != 0 {
			http.NotFound(w, r)
			return
		}
	}
	encoding := ""
	for _, e := range []string{"br", "gzip"} {
		if encoding == "" && strings.Contains(r.Header.Get("Accept-Encoding"), e) {
			encoding = e
		}
	}
	tail, hurried, err := s.tail(r.Context(), name, encoding, begin)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	always(w.Header(), name+"-"+strconv.Itoa(begin), encoding)
	if hurried { // the same bytes for a browser, but longer on the way: no cache keeps them
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Del("ETag")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(tail)))
	_, _ = w.Write(tail) // a phone that hung up is nobody's error
}

// tail returns the unpacked bytes of a file from begin on, packed; hurried when
// it was not packed well.
func (s *Store) tail(ctx context.Context, name, encoding string, begin int) (tail []byte, hurried bool, err error) {
	t := s.tails
	plain, err := t.plain.get(ctx, name, func() ([]byte, error) {
		packed, err := os.ReadFile(s.path(name, "br"))
		if err != nil {
			return nil, err
		}
		return wire.Unpack(packed, "br", wire.MaxSnapshot)
	})
	if err != nil {
		return nil, false, err
	}
	if begin > len(plain) {
		return nil, false, os.ErrNotExist
	}
	if encoding == "" {
		return plain[begin:], false, nil
	}
	key := name + encoding + strconv.Itoa(begin)
	if t.waiting.Load() >= hasty && !t.packed.has(key) {
		tail, err := pack(plain[begin:], encoding, hurry)
		return tail, true, err
	}
	tail, err = t.packed.get(ctx, key, func() ([]byte, error) {
		t.waiting.Add(1)
		t.turns <- struct{}{}
		t.waiting.Add(-1)
		defer func() { <-t.turns }()
		return pack(plain[begin:], encoding, well)
	})
	return tail, false, err
}

// level is how well a tail is packed, in each encoding.
type level struct{ br, gzip int }

var (
	well  = level{9, gzip.BestCompression} // the level before the ones that take seconds
	hurry = level{1, gzip.BestSpeed}
)

// pack packs while somebody waits.
func pack(plain []byte, encoding string, l level) ([]byte, error) {
	var out bytes.Buffer
	var w io.WriteCloser = brotli.NewWriterOptions(&out, brotli.WriterOptions{Quality: l.br, LGWin: 22})
	if encoding == "gzip" {
		var err error
		if w, err = gzip.NewWriterLevel(&out, l.gzip); err != nil {
			return nil, err
		}
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	err := w.Close()
	return out.Bytes(), err
}
