package fcm_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/apptest"
	"langso/commune"
	"langso/notify"
	"langso/notify/fcm"
	"langso/notify/fcmsim"
)

// clock is a time that tests move, for the outbox and FCM alike.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time      { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) add(d time.Duration) { c.mu.Lock(); c.at = c.at.Add(d); c.mu.Unlock() }

func morning() *clock { return &clock{at: time.Date(2026, 11, 24, 9, 1, 0, 0, commune.Zone)} }

func counted(t *testing.T, app core.App, sql string) (n int) {
	t.Helper()
	if err := app.DB().NewQuery(sql).Row(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func raise(t *testing.T, app core.App, to commune.Circle, class commune.Class, now time.Time) {
	t.Helper()
	if err := notify.Raise(app, commune.Notice{To: to, Key: fmt.Sprint("k", now.UnixNano()), Kind: "test", Title: "Tin", Class: class}, now); err != nil {
		t.Fatal(err)
	}
}

// TestEverythingGoesWrong: one in eight messages meets trouble of some kind. In
// the end every phone has it, nobody sees it twice, and every row is still there.
func TestEverythingGoesWrong(t *testing.T) {
	const n = 400
	k := morning()
	sim := start(t, fcmsim.Options{Seed: 7, Now: k.Now, Faults: fcmsim.Faults{Unavailable: .05, Reset: .03, Gone: .01, Portal: .03}})
	app := apptest.New(t)
	crowd(t, app, n)
	account, err := sim.Credentials()
	if err != nil {
		t.Fatal(err)
	}
	o := &notify.Outbox{App: app, Now: k.Now, Senders: []notify.Sender{fcm.New(fcm.Settings{Endpoint: sim.URL, Roots: sim.Roots(), Credentials: account})}}
	raise(t, app, commune.Commune, commune.Emergency, k.Now())
	for range 400 {
		if err := o.Pass(t.Context()); err != nil {
			t.Fatal(err)
		}
		if counted(t, app, `SELECT count(*) FROM deliveries WHERE state = 'waiting' AND rung = ''`) == 0 {
			break
		}
		k.add(5 * time.Second)
	}
	gone := counted(t, app, `SELECT count(*) FROM phones WHERE address_state = 'gone' AND address != ''`)
	had, missing := 0, 0
	for i := range n {
		p := sim.Phone(fmt.Sprintf("address-%d", i))
		if len(p.Received) > 0 {
			had++
		} else {
			missing++
		}
		if len(p.Shown) > 1 || p.Shown[""] > 0 {
			t.Errorf("phone %d shows %v", i, p.Shown)
		}
	}
	// Those that FCM called gone are asleep until they register; nobody else is
	// missing, and nobody was deleted.
	if missing > gone || gone > 12 || counted(t, app, `SELECT count(*) FROM phones`) != n {
		t.Errorf("%d had it, %d not, %d called gone", had, missing, gone)
	}
	if c := sim.Counts(); c.Tokens != 1 {
		t.Errorf("%d access tokens for %d requests", c.Tokens, c.Requests)
	}
}

// TestWrongProjectCostsNoPhone: neither a project that does not know us nor one
// that calls every address another's.
func TestWrongProjectCostsNoPhone(t *testing.T) {
	const n = 60
	for who, o := range map[string]fcmsim.Options{
		"a project that is not there":    {Project: "another", Open: true},
		"one that takes us for a thief":  {},
		"one that calls everybody gone":  {Faults: fcmsim.Faults{Gone: 1}, Open: true},
		"one in which we are a stranger": {Strangers: true, Open: true},
	} {
		t.Run(who, func(t *testing.T) {
			k := morning()
			o.Now = k.Now
			sim := start(t, o)
			app := apptest.New(t)
			crowd(t, app, n)
			box := &notify.Outbox{App: app, Now: k.Now, Senders: []notify.Sender{fcm.New(fcm.Settings{Endpoint: sim.URL, Roots: sim.Roots()})}}
			raise(t, app, commune.Commune, commune.Emergency, k.Now())
			for range 20 {
				if err := box.Pass(t.Context()); err != nil {
					t.Fatal(err)
				}
				k.add(time.Minute)
			}
			s, err := box.Status()
			if err != nil {
				t.Fatal(err)
			}
			if s.Gone != 0 || s.Waiting == 0 || !s.Channels[0].Alarm {
				t.Errorf("status %+v", s)
			}
			if c := sim.Counts(); c.Requests > 2*n {
				t.Errorf("%d requests in twenty minutes to a road that is wrong", c.Requests)
			}
		})
	}
}

// TestQuotaPausesTheRoad: after a 429 nothing goes before its time, then one
// alone, then all.
func TestQuotaPausesTheRoad(t *testing.T) {
	const n = 300
	k := morning()
	sim := start(t, fcmsim.Options{Now: k.Now, Open: true, Quota: 100})
	app := apptest.New(t)
	crowd(t, app, n)
	o := &notify.Outbox{App: app, Now: k.Now, Senders: []notify.Sender{fcm.New(fcm.Settings{Endpoint: sim.URL, Roots: sim.Roots()})}}
	raise(t, app, commune.Commune, commune.Emergency, k.Now())
	pass := func() fcmsim.Counts {
		t.Helper()
		if err := o.Pass(t.Context()); err != nil {
			t.Fatal(err)
		}
		return sim.Counts()
	}
	before := pass()
	if before.Accepted != 100 || before.Refused429 == 0 {
		t.Fatalf("counts %+v", before)
	}
	for range 11 {
		k.add(5 * time.Second)
		if after := pass(); after.Requests != before.Requests {
			t.Fatalf("%d requests in the minute that FCM asked for", after.Requests-before.Requests)
		}
	}
	for range 100 {
		k.add(10 * time.Second)
		pass()
	}
	if c := sim.Counts(); c.Accepted != n {
		t.Errorf("%d of %d accepted, %d times 429", c.Accepted, n, c.Refused429)
	}
}

// TestBusyRecordIsNeverThrottled: a hundred changes a minute, for ten minutes, of
// a record that a phone shares. FCM has nothing to hold back, and an alert in the
// middle comes at once.
func TestBusyRecordIsNeverThrottled(t *testing.T) {
	k := morning()
	sim := start(t, fcmsim.Options{Now: k.Now, Open: true})
	app := apptest.New(t)
	crowd(t, app, 1)
	o := &notify.Outbox{App: app, Now: k.Now, Senders: []notify.Sender{fcm.New(fcm.Settings{Endpoint: sim.URL, Roots: sim.Roots()})}}
	lan := commune.Named("person", "lan000000000000")
	for i := range 1000 {
		if err := notify.Nudge(app, lan, k.Now()); err != nil {
			t.Fatal(err)
		}
		if i == 700 {
			raise(t, app, lan, commune.Emergency, k.Now())
		}
		if err := o.Pass(t.Context()); err != nil {
			t.Fatal(err)
		}
		p := sim.Phone("address-0")
		if i == 700 && !p.Received[len(p.Received)-1].High {
			t.Error("the alert is not the last that came")
		}
		k.add(600 * time.Millisecond)
	}
	// Sixteen tokens after a start, twenty when full, and one in three minutes.
	if c := sim.Counts(); c.Throttled != 0 || c.Accepted < 17 || c.Accepted > 20+4+1 {
		t.Errorf("counts %+v", c)
	}
	if rows := counted(t, app, `SELECT count(*) FROM deliveries WHERE state = 'waiting' AND rung = ''`); rows > 2 {
		t.Errorf("%d rows wait for one phone", rows)
	}
}

// TestAddressThatComesBack: an address that FCM called gone is tried again once
// the phone has registered it anew.
func TestAddressThatComesBack(t *testing.T) {
	k := morning()
	sim := start(t, fcmsim.Options{Now: k.Now, Open: true})
	app := apptest.New(t)
	crowd(t, app, 1)
	o := &notify.Outbox{App: app, Now: k.Now, Senders: []notify.Sender{fcm.New(fcm.Settings{Endpoint: sim.URL, Roots: sim.Roots()})}}
	sim.Unregister("address-0")
	for i, want := range []int{0, 0, 1} {
		if i == 2 {
			sim.Register("address-0")
			if _, err := app.NonconcurrentDB().NewQuery(`UPDATE phones SET address_state = 'ok', registered_at = {:now}`).Bind(dbx.Params{"now": k.Now().Unix()}).Execute(); err != nil {
				t.Fatal(err)
			}
		}
		raise(t, app, commune.Commune, commune.Emergency, k.Now())
		if err := o.Pass(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(sim.Phone("address-0").Received); n != want {
			t.Errorf("round %d: it has %d", i, n)
		}
		k.add(time.Minute)
	}
	if c := sim.Counts(); c.Requests != 2 {
		t.Errorf("%d requests, want 2: who is gone is left alone", c.Requests)
	}
}
