// Package bench measures what villagers pay for in bytes and requests, and what
// the commune's computer pays in time, beside a naive client of plain
// PocketBase with the same records, in one run:
//
//	go test -bench . ./bench/...
//
// Bytes are counted on the connection, headers included.
package bench

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/commune/broadcast"
	"langso/commune/health"
	"langso/commune/market"
	"langso/commune/people"
	"langso/commune/publicservice"
	"langso/demo"
	"langso/hooks"
	"langso/phone"
	"langso/signin"
	"langso/sync/wire"
	"langso/villagetest"
)

var domains = []commune.Domain{people.Domain, health.Domain, publicservice.Domain, market.Domain, broadcast.Domain}

// sizes are the communes that are measured: the demo's 2,500 households with
// 277,500 records of their own, and a tenth of it.
var sizes = []int{250, 2500}

// place is a commune served over loopback.
type place struct {
	*villagetest.Server
	url    string
	person string // a villager with the workload's records
}

var places = map[int]*place{}

// communeOf returns the commune of that many households, made once a process.
func communeOf(b *testing.B, households int) *place {
	b.Helper()
	if places[households] == nil {
		places[households] = newCommune(b, households)
	}
	return places[households]
}

func newCommune(b *testing.B, households int) *place {
	b.Helper()
	s := villagetest.New(keep{b}, domains, func(o *hooks.Options) { o.SignIn = &signin.Service{Now: o.Now} })
	if err := demo.Load(context.Background(), s.App, domains, demo.Options{Households: households}, io.Discard); err != nil {
		b.Fatal(err)
	}
	if err := s.Settle(); err != nil {
		b.Fatal(err)
	}
	p := &place{Server: s}
	p.url = httptest.NewServer(s.Handler()).URL
	p.person = demo.Cast(demo.Options{Households: households})[0].Person
	if err := p.App.DB().NewQuery(`SELECT person FROM health_entries GROUP BY person ORDER BY count(*) DESC, person LIMIT 1`).Row(&p.person); err != nil {
		b.Fatal(err)
	}
	p.equip(b)
	if _, err := p.Snapshots.Refresh(context.Background()); err != nil {
		b.Fatal(err)
	}
	return p
}

// keep is a test that never ends: its commune lives as long as the process.
type keep struct{ *testing.B }

// kept are the folders of communes, which go when the process ends.
var kept []string

func TestMain(m *testing.M) {
	code := m.Run()
	for _, dir := range kept {
		_ = errors.Join(os.RemoveAll(dir), os.RemoveAll(dir+".mark")) // and the mark beside it
	}
	os.Exit(code)
}

func (keep) Cleanup(func()) {}
func (k keep) TempDir() string {
	dir, err := os.MkdirTemp("", "langso-bench")
	if err != nil {
		k.Fatal(err)
	}
	kept = append(kept, dir)
	return dir
}

// equip gives the villager exactly the workload: 60 health entries, 10 dossiers
// and 40 orders of their own.
func (p *place) equip(b *testing.B) {
	b.Helper()
	for table, want := range map[string]struct {
		owner string
		n     int
	}{"health_entries": {"person", 60}, "dossiers": {"person", 10}, "orders": {"buyer", 40}} {
		sql := fmt.Sprintf(`UPDATE %[1]s SET %[2]s = {:p} WHERE id IN (SELECT id FROM %[1]s WHERE %[2]s != {:p} ORDER BY id
			LIMIT max(0, {:n} - (SELECT count(*) FROM %[1]s WHERE %[2]s = {:p})))`, table, want.owner)
		if _, err := p.App.NonconcurrentDB().NewQuery(sql).Bind(dbx.Params{"p": p.person, "n": want.n}).Execute(); err != nil {
			b.Fatal(err)
		}
		sql = fmt.Sprintf(`DELETE FROM %[1]s WHERE %[2]s = {:p} AND id NOT IN (SELECT id FROM %[1]s WHERE %[2]s = {:p} ORDER BY id LIMIT {:n})`, table, want.owner)
		if _, err := p.App.NonconcurrentDB().NewQuery(sql).Bind(dbx.Params{"p": p.person, "n": want.n}).Execute(); err != nil {
			b.Fatal(err)
		}
	}
	if err := p.Absorb(); err != nil {
		b.Fatal(err)
	}
}

// meter counts what goes over its connections.
type meter struct {
	up, down, requests atomic.Int64
	client             *http.Client
}

func newMeter() *meter {
	m := &meter{}
	t := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		return &countedConn{c, m}, err
	}, MaxIdleConnsPerHost: 64, DisableCompression: true}
	m.client = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		m.requests.Add(1)
		return t.RoundTrip(r)
	})}
	return m
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type countedConn struct {
	net.Conn
	m *meter
}

func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.m.down.Add(int64(n))
	return n, err
}

func (c *countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.m.up.Add(int64(n))
	return n, err
}

// report prints the meter's counts for each iteration and forgets them.
func (m *meter) report(b *testing.B, rows int) {
	n := float64(b.N)
	b.ReportMetric(float64(m.down.Load())/n, "bytes-down/op")
	b.ReportMetric(float64(m.up.Load())/n, "bytes-up/op")
	b.ReportMetric(float64(m.requests.Load())/n, "requests/op")
	b.ReportMetric(float64(rows)/n, "rows/op")
}

func (m *meter) reset() { m.up.Store(0); m.down.Store(0); m.requests.Store(0) }

// newPhone opens a phone of the villager whose traffic m counts.
func (p *place) newPhone(b *testing.B, m *meter) *phone.Phone {
	b.Helper()
	return p.phoneOver(b, p.url, m.client.Transport)
}

// phoneOver opens a phone of the villager, who has just signed in at the counter,
// that reaches the server at an address. The sign-in itself is not counted; nor is
// its connection used again.
func (p *place) phoneOver(b *testing.B, address string, t http.RoundTripper) *phone.Phone {
	b.Helper()
	return p.phoneIn(b, filepath.Join(b.TempDir(), "phone"), address, t)
}

// phoneIn is phoneOver in a folder of the caller's.
func (p *place) phoneIn(b *testing.B, dir, address string, t http.RoundTripper) *phone.Phone {
	b.Helper()
	atCounter := &http.Transport{}
	defer atCounter.CloseIdleConnections()
	open := func(address string, t http.RoundTripper) *phone.Phone {
		ph, err := phone.Open(dir, address, phone.WithTransport(t), phone.WithClock(p.Clock.Now))
		if err != nil {
			b.Fatal(err)
		}
		return ph
	}
	first := open(p.url, atCounter)
	if err := errors.Join(first.SignInByInvitation(b.Context(), p.Invitation(b, p.person), "bench"), first.Close()); err != nil {
		b.Fatal(err)
	}
	ph := open(address, t)
	b.Cleanup(func() { _ = ph.Close() })
	return ph
}

// asker is a client without a store, for measuring the server.
type asker struct {
	id   string
	key  ed25519.PrivateKey
	body []byte
	head string

	person string
	mu     sync.Mutex
	n      int // the last edit
}

// plain is the phone without its turn.
func (a *asker) plain() *asker {
	return &asker{id: a.id, key: a.key, body: a.body, head: a.head, person: a.person}
}

// askers makes n phones of n villagers, or of as many as there are, complete at the present.
func (p *place) askers(b *testing.B, n int) []*asker {
	b.Helper()
	var persons []string
	err := p.App.DB().NewQuery(`SELECT id FROM persons WHERE status = 'active' ORDER BY id LIMIT {:n}`).Bind(dbx.Params{"n": n}).Column(&persons)
	if err != nil {
		b.Fatal(err)
	}
	for all := len(persons); len(persons) < n; {
		persons = append(persons, persons[len(persons)-all])
	}
	out := make([]*asker, n)
	c, err := p.App.FindCachedCollectionByNameOrId("phones")
	if err != nil {
		b.Fatal(err)
	}
	err = p.App.RunInTransaction(func(tx core.App) error {
		for i, person := range persons {
			public, private, err := ed25519.GenerateKey(rand.Reader)
			if err != nil {
				return err
			}
			r := core.NewRecord(c)
			r.Set("person", person)
			r.Set("label", "bench")
			r.Set("public_key", wire.Ed25519Key(public))
			if err := tx.Save(r); err != nil {
				return err
			}
			out[i] = &asker{id: r.Id, key: private, person: person}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	seq, err := p.Journal.Seq()
	if err != nil {
		b.Fatal(err)
	}
	var epoch string
	if err := p.App.DB().NewQuery(`SELECT epoch FROM journal_meta`).Row(&epoch); err != nil {
		b.Fatal(err)
	}
	for i, a := range out {
		circles, err := p.Engine.Circles(persons[i])
		if err != nil {
			b.Fatal(err)
		}
		a.body = fmt.Appendf(nil, `{"v":1,"app":"bench/1","epoch":%q,"cursor":%d,"standing":%q}`, epoch, seq, wire.StandingHash(circles))
		a.head = wire.Authorization(a.id, ed25519.Sign(a.key, wire.SigningBytes("POST", "/api/sync", a.body)))
		// The server must know the standing's hash, as it does after a real sync.
		if _, err := p.App.NonconcurrentDB().NewQuery(`INSERT OR IGNORE INTO sync_standings (hash, circles) VALUES ({:h}, {:c})`).
			Bind(dbx.Params{"h": wire.StandingHash(circles), "c": jsonText(circles)}).Execute(); err != nil {
			b.Fatal(err)
		}
	}
	return out
}
