package notify

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// TestWhatPeopleChose: when a phone is woken for a notice raised at nine in the
// morning, or at the hour that the case says.
func TestWhatPeopleChose(t *testing.T) {
	at := func(day, h, m int) time.Time { return time.Date(2026, 11, day, h, m, 0, 0, commune.Zone) }
	for who, c := range map[string]struct {
		class  commune.Class
		chose  map[string]any
		raised time.Time
		woken  time.Time // zero: never
	}{
		"who chose nothing":                         {commune.Information, nil, at(24, 9, 0), at(24, 9, 1)},
		"news at the hour of the digest":            {commune.Information, map[string]any{"digest": "18:30"}, at(24, 9, 0), at(24, 18, 30)},
		"news after the hour of the digest":         {commune.Information, map[string]any{"digest": "08:00"}, at(24, 9, 0), at(25, 8, 0)},
		"what is to be done waits for no digest":    {commune.Needed, map[string]any{"digest": "18:30"}, at(24, 9, 0), at(24, 9, 1)},
		"a nurse who sleeps by day":                 {commune.Needed, map[string]any{"quiet_from": "08:00", "quiet_to": "15:00"}, at(24, 9, 0), at(24, 15, 0)},
		"an emergency wakes the nurse":              {commune.Emergency, map[string]any{"quiet_from": "08:00", "quiet_to": "15:00"}, at(24, 9, 0), at(24, 9, 0)},
		"quiet over midnight":                       {commune.Information, map[string]any{"quiet_from": "19:30", "quiet_to": "07:00"}, at(24, 20, 0), at(25, 7, 0)},
		"a kind that is not wanted":                 {commune.Information, map[string]any{"off": "other test"}, at(24, 9, 0), time.Time{}},
		"an emergency of a kind that is not wanted": {commune.Emergency, map[string]any{"off": "test"}, at(24, 9, 0), at(24, 9, 0)},
		"hours that are none":                       {commune.Information, map[string]any{"quiet_from": "25:00", "quiet_to": "x", "digest": "-1"}, at(24, 9, 0), at(24, 9, 1)},
	} {
		t.Run(who, func(t *testing.T) {
			app := lanWith(t, "lan1")
			if c.chose != nil {
				c.chose["person"] = id("lan")
				add(t, app, "notice_choices", "lan", c.chose)
			}
			k := &clock{now: c.raised}
			f := &fake{}
			o := newOutbox(app, k, f)
			tell(t, app, "person:"+id("lan"), "k", c.class, c.raised)
			var woken time.Time
			for woken.IsZero() && k.Now().Before(c.raised.Add(30*time.Hour)) {
				pass(t, o)
				if len(f.take()) > 0 {
					woken = k.Now()
				}
				k.add(30 * time.Second)
			}
			late := time.Minute
			if c.woken.Sub(c.raised) > time.Hour {
				late += holdSpread // not all at the stroke
			}
			if d := woken.Sub(c.woken); d < -time.Minute || d > late {
				t.Errorf("woken at %v, want %v", woken, c.woken)
			}
		})
	}
}

// TestDigestIsOneWakeUp: five news of a day are one wake-up in the evening, and
// one row meanwhile.
func TestDigestIsOneWakeUp(t *testing.T) {
	app := lanWith(t, "lan1")
	add(t, app, "notice_choices", "lan", map[string]any{"person": id("lan"), "digest": "18:00"})
	k := &clock{now: day}
	f := &fake{}
	o := newOutbox(app, k, f)
	for i := range 5 {
		tell(t, app, "person:"+id("lan"), fmt.Sprint(i), commune.Information, k.Now())
		k.add(time.Minute)
		pass(t, o)
	}
	if n := count(t, app, `SELECT count(*) FROM deliveries WHERE state = 'waiting'`); n != 1 || len(f.take()) != 0 {
		t.Fatalf("%d rows wait, want 1", n)
	}
	k.mu.Lock()
	k.now = day.Add(9*time.Hour + holdSpread)
	k.mu.Unlock()
	pass(t, o)
	if err := same(f.take(), "lan1"); err != nil {
		t.Error(err)
	}
}

// TestBucketHoldsAcrossRestarts: however often the server is started, no phone is
// asked to sync more often than FCM lets through.
func TestBucketHoldsAcrossRestarts(t *testing.T) {
	app, k, f, o := lansPhone(t)
	for i := range 600 { // an hour
		if err := Nudge(app, commune.Named("person", id("lan")), k.Now()); err != nil {
			t.Fatal(err)
		}
		k.add(6 * time.Second)
		if i%40 == 0 || i < 90 && i%6 == 0 {
			o = newOutbox(app, k, f)
		}
		pass(t, o)
	}
	if n := f.take()["lan1"]; n > 20+20 || n < 30 {
		t.Errorf("woken %d times in an hour, FCM lets 40 through", n)
	}
	if n := count(t, app, `SELECT count(*) FROM deliveries WHERE state = 'waiting' AND circle LIKE 'phone:%'`); n > 1 {
		t.Errorf("%d rows wait for one phone", n)
	}
}

// TestNudgeDuringASend is not lost: the phones that were woken before the change
// are woken again.
func TestNudgeDuringASend(t *testing.T) {
	app := lanWith(t, "lan1")
	k := &clock{now: day}
	to := commune.Named("person", id("lan"))
	var again sync.Once
	f := &fake{}
	f.answer = func(Delivery) error {
		again.Do(func() {
			if err := Nudge(app, to, k.Now()); err != nil {
				t.Error(err)
			}
		})
		return nil
	}
	o := newOutbox(app, k, f)
	if err := Nudge(app, to, k.Now()); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		k.add(15 * time.Second)
		pass(t, o)
	}
	if n := f.take()["lan1"]; n != 2 {
		t.Errorf("woken %d times, want 2", n)
	}
}

// TestExpiryIsHonoured: what is over wakes nobody, and tells the service how
// long it may try.
func TestExpiryIsHonoured(t *testing.T) {
	for who, c := range map[string]struct {
		expires, tried time.Duration
		state          string
		life           time.Duration
	}{
		"in time":          {time.Hour, time.Minute, done, 59 * time.Minute},
		"too late":         {time.Minute, 2 * time.Minute, expired, 0},
		"over when raised": {-time.Minute, time.Minute, "", 0},
		"a road too late":  {time.Minute, time.Minute, expired, 0},
	} {
		t.Run(who, func(t *testing.T) {
			app := lanWith(t, "lan1")
			k := &clock{now: day}
			f := &fake{}
			n := commune.Notice{To: commune.Named("person", id("lan")), Key: "k", Kind: "test", Title: "Tin", Class: commune.Emergency, Expires: day.Add(c.expires)}
			if err := Raise(app, n, day); err != nil {
				t.Fatal(err)
			}
			k.add(c.tried)
			pass(t, newOutbox(app, k, f))
			if n := count(t, app, `SELECT count(*) FROM notices`); n != 1 {
				t.Errorf("%d notices in the inbox", n)
			}
			if c.state == "" {
				if n := count(t, app, `SELECT count(*) FROM deliveries`); n != 0 {
					t.Errorf("%d deliveries of what is over", n)
				}
				return
			}
			if d := delivery(t, app, ID(n.To, "k")); d.GetString("state") != c.state {
				t.Errorf("delivery is %s", d.GetString("state"))
			}
			if c.life > 0 && (len(f.woken) != 1 || f.woken[0].Life != c.life) || c.life == 0 && len(f.woken) != 0 {
				t.Errorf("woke %+v", f.woken)
			}
		})
	}
}

// TestTooManyDeathsInPiecesReviveThePhones: a wrong project, met by one delivery a
// phone, is seen over the minute, and those already called gone are taken back.
func TestTooManyDeathsInPiecesReviveThePhones(t *testing.T) {
	app := newApp(t)
	names := many("n%dx", 60)
	villagers(t, app, names...)
	k := &clock{now: day}
	f := &fake{answer: func(Delivery) error { return &Dead{"UNREGISTERED"} }}
	o := newOutbox(app, k, f)
	for i, n := range names {
		phone(t, app, n, n)
		tell(t, app, "person:"+id(n), "k", commune.Emergency, k.Now())
		if i%3 == 2 {
			pass(t, o)
			k.add(time.Second)
		}
	}
	if n := count(t, app, `SELECT count(*) FROM phones WHERE address_state = 'gone'`); n != 0 {
		t.Errorf("%d phones lost to a wrong project", n)
	}
	if s, err := o.Status(); err != nil || !s.Channels[0].Alarm {
		t.Errorf("status %+v %v", s, err)
	}
}

// TestSuspectsAreTriedAgain and never lost, whatever was said of them.
func TestSuspectsAreTriedAgain(t *testing.T) {
	app := lanWith(t, "lan1")
	wrong := true
	f := &fake{answer: func(Delivery) error {
		if wrong {
			return &Suspect{"SENDER_ID_MISMATCH"}
		}
		return nil
	}}
	o := newOutbox(app, &clock{now: day}, f)
	for i, want := range []string{"suspect", "ok"} {
		tell(t, app, "person:"+id("lan"), fmt.Sprint(i), commune.Emergency, day)
		pass(t, o)
		if r, err := app.FindRecordById("phones", id("lan1")); err != nil || r.GetString("address_state") != want || f.take()["lan1"] != 1 {
			t.Errorf("phone is %q, want %q", r.GetString("address_state"), want)
		}
		wrong = false
	}
}

// TestLateDeathSparesTheSameAddress: the phone registered the same address again
// while the answer about it was on its way.
func TestLateDeathSparesTheSameAddress(t *testing.T) {
	app := lanWith(t, "lan1")
	f := &fake{answer: func(d Delivery) error {
		if _, err := app.NonconcurrentDB().NewQuery(`UPDATE phones SET registered_at = registered_at + 1`).Execute(); err != nil {
			t.Error(err)
		}
		return &Dead{"UNREGISTERED"}
	}}
	tell(t, app, "commune", "k", commune.Emergency, day)
	pass(t, newOutbox(app, &clock{now: day}, f))
	if r, err := app.FindRecordById("phones", id("lan1")); err != nil || r.GetString("address_state") != "ok" {
		t.Error("a fresh registration was retired")
	}
}

// TestEnoughIsEnough: a phone shows ten things an hour; the rest come silently.
// An emergency is always shown.
func TestEnoughIsEnough(t *testing.T) {
	app, k, f, o := lansPhone(t)
	for i := range 14 {
		class := commune.Needed
		if i == 13 {
			class = commune.Emergency
		}
		tell(t, app, "person:"+id("lan"), fmt.Sprint(i), class, k.Now())
		k.add(time.Minute)
		pass(t, o)
	}
	shown := 0
	for _, d := range f.woken {
		if d.Urgent != (d.Tag != "") {
			t.Errorf("urgent %v with tag %q", d.Urgent, d.Tag)
		}
		if d.Urgent {
			shown++
		}
	}
	if shown != mostAlerts+1 || !f.woken[len(f.woken)-1].Urgent {
		t.Errorf("%d of %d shown, want %d", shown, len(f.woken), mostAlerts+1)
	}
}

// TestRoadThatAsksForALongRest in the middle of a page: those that were not
// tried have no row of their own, the delivery goes on where it stopped.
func TestRoadThatAsksForALongRest(t *testing.T) {
	const n = 80
	app := lanWith(t, many("p%03dx", n)...)
	k := &clock{now: day}
	var mu sync.Mutex
	sent := 0
	f := &fake{answer: func(Delivery) error {
		mu.Lock()
		defer mu.Unlock()
		if sent++; sent == 10 {
			return &Later{After: 10 * time.Minute, Why: "429"}
		}
		return nil
	}}
	o := newOutbox(app, k, f)
	o.atOnce = 1 // one after the other
	tell(t, app, "commune", "k", commune.Emergency, day)
	pass(t, o)
	if got := f.take(); len(got) != 10 {
		t.Fatalf("%d went, then the road was to rest", len(got))
	}
	if rows := count(t, app, `SELECT count(*) FROM deliveries WHERE circle LIKE 'phone:%'`); rows != 1 {
		t.Errorf("%d phones have a row of their own, want 1", rows)
	}
	k.add(9 * time.Minute)
	pass(t, o)
	if got := f.take(); len(got) != 0 {
		t.Errorf("woke %v in the rest", got)
	}
	k.add(2 * time.Minute)
	pass(t, o)
	if got := f.take(); len(got) != n-9 {
		t.Errorf("then %d went, want %d", len(got), n-9)
	}
}

// TestStoppedDeliveryStops: an officer's stop holds from the next page on.
func TestStoppedDeliveryStops(t *testing.T) {
	app := newApp(t)
	villagers(t, app, "lan")
	err := app.RunInTransaction(func(tx core.App) error {
		for i := range 2 * minWindow {
			phone(t, tx, fmt.Sprintf("p%03dx", i), "lan")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	f := &fake{}
	f.answer = func(Delivery) error {
		once.Do(func() {
			if _, err := app.NonconcurrentDB().NewQuery(`UPDATE deliveries SET state = 'stopped' WHERE state = 'waiting'`).Execute(); err != nil {
				t.Error(err)
			}
		})
		return nil
	}
	tell(t, app, "commune", "k", commune.Needed, day)
	k := &clock{now: day.Add(time.Minute)}
	o := newOutbox(app, k, f)
	pass(t, o)
	k.add(time.Hour)
	pass(t, o)
	if got := f.take(); len(got) != minWindow {
		t.Errorf("woke %d after the stop, want the page that was under way", len(got))
	}
}

func TestSpread(t *testing.T) {
	for n, want := range map[int]time.Duration{0: 0, 1: time.Second, 200: time.Second, 201: 2 * time.Second, 2400: 12 * time.Second, 1_000_000: 30 * time.Minute} {
		if got := spread(n); got != want {
			t.Errorf("%d phones over %v, want %v", n, got, want)
		}
	}
}

// TestWhoNeedsNoSilentWakeUp: a phone that listens, one that has the notice, one
// that nobody used for long. An emergency passes over the second alone.
func TestWhoNeedsNoSilentWakeUp(t *testing.T) {
	app := newApp(t)
	villagers(t, app, "lan")
	for _, n := range []string{"plain", "live", "has", "old", "new"} {
		phone(t, app, n, "lan")
	}
	change(t, app, "phones", "has", map[string]any{"cursor": 9, "cursor_epoch": "e1", "seen": "2026-11-24T01:00:00Z"})
	change(t, app, "phones", "plain", map[string]any{"cursor": 9, "cursor_epoch": "e0", "seen": "2026-11-24T01:00:00Z"})
	change(t, app, "phones", "old", map[string]any{"seen": "2026-10-01T01:00:00Z"})
	f := &fake{}
	k := &clock{now: day}
	o := newOutbox(app, k, f)
	o.Live = func(phone string) bool { return phone == id("live") }
	o.Heard = func(core.App, string) (int64, string, error) { return 9, "e1", nil }
	for class, want := range map[commune.Class][]string{commune.Information: {"plain", "new"}, commune.Emergency: {"plain", "live", "old", "new"}} {
		tell(t, app, "person:"+id("lan"), fmt.Sprint(class), class, k.Now())
		k.add(time.Minute)
		pass(t, o)
		if err := same(f.take(), want...); err != nil {
			t.Errorf("class %d: %v", class, err)
		}
	}
}

func TestDeadAddressesAreForgotten(t *testing.T) {
	app := newApp(t)
	villagers(t, app, "lan")
	for name, at := range map[string]time.Duration{"old": keepGone + time.Hour, "new": time.Hour} {
		phone(t, app, name, "lan")
		change(t, app, "phones", name, map[string]any{"address_state": "gone", "gone_at": day.Add(-at).Unix()})
	}
	o := newOutbox(app, &clock{now: day}, &fake{})
	o.setup()
	if err := o.sweep(); err != nil {
		t.Fatal(err)
	}
	if n := count(t, app, `SELECT count(*) FROM phones WHERE address != ''`); n != 1 {
		t.Errorf("%d addresses are kept, want the one of today", n)
	}
}

// lanes is a road of two services, told apart by the end of the address.
type lanes struct{ fake }

func (*lanes) Lane(address string) string { return address[len(address)-1:] }

// TestLanesRestAlone: what one service asks for holds up none of the others.
func TestLanesRestAlone(t *testing.T) {
	app := newApp(t)
	villagers(t, app, "lan")
	for _, n := range []string{"a1", "b1", "a2", "b2"} {
		phone(t, app, n, "lan")
		change(t, app, "phones", n, map[string]any{"address": n[1:] + n[:1]})
	}
	k := &clock{now: day}
	f := &lanes{}
	tries := map[string]int{}
	var mu sync.Mutex
	f.answer = func(d Delivery) error {
		mu.Lock()
		defer mu.Unlock()
		tries[d.Address]++
		switch {
		case d.Address == "1a":
			return &Later{After: time.Hour, Why: "429"}
		case d.Address == "1b" && tries["1b"] == 1:
			return &Later{Why: "500"}
		}
		return nil
	}
	o := &Outbox{App: app, Senders: []Sender{f}, Now: k.Now, Rand: func(n time.Duration) time.Duration { return n - 1 }}
	tell(t, app, "commune", "k", commune.Emergency, day)
	for range 12 {
		pass(t, o)
		k.add(10 * time.Second)
	}
	mu.Lock()
	defer mu.Unlock()
	if tries["1a"] != 1 || tries["1b"] != 2 || tries["2b"] != 1 {
		t.Errorf("in two minutes tried %v", tries)
	}
	if s, err := o.Status(); err != nil || !strings.Contains(s.Channels[0].Why, "a: 429") {
		t.Errorf("status %+v %v", s, err)
	}
}

// TestHeldPhonesDoNotComeTogether: a thousand who chose the same hour are woken
// over ten minutes.
func TestHeldPhonesDoNotComeTogether(t *testing.T) {
	perMinute := map[time.Duration]int{}
	for i := range 1000 {
		perMinute[within(fmt.Sprintf("p%014d", i), holdSpread)/time.Minute]++
	}
	for minute, n := range perMinute {
		if n > 150 {
			t.Errorf("%d in minute %d", n, minute)
		}
	}
	if len(perMinute) != 10 {
		t.Errorf("over %d minutes", len(perMinute))
	}
}
