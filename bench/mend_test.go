package bench

import (
	"database/sql"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/pocketbase/dbx"

	"langso/commune"
	"langso/commune/market"
	"langso/commune/people"
	"langso/hooks"
	"langso/phone"
	"langso/signin"
	"langso/villagetest"
)

// BenchmarkMend: one record of a phone that holds 10,000 is not as it should be,
// because its storage lost it or flipped a bit of it; how many round trips and
// bytes it takes until all is right again. The first exchange is the ordinary one
// that finds the difference, or is due to look for it.
func BenchmarkMend(b *testing.B) {
	const records = 10_000
	p := marketOf(b, records)
	for name, damage := range map[string]string{
		"missing": `DELETE FROM records WHERE coll = 'products' AND id = (SELECT id FROM records WHERE coll = 'products' ORDER BY random() LIMIT 1);
			DELETE FROM meta WHERE key = 'sum'`,
		"flipped": `UPDATE records SET fields = json_set(fields, '$.price', 1) WHERE coll = 'products' AND id = (SELECT id FROM records WHERE coll = 'products' ORDER BY random() LIMIT 1);
			INSERT OR REPLACE INTO meta VALUES ('check', 'deep')`,
	} {
		b.Run(name, func(b *testing.B) {
			m := newMeter()
			dir := filepath.Join(b.TempDir(), "phone")
			ph := p.phoneIn(b, dir, p.url, m.client.Transport)
			mustSync(b, ph)
			mustSync(b, ph)
			store, err := sql.Open("sqlite", filepath.Join(dir, "phone.db")+"?_pragma=busy_timeout(5000)")
			if err != nil {
				b.Fatal(err)
			}
			defer store.Close()
			m.reset()
			for b.Loop() {
				b.StopTimer()
				if _, err := store.Exec(damage); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				if r := mustSync(b, ph); r.Mismatches != 1 {
					b.Fatalf("%+v", r)
				}
			}
			m.report(b, b.N)
			p.same(b, ph, records)
		})
	}
}

// marketOf is a commune whose market has so many goods, and one villager.
func marketOf(b *testing.B, goods int) *place {
	b.Helper()
	s := villagetest.New(b, []commune.Domain{people.Domain, market.Domain}, func(o *hooks.Options) { o.SignIn = &signin.Service{Now: o.Now} })
	p := &place{Server: s, person: "lan000000000000"}
	web := httptest.NewServer(s.Handler())
	b.Cleanup(web.Close)
	p.url = web.URL
	village := s.Put(b, "villages", "", map[string]any{"name": "Thôn Thượng"})
	home := s.Put(b, "households", "", map[string]any{"name": "Nhà Lan", "village": village})
	s.Put(b, "persons", p.person, map[string]any{"name": "Lan", "household": home, "status": "active"})
	stall := s.Put(b, "stalls", "", map[string]any{"name": "Vải"})
	_, err := s.App.NonconcurrentDB().NewQuery(`WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {:n})
		INSERT INTO products (id, stall, name, price, grade) SELECT substr('p' || lower(hex(randomblob(8))), 1, 15), {:stall}, 'Vải thiều số ' || i, 1000 + i, 'VIP' FROM c`).Bind(dbx.Params{"n": goods, "stall": stall}).Execute()
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Absorb(); err != nil {
		b.Fatal(err)
	}
	if _, err := s.Snapshots.Refresh(b.Context()); err != nil {
		b.Fatal(err)
	}
	return p
}

// same fails when the phone's goods are not the table's.
func (p *place) same(b *testing.B, ph *phone.Phone, want int) {
	b.Helper()
	all, err := ph.Held("products")
	if err != nil || len(all) != want {
		b.Fatalf("%d goods, want %d: %v", len(all), want, err)
	}
	for _, r := range all {
		var price float64
		if err := p.App.DB().NewQuery(`SELECT price FROM products WHERE id = {:id}`).Bind(dbx.Params{"id": r.ID}).Row(&price); err != nil || r.Fields["price"] != price {
			b.Fatalf("%s costs %v, want %v: %v", r.ID, r.Fields["price"], price, err)
		}
	}
}
