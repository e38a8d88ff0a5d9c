package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

func TestWhoIsWoken(t *testing.T) {
	app := newApp(t)
	villagers(t, app, "lan", "minh")
	add(t, app, "villages", "tay", map[string]any{"name": "Thôn Tây"})
	add(t, app, "households", "ho2", map[string]any{"name": "Hoa", "village": id("tay")})
	for _, n := range []string{"hoa", "be"} {
		add(t, app, "persons", n, map[string]any{"name": n, "household": id("ho2"), "village": id("tay")})
	}
	for _, p := range [][2]string{{"lan1", "lan"}, {"lan2", "lan"}, {"minh1", "minh"}, {"hoa1", "hoa"}, {"be1", "be"}} {
		phone(t, app, p[0], p[1])
	}
	duty := func(name, person, role, place, from, to string) {
		add(t, app, "duties", name, map[string]any{"person": id(person), "role": role, "place": place, "from": from, "to": to})
	}
	duty("d1", "lan", "seller", "stall1", "", "")
	duty("d2", "minh", "clerk", "stall1", "2026-11-24", "2026-11-24") // today alone
	duty("d3", "hoa", "clerk", "stall1", "", "2026-11-23")            // until yesterday
	duty("d4", "hoa", "station", "tram1", "", "")
	duty("d5", "hoa", "onestop", "", "2026-11-25", "") // from tomorrow
	duty("d6", "minh", "onestop", "", "", "")
	duty("d7", "lan", "village_health", id("dong"), "", "")
	add(t, app, "guardians", "g1", map[string]any{"person": id("be"), "guardian": id("hoa"), "kind": "parent"})
	add(t, app, "guardians", "g2", map[string]any{"person": id("be"), "guardian": id("lan"), "kind": "granted", "to": "2026-11-01"})

	for circle, want := range map[string][]string{
		"person:" + id("lan"):          {"lan1", "lan2"},
		"guardian:" + id("be"):         {"hoa1"},
		"household:" + id("ho1"):       {"lan1", "lan2", "minh1"},
		"village:" + id("tay"):         {"hoa1", "be1"},
		"stall:stall1":                 {"lan1", "lan2", "minh1"},
		"station:tram1":                {"hoa1"},
		"village-health:" + id("dong"): {"lan1", "lan2"},
		"duty:onestop":                 {"minh1"},
		"commune":                      {"lan1", "lan2", "minh1", "hoa1", "be1"},
		"person:nobody":                nil,
		"person:' OR 1 --":             nil,
	} {
		t.Run(circle, func(t *testing.T) {
			f := &fake{}
			key := raise(t, app, circle, "k", true, day)
			pass(t, newOutbox(app, &clock{now: day}, f))
			if err := same(f.take(), want...); err != nil {
				t.Error(err)
			}
			d := delivery(t, app, key)
			if d.GetString("state") != done || d.GetInt("reached") != len(want) || d.GetString("lease") != "" {
				t.Errorf("delivery %v", d.PublicExport())
			}
		})
	}
}

func TestCircleWithoutARoadIsToldToOfficers(t *testing.T) {
	app := newApp(t)
	key := raise(t, app, "moon:1", "k", true, day)
	o := newOutbox(app, &clock{now: day}, &fake{})
	pass(t, o)
	if d := delivery(t, app, key); d.GetString("state") != dead || !strings.Contains(d.GetString("last_error"), "moon") {
		t.Errorf("delivery %v", d.PublicExport())
	}
}

func TestWhoIsLeftAlone(t *testing.T) {
	app := newApp(t)
	villagers(t, app, "lan")
	for i, change := range []map[string]any{
		{"blocked": true}, {"address_state": "gone"}, {"address": ""}, {"transport": "none"}, {"transport": "webpush"},
	} {
		name := fmt.Sprint("lan", i+1)
		phone(t, app, name, "lan")
		r, err := app.FindRecordById("phones", id(name))
		if err != nil {
			t.Fatal(err)
		}
		r.Load(change)
		if err := app.Save(r); err != nil {
			t.Fatal(err)
		}
	}
	phone(t, app, "lan9", "lan")
	f := &fake{}
	raise(t, app, "commune", "k", true, day)
	pass(t, newOutbox(app, &clock{now: day}, f))
	if err := same(f.take(), "lan9"); err != nil {
		t.Error(err)
	}
}

// TestDeadAddressMarksThePhone: the phone's row stays, rests, and is woken again
// once the phone has registered.
func TestDeadAddressMarksThePhone(t *testing.T) {
	app := lanWith(t, "lan1", "lan2")
	f := &fake{answer: func(d Delivery) error {
		if d.Phone == id("lan1") {
			return &Dead{"UNREGISTERED"}
		}
		return nil
	}}
	o := newOutbox(app, &clock{now: day}, f)
	key := raise(t, app, "commune", "k1", true, day)
	pass(t, o)
	p, err := app.FindRecordById("phones", id("lan1"))
	if err != nil {
		t.Fatal("the phone was deleted")
	}
	if p.GetString("address_state") != "gone" || p.GetString("address") == "" {
		t.Errorf("phone %q at %q", p.GetString("address_state"), p.GetString("address"))
	}
	if d := delivery(t, app, key); d.GetString("state") != done || d.GetInt("reached") != 1 {
		t.Errorf("delivery %v", d.PublicExport())
	}
	f.take()
	raise(t, app, "commune", "k2", true, day)
	pass(t, o)
	if err := same(f.take(), "lan2"); err != nil {
		t.Error(err)
	}
}

func TestLateDeathSparesANewAddress(t *testing.T) {
	app := lanWith(t, "lan1")
	f := &fake{answer: func(d Delivery) error {
		p, err := app.FindRecordById("phones", d.Phone)
		if err != nil {
			return err
		}
		p.Set("address", "address-new") // registers while the answer is on its way
		if err := app.Save(p); err != nil {
			return err
		}
		return &Dead{"UNREGISTERED"}
	}}
	raise(t, app, "commune", "k", true, day)
	pass(t, newOutbox(app, &clock{now: day}, f))
	if p, err := app.FindRecordById("phones", id("lan1")); err != nil || p.GetString("address_state") != "ok" {
		t.Errorf("a fresh registration was retired (%v)", err)
	}
}

// TestMassDeathIsTheProjectsFault: a wrong project that calls every phone gone
// costs not one of them.
func TestMassDeathIsTheProjectsFault(t *testing.T) {
	app := lanWith(t, many("p%dx", 30)...)
	f := &fake{answer: func(Delivery) error { return &Dead{"SENDER_ID_MISMATCH"} }}
	o := newOutbox(app, &clock{now: day}, f)
	raise(t, app, "commune", "k", true, day)
	pass(t, o)
	s, err := o.Status()
	if err != nil {
		t.Fatal(err)
	}
	if s.Gone != 0 || s.Waiting != 1 || !s.Channels[0].Alarm || s.Channels[0].On {
		t.Errorf("status %+v", s)
	}
}

// TestWrongSettingsStopTheRoad: one wake-up learns it, nothing is lost, and one
// after a quarter of an hour finds out whether it was repaired.
func TestWrongSettingsStopTheRoad(t *testing.T) {
	app := lanWith(t, many("p%dx", 10)...)
	c := &clock{now: day}
	var wrong atomic.Bool
	wrong.Store(true)
	f := &fake{answer: func(Delivery) error {
		if wrong.Load() {
			return &Config{"404"}
		}
		return nil
	}}
	o := newOutbox(app, c, f)
	key := raise(t, app, "commune", "k", true, day)
	pass(t, o)
	if got := f.take(); len(got) != 1 {
		t.Errorf("learned it from %d wake-ups, want one", len(got))
	}
	s, err := o.Status()
	if err != nil {
		t.Fatal(err)
	}
	if ch := s.Channels[0]; ch.On || !ch.Alarm || !strings.Contains(ch.Why, "404") || s.Gone != 0 || s.Waiting != 1 {
		t.Errorf("status %+v", s)
	}
	for range 14 {
		c.add(time.Minute)
		pass(t, o)
	}
	if got := f.take(); len(got) != 0 {
		t.Errorf("a stopped road woke %v", got)
	}
	c.add(2 * time.Minute)
	pass(t, o)
	if got := f.take(); len(got) != 1 {
		t.Errorf("after the rest %d wake-ups went, want one alone", len(got))
	}
	wrong.Store(false)
	c.add(20 * time.Minute)
	pass(t, o)
	if got := f.take(); len(got) != 10 {
		t.Errorf("repaired: woke %d, want 10", len(got))
	}
	if d := delivery(t, app, key); d.GetString("state") != done || d.GetInt("reached") != 10 {
		t.Errorf("delivery %v", d.PublicExport())
	}
	if s, _ := o.Status(); !s.Channels[0].On || s.Channels[0].Alarm || s.Channels[0].Why != "" {
		t.Errorf("status after repair %+v", s)
	}
}

// TestDeadNetworkIsTriedBriefly: three wake-ups learn that nothing goes; one
// phone's own trouble does not keep the others from theirs.
func TestDeadNetworkIsTriedBriefly(t *testing.T) {
	app := lanWith(t, many("p%02dx", 50)...)
	c := &clock{now: day}
	reachable := map[string]bool{}
	f := &fake{answer: func(d Delivery) error {
		if reachable["all"] && d.Phone != id("p00x") {
			return nil
		}
		return &Later{Why: "no network"}
	}}
	o := newOutbox(app, c, f)
	raise(t, app, "commune", "k", true, day)
	for range 5 {
		pass(t, o)
		if got := f.take(); len(got) > strikes {
			t.Errorf("%d wake-ups went, want %d", len(got), strikes)
		}
		if n := count(t, app, `SELECT count(*) FROM deliveries WHERE rung = '' AND circle NOT LIKE 'village-head:%'`); n != 1 {
			t.Errorf("%d rows for one notice", n)
		}
		c.add(10 * time.Minute)
	}
	reachable["all"] = true
	c.add(time.Hour)
	pass(t, o)
	if got := f.take(); len(got) != 50 {
		t.Errorf("woke %d, want 50", len(got))
	}
	if n := count(t, app, `SELECT count(*) FROM deliveries WHERE state = 'waiting' AND circle LIKE 'phone:%'`); n != 1 {
		t.Errorf("%d phones wait on their own, want 1", n)
	}
}

func TestRetryAfterIsObeyed(t *testing.T) {
	app := lanWith(t, "lan1", "lan2")
	c := &clock{now: day}
	busy := true
	f := &fake{answer: func(Delivery) error {
		if busy {
			return &Later{After: 10 * time.Minute, Why: "429"}
		}
		return nil
	}}
	o := newOutbox(app, c, f)
	raise(t, app, "person:"+id("lan"), "k1", true, day)
	pass(t, o)
	f.take()
	busy = false
	raise(t, app, "person:"+id("lan"), "k2", true, day.Add(time.Second)) // a new one rests too
	for c.Now().Before(day.Add(10*time.Minute - time.Second)) {
		c.add(time.Second)
		pass(t, o)
		if got := f.take(); len(got) != 0 {
			t.Fatalf("woke %v %v after being asked for ten minutes", got, c.Now().Sub(day))
		}
	}
	c.add(2 * time.Minute)
	pass(t, o)
	if err := same(f.take(), "lan1", "lan2"); err != nil {
		t.Error(err)
	}
}

// TestGivesUpAfterDays: waits double up to six hours, and after the last try the
// delivery is an officer's to see.
func TestGivesUpAfterDays(t *testing.T) {
	app := lanWith(t, "lan1")
	c := &clock{now: day}
	f := &fake{answer: func(d Delivery) error { return &Later{Why: "500 for " + d.Address} }}
	o := newOutbox(app, c, f)
	key := raise(t, app, "person:"+id("lan"), "k", true, day)
	var waits []time.Duration
	for {
		pass(t, o)
		d := delivery(t, app, key)
		if d.GetString("state") == dead {
			if d.GetString("last_error") != "try later: 500 for …" {
				t.Errorf("last error %q: an address must not stand there", d.GetString("last_error"))
			}
			break
		}
		next := time.Unix(int64(d.GetInt("next_at")), 0)
		waits = append(waits, next.Sub(c.Now()))
		c.add(next.Sub(c.Now()))
		if len(waits) > 2*maxTries {
			t.Fatal("never gives up")
		}
	}
	if n := len(f.woken); n != maxTries+1 {
		t.Errorf("tried %d times, want %d", n, maxTries+1)
	}
	if len(waits) != maxTries || waits[0] > 4*time.Second || waits[5] < 30*time.Second || waits[maxTries-1] > longest+2*time.Second {
		t.Errorf("waits %v", waits)
	}
	if d := c.Now().Sub(day); d < 48*time.Hour || d > 6*24*time.Hour {
		t.Errorf("gave up after %v", d)
	}
}

// TestOneFailingPhoneLeavesARowOfItsOwn: the others are not woken again for it,
// and ten notices leave one row, not ten.
func TestOneFailingPhoneLeavesARowOfItsOwn(t *testing.T) {
	app := lanWith(t, "lan1", "lan2", "lan3")
	c := &clock{now: day}
	broken := true
	f := &fake{answer: func(d Delivery) error {
		if d.Phone == id("lan2") && broken {
			return &Later{Why: "500"}
		}
		return nil
	}}
	o := newOutbox(app, c, f)
	for i := range 10 {
		key := raise(t, app, "commune", fmt.Sprint(i), true, c.Now())
		pass(t, o)
		if d := delivery(t, app, key); d.GetString("state") != done || d.GetInt("reached") != 2 {
			t.Fatalf("delivery %v", d.PublicExport())
		}
	}
	if n := count(t, app, `SELECT count(*) FROM deliveries WHERE state = 'waiting' AND rung = ''`); n != 1 {
		t.Fatalf("%d rows wait, want 1", n)
	}
	broken = false
	f.take()
	c.add(time.Hour)
	pass(t, o)
	if err := same(f.take(), "lan2"); err != nil {
		t.Error(err)
	}
	if d := delivery(t, app, "phone:"+id("lan2")); d.GetString("state") != done || d.GetInt("reached") != 1 {
		t.Errorf("delivery %v", d.PublicExport())
	}
}

// TestRefusedWakeUpIsNotRepeated: what will never do is kept for an officer,
// and the phone stays.
func TestRefusedWakeUpIsNotRepeated(t *testing.T) {
	app := lanWith(t, "lan1")
	c := &clock{now: day}
	f := &fake{answer: func(Delivery) error { return errors.New("400 INVALID_ARGUMENT") }}
	o := newOutbox(app, c, f)
	raise(t, app, "commune", "k", false, day)
	c.add(2 * time.Minute)
	pass(t, o)
	c.add(24 * time.Hour)
	pass(t, o)
	if err := same(f.take(), "lan1"); err != nil {
		t.Error(err)
	}
	s, err := o.Status()
	if err != nil || s.Dead != 1 || s.Gone != 0 || s.Waiting != 0 {
		t.Errorf("status %+v, %v", s, err)
	}
}

// TestFortyStepsWakeAPhoneOnce: deliveries that are due together share one
// wake-up, and it is urgent if any of them is.
func TestFortyStepsWakeAPhoneOnce(t *testing.T) {
	app, c, f, o := lansPhone(t)
	for i := range 40 {
		raise(t, app, "person:"+id("lan"), fmt.Sprint(i), false, day)
	}
	pass(t, o)
	if got := f.take(); len(got) != 0 {
		t.Errorf("woke %v before the debounce was over", got)
	}
	c.add(31 * time.Second)
	pass(t, o)
	if err := same(f.take(), "lan1"); err != nil {
		t.Error(err)
	}
	if n := count(t, app, `SELECT count(*) FROM deliveries WHERE state = 'done'`); n != 40 {
		t.Errorf("%d done, want 40", n)
	}
	raise(t, app, "person:"+id("lan"), "later", false, c.Now())
	c.add(31 * time.Second)
	pass(t, o)
	if err := same(f.take(), "lan1"); err != nil {
		t.Errorf("a notice of later: %v", err)
	}
}

func TestQuietNightHoldsAllButUrgent(t *testing.T) {
	app := newApp(t)
	villagers(t, app, "lan", "minh")
	phone(t, app, "lan1", "lan")
	phone(t, app, "minh1", "minh")
	night := time.Date(2026, 11, 24, 22, 0, 0, 0, day.Location())
	c := &clock{now: night}
	f := &fake{}
	o := newOutbox(app, c, f)
	raise(t, app, "person:"+id("lan"), "k", false, night)
	raise(t, app, "person:"+id("minh"), "k", true, night)
	// Due at 20:59 but the worker was down: the night holds it as well.
	late := raise(t, app, "person:"+id("lan"), "late", false, night.Add(-61*time.Minute))
	pass(t, o)
	if err := same(f.take(), "minh1"); err != nil {
		t.Error(err)
	}
	if d := delivery(t, app, late); d.GetInt("attempt") != 0 || d.GetString("state") != waiting {
		t.Errorf("delivery %v", d.PublicExport())
	}
	for c.Now().Before(night.Add(8*time.Hour - time.Minute)) {
		c.add(time.Minute)
		pass(t, o)
	}
	if got := f.take(); len(got) != 0 {
		t.Errorf("woke %v at night", got)
	}
	c.add(time.Minute + morningSpread)
	pass(t, o)
	if err := same(f.take(), "lan1"); err != nil {
		t.Error(err)
	}
}

// TestTwoWorkersSendOnce lets two outboxes race over many deliveries of persons.
func TestTwoWorkersSendOnce(t *testing.T) {
	app := newApp(t)
	names := many("n%dx", 60)
	villagers(t, app, names...)
	for _, n := range names {
		phone(t, app, n, n)
		raise(t, app, "person:"+id(n), "k", true, day)
	}
	f := &fake{}
	c := &clock{now: day}
	errs := make(chan error)
	for range 2 {
		o := newOutbox(app, c, f)
		go func() { errs <- o.Pass(context.Background()) }()
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	if err := same(f.take(), names...); err != nil {
		t.Error(err)
	}
}

// TestKilledWorkerRepeatsOnePageAtMost kills a worker in the middle of the
// third page, as kill -9 does: nothing more is written, no lease given back.
func TestKilledWorkerRepeatsOnePageAtMost(t *testing.T) {
	// Pages of 100, 200, 400 and the rest: it dies in the third.
	const n, third, dies = 750, 400, 471
	app := lanWith(t, many("p%03dx", n)...)
	key := tell(t, app, "commune", "k", commune.Needed, day)
	c := &clock{now: day.Add(time.Minute)}
	var sent atomic.Int64
	died := make(chan struct{})
	killed := &fake{answer: func(Delivery) error {
		switch n := sent.Add(1); {
		case n == dies:
			close(died)
			fallthrough
		case n > dies:
			select {} // the process is no more
		}
		return nil
	}}
	go newOutbox(app, c, killed).Pass(t.Context()) // its beat ends with the test
	<-died
	next := &fake{}
	o := newOutbox(app, c, next)
	pass(t, o)
	if got := next.take(); len(got) != 0 {
		t.Fatalf("the lease was not respected: woke %d", len(got))
	}
	c.add(leaseTime + time.Second)
	pass(t, o)
	again := next.take()
	all := killed.take()
	doubled := 0
	for p := range again {
		if all[p] > 0 {
			doubled++
		}
		all[p]++
	}
	if len(all) != n {
		t.Errorf("woke %d phones, want %d", len(all), n)
	}
	if doubled > third {
		t.Errorf("%d phones woken twice, more than a page", doubled)
	}
	if d := delivery(t, app, key); d.GetString("state") != done {
		t.Errorf("delivery %v", d.PublicExport())
	}
}

// TestSleepingWorkerIsFenced: a worker that was paused beyond its lease finds
// its page written by another and changes nothing.
func TestSleepingWorkerIsFenced(t *testing.T) {
	app := lanWith(t, "lan1")
	key := raise(t, app, "commune", "k", true, day)
	c := &clock{now: day}
	slept := &fake{answer: func(Delivery) error {
		c.add(2 * leaseTime)
		pass(t, newOutbox(app, c, &fake{})) // meanwhile another takes over
		return &Later{Why: "500"}
	}}
	pass(t, newOutbox(app, c, slept))
	if d := delivery(t, app, key); d.GetString("state") != done || d.GetInt("attempt") != 0 || d.GetInt("reached") != 1 {
		t.Errorf("the sleeper wrote over it: %v", d.PublicExport())
	}
}

func TestEndedWorkerGivesItsLeasesBack(t *testing.T) {
	app := lanWith(t, "lan1")
	key := raise(t, app, "commune", "k", true, day)
	c := &clock{now: day}
	ctx, cancel := context.WithCancel(context.Background())
	f := &fake{answer: func(Delivery) error { cancel(); return ctx.Err() }}
	if err := newOutbox(app, c, f).Pass(ctx); err != nil {
		t.Fatal(err)
	}
	if d := delivery(t, app, key); d.GetInt("lease_until") != 0 || d.GetInt("attempt") != 0 || d.GetString("state") != waiting {
		t.Errorf("delivery %v", d.PublicExport())
	}
	next := &fake{}
	pass(t, newOutbox(app, c, next))
	if err := same(next.take(), "lan1"); err != nil {
		t.Error(err)
	}
}

func TestRoadThatIsOffSaysSoAndKeepsNothingWaiting(t *testing.T) {
	app := lanWith(t, "lan1")
	f := &fake{offWhy: "no credentials"}
	o := newOutbox(app, &clock{now: day}, f)
	raise(t, app, "commune", "k", true, day)
	pass(t, o)
	s, err := o.Status()
	if err != nil {
		t.Fatal(err)
	}
	if len(f.take()) != 0 || s.Waiting != 0 || s.Channels[0].On || s.Channels[0].Why != "no credentials" || s.Channels[0].Alarm {
		t.Errorf("status %+v", s)
	}
}

func TestStatusTellsTheOldest(t *testing.T) {
	app := newApp(t)
	c := &clock{now: day}
	o := newOutbox(app, c, &fake{})
	raise(t, app, "commune", "k1", true, day)
	raise(t, app, "commune", "k2", true, day.Add(time.Hour))
	c.add(5 * time.Minute)
	s, err := o.Status()
	if err != nil || s.Waiting != 2 || s.Oldest != 5*time.Minute {
		t.Errorf("status %+v, %v", s, err)
	}
}

func TestSweepKeepsWhatIsNotDone(t *testing.T) {
	app := newApp(t)
	done := raise(t, app, "commune", "k1", true, day)
	lost := raise(t, app, "moon:1", "k2", true, day)
	o := newOutbox(app, &clock{now: day}, &fake{})
	pass(t, o)
	open := raise(t, app, "commune", "k3", true, day)
	if err := sweep(app, day.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := app.FindFirstRecordByData("deliveries", "key", done); err == nil {
		t.Error("a done delivery stays for ever")
	}
	delivery(t, app, lost)
	delivery(t, app, open)
}

// TestRunWakesAtOnceAndAfterAnOutage plays in fake time: an urgent notice goes
// the moment it is written, and a road that is out for an hour loses nothing.
func TestRunWakesAtOnceAndAfterAnOutage(t *testing.T) {
	app := lanWith(t, "lan1")
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		f := &fake{answer: func(Delivery) error {
			if since := time.Since(start); since > time.Minute && since < time.Hour {
				return &Later{Why: "no network"}
			}
			return nil
		}}
		o := &Outbox{App: app, Senders: []Sender{f}, Rand: func(n time.Duration) time.Duration { return n / 2 }}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() { o.Run(ctx); close(ended) }()
		synctest.Wait()

		raise(t, app, "person:"+id("lan"), "k1", true, time.Now())
		synctest.Wait()
		if err := same(f.take(), "lan1"); err != nil || time.Since(start) > 0 {
			t.Errorf("an urgent notice: %v after %v", err, time.Since(start))
		}
		time.Sleep(2 * time.Minute)
		key := raise(t, app, "person:"+id("lan"), "k2", true, time.Now())
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		if d := delivery(t, app, key); d.GetString("state") != done || d.GetInt("reached") != 1 {
			t.Errorf("delivery %v", d.PublicExport())
		}
		if tries := f.take()["lan1"]; tries < 5 || tries > maxTries {
			t.Errorf("tried %d times", tries)
		}
		cancel()
		<-ended
	})
}

// TestRunEndsBeforeTheDatabaseCloses: an app that terminates waits for its outbox.
func TestRunEndsBeforeTheDatabaseCloses(t *testing.T) {
	app := lanWith(t, "lan1")
	key := raise(t, app, "commune", "k", true, day)
	under := make(chan struct{})
	o := newOutbox(app, &clock{now: day}, nil)
	o.Senders = []Sender{sendFunc(func(ctx context.Context) error { close(under); <-ctx.Done(); return ctx.Err() })}
	go o.Run(context.Background())
	<-under
	err := app.OnTerminate().Trigger(&core.TerminateEvent{App: app}, func(*core.TerminateEvent) error {
		if d := delivery(t, app, key); d.GetInt("lease_until") != 0 || d.GetString("state") != waiting {
			t.Errorf("the lease was not given back in time: %v", d.PublicExport())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// sendFunc is a road that is a function.
type sendFunc func(ctx context.Context) error

func (sendFunc) Name() string                                 { return "fcm" }
func (f sendFunc) Send(ctx context.Context, _ Delivery) error { return f(ctx) }

// BenchmarkCommune sends one notice to 2,000 phones by a road that takes no time:
// what the outbox itself costs.
func BenchmarkCommune(b *testing.B) {
	const n = 2000
	app := lanWith(b, many("p%05dx", n)...)
	o := newOutbox(app, &clock{now: day}, nil)
	o.Senders = []Sender{sendFunc(func(context.Context) error { return nil })}
	b.ResetTimer()
	for i := range b.N {
		raise(b, app, "commune", fmt.Sprint(i), true, day)
		pass(b, o)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/phone")
}

// BenchmarkRaise is what a notice costs the transaction that causes it.
func BenchmarkRaise(b *testing.B) {
	app := newApp(b)
	b.ResetTimer()
	for i := range b.N {
		raise(b, app, "commune", fmt.Sprint(i), true, day)
	}
}
