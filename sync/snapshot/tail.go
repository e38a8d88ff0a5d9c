package snapshot

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"

	"langso/sync/wire"
)

// Piece is the size of the pieces in which a browser keeps what came of a file,
// in unpacked bytes. A tail begins at a piece: then whoever is cut at about the same
// place gets the same bytes, from here or from a cache.
const Piece = 8 << 10

// kept is how many packed bytes of tails stay in memory.
const kept = 4 << 20

// tails are the ends of the file that were asked for lately. One is made at a time:
// it takes some ten milliseconds, and a village that lost its road comes back at once.
type tails struct {
	mu   sync.Mutex
	made map[string][]byte // by name, encoding and beginning
	size int
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
	tail, err := s.tail(name, encoding, begin)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	always(w.Header(), name+"-"+strconv.Itoa(begin), encoding)
	w.Header().Set("Content-Length", strconv.Itoa(len(tail)))
	_, _ = w.Write(tail) // a phone that hung up is nobody's error
}

func (s *Store) tail(name, encoding string, begin int) ([]byte, error) {
	s.tails.mu.Lock()
	defer s.tails.mu.Unlock()
	key := name + encoding + strconv.Itoa(begin)
	if tail, ok := s.tails.made[key]; ok {
		return tail, nil
	}
	packed, err := os.ReadFile(s.path(name, "br"))
	if err != nil {
		return nil, err
	}
	plain, err := wire.Unpack(packed, "br", wire.MaxSnapshot)
	if err != nil {
		return nil, err
	}
	if begin > len(plain) {
		return nil, os.ErrNotExist
	}
	tail, err := pack(plain[begin:], encoding)
	if err != nil {
		return nil, err
	}
	if s.tails.made == nil || s.tails.size+len(tail) > kept {
		s.tails.made, s.tails.size = map[string][]byte{}, 0
	}
	s.tails.made[key] = tail
	s.tails.size += len(tail)
	return tail, nil
}

// pack packs while somebody waits: the level before the ones that take seconds.
func pack(plain []byte, encoding string) ([]byte, error) {
	var out bytes.Buffer
	switch encoding {
	case "br":
		w := brotli.NewWriterOptions(&out, brotli.WriterOptions{Quality: 9, LGWin: 22})
		if _, err := w.Write(plain); err != nil {
			return nil, err
		}
		err := w.Close()
		return out.Bytes(), err
	case "gzip":
		w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(plain); err != nil {
			return nil, err
		}
		err = w.Close()
		return out.Bytes(), err
	}
	return plain, nil
}
