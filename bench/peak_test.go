package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"

	"langso/commune"
	"langso/notify"
	"langso/sync/hints"
	"langso/sync/phones"
	"langso/sync/wire"
)

// What the two roads promise: as many phones a second as they send to the server.
const (
	wokenPerSecond  = 200 // notify: the spread that a wake-up tells
	hintedPerSecond = 500 // hints: two milliseconds a phone
	mostOver        = 1.5
)

// TestPeakAfterABroadcast plays what a broadcast of each class does to the server,
// in virtual time: the outbox and the hub of hints are the real ones over a real
// database, a service 60 ms away, and phones that wait the part of the spread that
// they are told. No second brings more than one and a half times what was promised.
//
//	go test ./bench -run TestPeakAfterABroadcast -v
func TestPeakAfterABroadcast(t *testing.T) {
	const phonesAll, listening = 10_000, 1000
	for _, one := range []struct {
		name   string
		class  commune.Class
		digest bool
	}{{"emergency", commune.Emergency, false}, {"needed", commune.Needed, false}, {"information", commune.Information, false}, {"data only", commune.DataOnly, false}, {"a digest at 18:00", commune.Information, true}} {
		t.Run(one.name, func(t *testing.T) {
			app := crowd(t, phonesAll)
			ears := listeners(t, app, listening)
			if one.digest {
				if _, err := app.NonconcurrentDB().NewQuery(`INSERT INTO notice_choices (id, person, digest) SELECT id, id, '18:00' FROM persons`).Execute(); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Test(t, func(t *testing.T) {
				// The bubble's clock begins at 07:00 of the commune.
				met := &meetings{by: map[string]map[int64]int{"woken": {}, "hinted": {}}}
				hub := &hints.Hub{App: app, Phones: phones.Book{App: app, People: "persons"}, Beat: 1000 * time.Hour, Review: 1000 * time.Hour,
					Standing: func(string) ([]string, error) { return []string{"commune"}, nil },
					Ahead:    func(context.Context, []string, int64) (hints.Head, bool, error) { return hints.Head{}, false, nil }}
				ctx, stop := context.WithCancel(t.Context())
				var running sync.WaitGroup
				running.Go(func() { hub.Run(ctx) })
				synctest.Wait()
				for _, e := range ears {
					e.listen(t, hub, met)
				}
				road := &pocket{met: met}
				o := &notify.Outbox{App: app, Senders: []notify.Sender{road}, Live: hub.Listens}
				time.Sleep(2 * time.Minute)
				if one.class == commune.DataOnly {
					if err := notify.Nudge(app, commune.Commune, time.Now()); err != nil {
						t.Fatal(err)
					}
				} else if err := notify.Raise(app, commune.Notice{To: commune.Commune, Key: "k", Kind: "news", Title: "Tin", Class: one.class}, time.Now()); err != nil {
					t.Fatal(err)
				}
				hub.News([]string{"commune"}, 7)
				pass := func(until time.Duration, beat time.Duration) {
					for end := time.Now().Add(until); time.Now().Before(end); time.Sleep(beat) {
						if err := o.Pass(t.Context()); err != nil {
							t.Fatal(err)
						}
					}
				}
				pass(5*time.Minute, time.Second)
				if one.digest { // from 07:07 to 17:55, and past 18:10
					pass(10*time.Hour+48*time.Minute, time.Minute)
					pass(20*time.Minute, time.Second)
				}
				road.pockets.Wait()
				hub.Close()
				stop()
				running.Wait()
				woken, hinted := met.peak("woken"), met.peak("hinted")
				t.Logf("%-20s %5d woken, at most %3d in a second (promised %d); %4d hinted, at most %3d (promised %d)",
					one.name, met.all("woken"), woken, wokenPerSecond, met.all("hinted"), hinted, hintedPerSecond)
				want := phonesAll
				if !one.class.Shown() {
					want -= listening // they hear of it by themselves
				}
				if met.all("woken") != want || met.all("hinted") != listening {
					t.Errorf("%d woken of %d, %d hinted of %d", met.all("woken"), want, met.all("hinted"), listening)
				}
				if woken > mostOver*wokenPerSecond || hinted > mostOver*hintedPerSecond {
					t.Error("more came together than was promised")
				}
			})
		})
	}
}

// meetings counts exchanges by the second, for each road that caused them.
type meetings struct {
	mu sync.Mutex
	by map[string]map[int64]int
}

func (m *meetings) now(road string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.by[road][time.Now().Unix()]++
}

func (m *meetings) peak(road string) (most int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range m.by[road] {
		most = max(most, n)
	}
	return most
}

func (m *meetings) all(road string) (sum int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range m.by[road] {
		sum += n
	}
	return sum
}

// pocket is a service, and the phones behind it, in people's pockets: each meets
// the server at a random moment of the spread that its wake-up tells.
type pocket struct {
	met     *meetings
	pockets sync.WaitGroup
}

func (*pocket) Name() string { return "fcm" }

func (p *pocket) Send(_ context.Context, d notify.Delivery) error {
	time.Sleep(60 * time.Millisecond)
	p.pockets.Go(func() {
		time.Sleep(time.Duration(rand.Float64() * float64(d.Spread)))
		p.met.now("woken")
	})
	return nil
}

// ear is a phone whose app is open.
type ear struct {
	phone string
	key   ed25519.PrivateKey
}

// listeners gives the first n phones keys of their own.
func listeners(t *testing.T, app core.App, n int) (ears []ear) {
	t.Helper()
	for i := range n {
		public, private, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		e := ear{fmt.Sprintf("p%014d", i), private}
		if _, err := app.NonconcurrentDB().NewQuery(`UPDATE phones SET public_key = '` + wire.Ed25519Key(public) + `' WHERE id = '` + e.phone + `'`).Execute(); err != nil {
			t.Fatal(err)
		}
		ears = append(ears, e)
	}
	return ears
}

// listen opens a stream by the real road, over a connection in memory.
func (e ear) listen(t *testing.T, hub *hints.Hub, met *meetings) {
	t.Helper()
	body := []byte(`{"above":1}`)
	r := httptest.NewRequest(http.MethodPost, hints.Path, bytes.NewReader(body))
	r.Header.Set("Authorization", wire.Authorization(e.phone, ed25519.Sign(e.key, wire.SigningBytes(http.MethodPost, hints.Path, body))))
	w := &wired{ResponseRecorder: httptest.NewRecorder(), met: met, closed: make(chan struct{})}
	if err := hub.Serve(&core.RequestEvent{Event: router.Event{Request: r, Response: w}}); err != nil || !w.taken {
		t.Fatalf("no stream: %v %d %s", err, w.Code, w.Body)
	}
}

// wired is an answer whose connection can be taken over, and the connection.
type wired struct {
	*httptest.ResponseRecorder
	net.Conn
	met    *meetings
	taken  bool
	once   sync.Once
	closed chan struct{}
}

func (w *wired) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.taken = true
	return line{w}, nil, nil
}
func (w *wired) Write(b []byte) (int, error) { return w.ResponseRecorder.Write(b) }

// line is the connection to a phone that meets the server as soon as it is hinted.
type line struct{ *wired }

func (l line) Read([]byte) (int, error) { <-l.closed; return 0, io.EOF }
func (l line) Close() error             { l.once.Do(func() { close(l.closed) }); return nil }
func (l line) Write(b []byte) (int, error) {
	if strings.HasPrefix(string(b), "data: ") {
		l.met.now("hinted")
	}
	return len(b), nil
}
func (line) SetDeadline(time.Time) error      { return nil }
func (line) SetReadDeadline(time.Time) error  { return nil }
func (line) SetWriteDeadline(time.Time) error { return nil }
