package exchange_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/pocketbase/dbx"

	"langso/commune"
	"langso/commune/broadcast"
	"langso/commune/health"
	"langso/commune/market"
	"langso/commune/people"
	"langso/commune/publicservice"
	"langso/phone"
	"langso/villagetest"
)

const (
	lan     = "lan000000000000"
	bay     = "bay000000000000"
	village = "village00000001"
)

// scene is a commune in which Lan and bà Bảy live, with a market of many goods.
type scene struct {
	*villagetest.Server
	t *testing.T
}

func newScene(t *testing.T, products int) *scene {
	t.Helper()
	s := &scene{t: t, Server: villagetest.New(t, []commune.Domain{people.Domain, health.Domain, publicservice.Domain, market.Domain, broadcast.Domain})}
	s.Put(t, "villages", village, map[string]any{"name": "Thôn Thượng"})
	s.Put(t, "households", "household000001", map[string]any{"name": "Nhà Lan", "village": village})
	for _, id := range []string{lan, bay} {
		s.Put(t, "persons", id, map[string]any{"name": id, "household": "household000001", "status": "active"})
	}
	s.Put(t, "procedures", "procedure000001", map[string]any{"name": "Khai sinh", "code": "1", "active": true})
	s.Put(t, "stalls", "stall0000000001", map[string]any{"name": "Vải", "owner": bay})
	s.sql(`WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {:n})
		INSERT INTO products (id, stall, name, price, stock, unit) SELECT printf('product%08d', i), 'stall0000000001', 'Vải thiều số ' || i, 1000 + i, i % 7, 'kg' FROM c WHERE {:n} > 0`,
		dbx.Params{"n": products})
	return s
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

// phone is a phone of Lan that is complete, and its folder.
func (s *scene) phone() (*phone.Phone, string) {
	s.t.Helper()
	dir := filepath.Join(s.t.TempDir(), "phone")
	p := s.PhoneAt(s.t, dir, lan, nil)
	s.sync(p)
	return p, dir
}

func (s *scene) sync(p *phone.Phone) phone.Report {
	s.t.Helper()
	r, err := p.Sync(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	if !r.Complete {
		s.t.Fatalf("not complete: %+v", r)
	}
	return r
}

// damage writes into a phone's file behind its back.
func (s *scene) damage(dir, text string) {
	s.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "phone.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(text); err != nil {
		s.t.Fatal(err)
	}
}

// same compares what a phone holds of the products with the table.
func (s *scene) same(p *phone.Phone) {
	s.t.Helper()
	var want []struct {
		ID    string  `db:"id"`
		Name  string  `db:"name"`
		Price float64 `db:"price"`
	}
	if err := s.App.DB().NewQuery(`SELECT id, name, price FROM products`).All(&want); err != nil {
		s.t.Fatal(err)
	}
	all, err := p.Held("products")
	if err != nil {
		s.t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range all {
		got[r.ID] = fmt.Sprint(r.Fields["name"], r.Fields["price"])
	}
	if len(got) != len(want) {
		s.t.Errorf("the phone has %d products, the server %d", len(got), len(want))
	}
	for _, w := range want {
		if got[w.ID] != fmt.Sprint(w.Name, w.Price) {
			s.t.Errorf("%s is %q on the phone, %q on the server", w.ID, got[w.ID], fmt.Sprint(w.Name, w.Price))
			return
		}
	}
}

// reopen opens a phone's folder again.
func (s *scene) reopen(dir string) *phone.Phone {
	s.t.Helper()
	p, err := phone.Open(dir, "", phone.WithTransport(s.Network()), phone.WithClock(s.Clock.Now))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = p.Close() })
	return p
}

func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// backup copies the database as it is now; the function puts it back and starts
// the server on it.
func (s *scene) backup() (restore func()) {
	s.t.Helper()
	copied := filepath.Join(s.t.TempDir(), "data.db")
	s.sql(`VACUUM INTO {:to}`, dbx.Params{"to": copied})
	return func() {
		s.t.Helper()
		data := filepath.Join(s.Dir(), "data.db")
		for _, f := range []string{data, data + "-wal", data + "-shm"} {
			if err := os.Remove(f); err != nil {
				s.t.Fatal(err)
			}
		}
		if err := os.Rename(copied, data); err != nil {
			s.t.Fatal(err)
		}
		s.Restart(s.t)
	}
}
