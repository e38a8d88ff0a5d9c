package snapshot_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"

	"langso/commune"
	"langso/commune/market"
	"langso/commune/people"
	"langso/hooks"
	"langso/phone"
	"langso/signin"
	"langso/sync/snapshot"
	"langso/sync/wire"
	"langso/villagetest"
)

const lan = "lan000000000000"

type scene struct {
	*villagetest.Server
	t *testing.T
}

// newScene is a market of many goods whose snapshot file lies ready.
func newScene(t *testing.T, products int) *scene {
	t.Helper()
	s := &scene{t: t, Server: villagetest.New(t, []commune.Domain{people.Domain, market.Domain}, func(o *hooks.Options) { o.SignIn = &signin.Service{Now: o.Now} })}
	s.Put(t, "villages", "village00000001", map[string]any{"name": "Thôn Thượng"})
	s.Put(t, "households", "household000001", map[string]any{"name": "Nhà Lan", "village": "village00000001"})
	s.Put(t, "persons", lan, map[string]any{"name": "Lan", "household": "household000001", "status": "active"})
	s.Put(t, "stalls", "stall0000000001", map[string]any{"name": "Vải"})
	s.sql(`WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {:n})
		INSERT INTO products (id, stall, name, price, grade) SELECT printf('product%08d', i), 'stall0000000001', 'Vải thiều số ' || i, 1000 + i, hex(randomblob(10)) FROM c`,
		dbx.Params{"n": products})
	s.refresh(true)
	return s
}

func (s *scene) refresh(want bool) {
	s.t.Helper()
	made, err := s.Snapshots.Refresh(s.t.Context())
	if err != nil || made != want {
		s.t.Fatalf("made a file: %v, want %v: %v", made, want, err)
	}
}

func (s *scene) sql(text string, p dbx.Params) {
	s.t.Helper()
	if _, err := s.App.NonconcurrentDB().NewQuery(text).Bind(p).Execute(); err != nil {
		s.t.Fatal(err)
	}
	if err := s.Absorb(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) sync(p *phone.Phone) phone.Report {
	s.t.Helper()
	r, err := p.Sync(s.t.Context())
	if err != nil || !r.Complete || r.Mismatches > 0 {
		s.t.Fatalf("%+v %v", r, err)
	}
	return r
}

// holds compares the products on a phone with the table.
func (s *scene) holds(p *phone.Phone) {
	s.t.Helper()
	var want []struct {
		ID    string  `db:"id"`
		Price float64 `db:"price"`
	}
	if err := s.App.DB().NewQuery(`SELECT id, price FROM products`).All(&want); err != nil {
		s.t.Fatal(err)
	}
	all, err := p.Held("products")
	if err != nil {
		s.t.Fatal(err)
	}
	got := map[string]any{}
	for _, r := range all {
		got[r.ID] = r.Fields["price"]
	}
	if len(got) != len(want) {
		s.t.Errorf("%d products, want %d", len(got), len(want))
	}
	for _, w := range want {
		if got[w.ID] != w.Price {
			s.t.Fatalf("%s costs %v, want %v", w.ID, got[w.ID], w.Price)
		}
	}
}

func TestANewPhoneBeginsWithTheFile(t *testing.T) {
	s := newScene(t, 600)
	// Life went on since the file was made.
	s.sql(`UPDATE products SET price = 1 WHERE id = 'product00000007'`, nil)
	s.sql(`DELETE FROM products WHERE id = 'product00000008'`, nil)
	s.sql(`INSERT INTO products (id, stall, name, price) VALUES ('late00000000001', 'stall0000000001', 'Ổi', 2)`, nil)
	p := s.Phone(t, lan, nil)
	r := s.sync(p)
	s.holds(p)
	if r.Exchanges != 3 || r.Loaded != 602 || r.Changed > 10 {
		t.Errorf("ask, file, ask: %+v", r)
	}
	if r := s.sync(p); r.Exchanges != 1 || r.Changed != 0 {
		t.Errorf("and then nothing new: %+v", r)
	}
}

// The road breaks again and again: what came of the file is not sent twice.
func TestAFileInPieces(t *testing.T) {
	s := newScene(t, 1500)
	rnd := rand.New(rand.NewPCG(1, 2))
	n := s.Network()
	n.Fault = func() villagetest.Fault {
		return villagetest.Fault{Cut: func(size int) int { return min(size, 2000+rnd.IntN(3000)) }}
	}
	p := s.Phone(t, lan, n)
	for i := 0; ; i++ {
		r, err := p.Sync(t.Context())
		if r.Complete {
			break
		}
		if !errors.Is(err, phone.ErrCut) || i > 100 {
			t.Fatalf("%+v %v", r, err)
		}
	}
	s.holds(p)
	q := s.Network()
	whole := s.Phone(t, lan, q)
	s.sync(whole)
	if broken, unbroken := n.Down.Load(), q.Down.Load(); float64(broken) > 1.2*float64(unbroken) {
		t.Errorf("%d bytes over a road that breaks, %d over a good one", broken, unbroken)
	}
}

// A neighbour brings the file on a card; the phone in the forest has the market
// without any network, and what changed with the first bar of it, in one exchange.
func TestAFileByCard(t *testing.T) {
	s := newScene(t, 600)
	card := s.card()
	s.sql(`UPDATE products SET price = 1 WHERE id = 'product00000007'`, nil)
	s.sql(`DELETE FROM products WHERE id = 'product00000008'`, nil)
	away := true
	n := s.Network()
	n.Fault = func() villagetest.Fault { return villagetest.Fault{Drop: away} }
	p := s.Phone(t, lan, n)
	circles, loaded, err := p.Load(card)
	if err != nil || !slices.Equal(circles, []string{"commune", "market"}) || loaded != 602 {
		t.Fatalf("loaded %d of %s: %v", loaded, circles, err)
	}
	if all, err := p.List("products"); err != nil || len(all) != 600 {
		t.Errorf("the phone shows %d products: %v", len(all), err)
	}
	away = false
	if r := s.sync(p); r.Exchanges != 1 {
		t.Errorf("%+v", r)
	}
	s.holds(p)
	if _, _, err := p.Load(card); !errors.Is(err, phone.ErrNotEmpty) {
		t.Errorf("a file loads into a phone that has records: %v", err)
	}
}

func (s *scene) card() string {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.Dir(), "snapshots", "*.br"))
	if err != nil || len(files) != 1 {
		s.t.Fatal(files, err)
	}
	return files[0]
}

// What is no snapshot file changes nothing on the phone, wherever it is cut.
func TestADamagedFile(t *testing.T) {
	s := newScene(t, 600)
	raw, err := os.ReadFile(s.card())
	if err != nil {
		t.Fatal(err)
	}
	p := s.Phone(t, lan, nil)
	for _, cut := range []int{0, 1, len(raw) / 2, len(raw) - 1} {
		path := filepath.Join(t.TempDir(), fmt.Sprint(cut, ".br"))
		if err := os.WriteFile(path, raw[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := p.Load(path); !errors.Is(err, phone.ErrFile) {
			t.Errorf("cut at %d: %v", cut, err)
		}
		if all, err := p.Held("products"); err != nil || len(all) > 0 {
			t.Errorf("cut at %d: the phone has %d products, %v", cut, len(all), err)
		}
	}
	s.sync(p)
	s.holds(p)
}

// A file of another history is worth nothing; the phone gets everything anew.
func TestAFileOfAnotherHistory(t *testing.T) {
	s := newScene(t, 600)
	p := s.Phone(t, lan, nil)
	if _, _, err := p.Load(s.card()); err != nil {
		t.Fatal(err)
	}
	s.sql(`UPDATE journal_meta SET epoch = 'another'`, nil)
	s.sql(`DELETE FROM products WHERE id = 'product00000008'`, nil)
	s.sync(p)
	s.holds(p)
}

// A file that the server replaced while the phone was getting it.
func TestAFileThatIsNoMore(t *testing.T) {
	s := newScene(t, 600)
	if err := os.Remove(s.card()); err != nil {
		t.Fatal(err)
	}
	p := s.Phone(t, lan, nil)
	s.sync(p)
	s.holds(p)
}

func TestFilesAreMadeAgainWhenTheyGrowOld(t *testing.T) {
	s := newScene(t, 600)
	s.refresh(false)
	s.sql(`UPDATE products SET price = price + 1 WHERE id < 'product00000050'`, nil)
	s.refresh(false)
	s.sql(`UPDATE products SET price = price + 1 WHERE id < 'product00000150'`, nil)
	s.refresh(true)
	s.Restart(t)
	s.refresh(false)
	p := s.Phone(t, lan, nil)
	if r := s.sync(p); r.Loaded != 602 {
		t.Errorf("%+v", r)
	}
	s.holds(p)
}

// Only what the whole commune may read lies in files: not a person, not a draft.
func TestNobodysOwnLiesInAFile(t *testing.T) {
	s := newScene(t, 600)
	for circle, colls := range s.Engine.Files() {
		if circle != "commune" && circle != "market" {
			t.Errorf("circle %s has a file with %v", circle, colls)
		}
		for _, coll := range colls {
			for _, d := range []commune.Domain{people.Domain, market.Domain} {
				for _, c := range d.Collections {
					if c.Name == coll && c.Personal {
						t.Errorf("%s is personal and in the file of %s", coll, circle)
					}
				}
			}
		}
	}
}

// A browser sees no packed bytes: it goes on from the unpacked ones it has.
func TestTheEndOfAFile(t *testing.T) {
	s := newScene(t, 1500)
	card := s.card()
	packed, err := os.ReadFile(card)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := wire.Unpack(packed, "br", wire.MaxSnapshot)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimSuffix(filepath.Base(card), ".br")
	get := func(query, accept string) *httptest.ResponseRecorder {
		return s.Do("GET", "/api/snapshots/"+name+query, "", map[string]string{"Accept-Encoding": accept})
	}
	tags := map[string]bool{}
	for _, c := range []struct {
		who, query, accept, encoding string
		from                         int
	}{
		{"a phone that begins", "", "gzip, deflate, br", "br", 0},
		{"a browser without brotli", "", "gzip, deflate", "gzip", 0},
		{"a program that unpacks nothing", "", "identity", "", 0},
		{"who was cut", fmt.Sprint("?from=", snapshot.Piece), "gzip, deflate, br, zstd", "br", snapshot.Piece},
		{"who was cut, on plain HTTP", fmt.Sprint("?from=", snapshot.Piece), "gzip", "gzip", snapshot.Piece},
		{"who was cut, and asks again", fmt.Sprint("?from=", snapshot.Piece), "br", "br", snapshot.Piece},
	} {
		r := get(c.query, c.accept)
		h := r.Header()
		if r.Code != 200 || h.Get("Content-Encoding") != c.encoding || h.Get("Vary") != "Accept-Encoding" || !strings.Contains(h.Get("Cache-Control"), "immutable") {
			t.Fatalf("%s: %d %v", c.who, r.Code, h)
		}
		got := r.Body.Bytes()
		if c.encoding != "" {
			if got, err = wire.Unpack(got, c.encoding, wire.MaxSnapshot); err != nil {
				t.Fatalf("%s: %v", c.who, err)
			}
		}
		if !bytes.Equal(got, plain[c.from:]) {
			t.Errorf("%s: %d bytes, not those from %d", c.who, len(got), c.from)
		}
		tags[fmt.Sprint(h.Get("ETag"), c.from, c.encoding)] = true
	}
	if len(tags) != 5 {
		t.Errorf("tags %v: what differs must not be taken for the same", tags)
	}
	end := len(plain) / snapshot.Piece * snapshot.Piece
	if r := get(fmt.Sprint("?from=", end), "identity"); r.Code != 200 || !bytes.Equal(r.Body.Bytes(), plain[end:]) {
		t.Errorf("the last piece: %d", r.Code)
	}
	for _, query := range []string{"?from=1", "?from=-8192", "?from=x", "?from=1e9", fmt.Sprint("?from=", end+snapshot.Piece), "?from=99999999999999999999"} {
		if r := get(query, "br"); r.Code != 404 {
			t.Errorf("%s: %d", query, r.Code)
		}
	}
}
