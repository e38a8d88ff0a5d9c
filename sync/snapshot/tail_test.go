package snapshot

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"langso/sync/wire"
)

// bigFile is a store with a file of so many rows, as a market has them.
func bigFile(t testing.TB, rows int) (s *Store, name string, plain []byte) {
	t.Helper()
	dice := rand.New(rand.NewPCG(1, 2))
	words := []string{"vải", "thiều", "ổi", "gạo", "nếp", "mật ong", "trứng gà", "rau muống", "chuối", "cá rô"}
	var b bytes.Buffer
	for i := range rows {
		fmt.Fprintf(&b, `{"id":"%015x","name":"%s %s","price":%d}`+"\n", i*7919, words[dice.IntN(10)], words[dice.IntN(10)], dice.IntN(500)*1000)
	}
	plain = b.Bytes()
	s = &Store{dir: t.TempDir(), tails: newTails()}
	name = hex.EncodeToString(make([]byte, 32))
	packed, err := pack(plain, "br", well)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, name+".br"), packed, 0o600); err != nil {
		t.Fatal(err)
	}
	return s, name, plain
}

// ask is a browser's request for the bytes from a piece on.
func ask(s *Store, name string, piece int) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", fmt.Sprint("/api/snapshots/", name, "?from=", piece*Piece), nil)
	r.Header.Set("Accept-Encoding", "gzip, deflate, br, zstd")
	w := httptest.NewRecorder()
	s.ServeFile(w, r, name)
	return w
}

// Who comes while many others wait, each for an end of its own, does not stand in
// line behind them.
func TestWhoComesWhileManyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, name, plain := bigFile(t, 2000)
		for range atOnce {
			s.tails.turns <- struct{}{} // all turns are taken, for ever
		}
		var others sync.WaitGroup
		ctx, stop := context.WithCancel(t.Context())
		for i := range hasty {
			others.Go(func() { _, _, _ = s.tail(ctx, name, "br", i*Piece) })
		}
		synctest.Wait()
		w := ask(s, name, hasty)
		got, err := wire.Unpack(w.Body.Bytes(), "br", wire.MaxSnapshot)
		if w.Code != http.StatusOK || err != nil || !bytes.Equal(got, plain[hasty*Piece:]) {
			t.Errorf("%d, %d bytes, %v", w.Code, len(got), err)
		}
		if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("ETag") != "" {
			t.Errorf("what was packed in a hurry is kept: %v", w.Header())
		}
		stop()
		others.Wait()
		for range atOnce {
			<-s.tails.turns
		}
		if w := ask(s, name, 3); w.Code != http.StatusOK || w.Header().Get("ETag") == "" {
			t.Errorf("later: %d %v", w.Code, w.Header())
		}
	})
}

// naive packs each tail that is not kept under the one lock, from the file, and
// forgets all when it has kept too much.
type naive struct {
	*Store
	mu   sync.Mutex
	made map[string][]byte
	size int
}

func (n *naive) tail(name string, begin int) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := fmt.Sprint(name, begin)
	if _, ok := n.made[key]; ok {
		return nil
	}
	packed, err := os.ReadFile(n.path(name, "br"))
	if err != nil {
		return err
	}
	plain, err := wire.Unpack(packed, "br", wire.MaxSnapshot)
	if err != nil {
		return err
	}
	tail, err := pack(plain[begin:], "br", well)
	if err != nil {
		return err
	}
	if n.made == nil || n.size+len(tail) > keptTails {
		n.made, n.size = map[string][]byte{}, 0
	}
	n.made[key], n.size = tail, n.size+len(tail)
	return nil
}

// BenchmarkTails is what a browser that goes on waits for its tail, beside many
// that ask for one beginning after another: one that is kept, and one that nobody
// asked for.
func BenchmarkTails(b *testing.B) {
	const many = 16
	store, name, plain := bigFile(b, 12_000)
	pieces := len(plain) / Piece
	n := &naive{Store: store}
	for _, c := range []struct {
		how string
		get func(piece int) error
	}{
		{"naive", func(piece int) error { return n.tail(name, piece*Piece) }},
		{"new", func(piece int) error { ask(store, name, piece); return nil }},
	} {
		for _, what := range []string{"kept", "unheard of"} {
			b.Run(c.how+"/"+what, func(b *testing.B) {
				var end atomic.Bool
				var others sync.WaitGroup
				if err := c.get(0); err != nil {
					b.Fatal(err)
				}
				for i := range many {
					others.Go(func() {
						for at := i; !end.Load(); at += many {
							_ = c.get(1 + at%(pieces/2))
						}
					})
				}
				at := pieces / 2
				for b.Loop() {
					piece := 0
					if what != "kept" {
						at++
						piece = min(at, pieces)
					}
					if err := c.get(piece); err != nil {
						b.Fatal(err)
					}
				}
				end.Store(true)
				others.Wait()
				b.ReportMetric(float64(len(plain)), "file-B")
			})
		}
	}
}
