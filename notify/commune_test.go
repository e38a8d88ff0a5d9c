package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/apptest"
	"langso/commune"
)

// newApp returns a fresh commune without people.
func newApp(t testing.TB) core.App { return apptest.New(t) }

// id makes a readable id of 15 characters.
func id(name string) string { return (name + "000000000000000")[:15] }

func add(t testing.TB, app core.App, collection, name string, fields map[string]any) {
	t.Helper()
	apptest.Put(t, app, collection, id(name), fields)
}

// villagers makes a village "dong" with a household "ho1" and in it the persons.
func villagers(t testing.TB, app core.App, names ...string) {
	t.Helper()
	add(t, app, "villages", "dong", map[string]any{"name": "Thôn Đông"})
	add(t, app, "households", "ho1", map[string]any{"name": "Lan", "village": id("dong")})
	for _, n := range names {
		add(t, app, "persons", n, map[string]any{"name": n, "household": id("ho1"), "village": id("dong")})
	}
}

// phone gives a person a phone that can be woken at "address-<name>".
func phone(t testing.TB, app core.App, name, person string) {
	t.Helper()
	add(t, app, "phones", name, map[string]any{
		"person": id(person), "label": name, "public_key": "ed25519:" + name,
		"transport": "fcm", "address": "address-" + name, "address_state": "ok",
	})
}

// lanWith is a commune in which Lan alone lives, who has these phones.
func lanWith(t testing.TB, phones ...string) core.App {
	t.Helper()
	app := newApp(t)
	villagers(t, app, "lan")
	err := app.RunInTransaction(func(tx core.App) error {
		for _, p := range phones {
			phone(t, tx, p, "lan")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return app
}

// many are n names.
func many(format string, n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf(format, i))
	}
	return names
}

// lansPhone is Lan with one phone, in the morning, and an outbox to wake it.
func lansPhone(t testing.TB) (core.App, *clock, *fake, *Outbox) {
	t.Helper()
	app, k, f := lanWith(t, "lan1"), &clock{now: day}, &fake{}
	return app, k, f, newOutbox(app, k, f)
}

// day is a moment in the morning, when nobody is disturbed.
var day = time.Date(2026, 11, 24, 9, 0, 0, 0, commune.Zone)

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// fake is a road that writes down whom it woke, and answers as told.
type fake struct {
	answer func(d Delivery) error // nil: all is well
	offWhy string

	mu    sync.Mutex
	woken []Delivery
}

func (f *fake) Name() string { return "fcm" }
func (f *fake) Off() string  { return f.offWhy }

func (f *fake) Send(ctx context.Context, d Delivery) error {
	f.mu.Lock()
	f.woken = append(f.woken, d)
	f.mu.Unlock()
	if f.answer != nil {
		return f.answer(d)
	}
	return nil
}

// take returns how often each phone was woken since the last take.
func (f *fake) take() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[string]int{}
	for _, d := range f.woken {
		out[strings.TrimRight(d.Phone, "0")]++
	}
	f.woken = nil
	return out
}

func same(got map[string]int, want ...string) error {
	left := map[string]int{}
	for name, n := range got {
		left[name] = n
	}
	for _, name := range want {
		left[name]--
	}
	for _, n := range left {
		if n != 0 {
			return fmt.Errorf("woke %v, want %v", got, want)
		}
	}
	return nil
}

// newOutbox returns an outbox on app with one fake road and no chance in it: a random
// wait is always the longest.
func newOutbox(app core.App, c *clock, f *fake) *Outbox {
	return &Outbox{App: app, Senders: []Sender{f}, Now: c.Now, Rand: func(n time.Duration) time.Duration { return n - 1 }}
}

func raise(t testing.TB, app core.App, to, key string, urgent bool, now time.Time) string {
	t.Helper()
	n := commune.Notice{To: commune.Circle(to), Key: key, Kind: "test", Title: "Tin", Urgent: urgent}
	if err := Raise(app, n, now); err != nil {
		t.Fatal(err)
	}
	return ID(n.To, key)
}

func pass(t testing.TB, o *Outbox) {
	t.Helper()
	if err := o.Pass(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// delivery returns the row with the key.
func delivery(t testing.TB, app core.App, key string) *core.Record {
	t.Helper()
	r, err := app.FindFirstRecordByData("deliveries", "key", key)
	if err != nil {
		t.Fatalf("find delivery %s: %v", key, err)
	}
	return r
}

func count(t testing.TB, app core.App, sql string) int {
	t.Helper()
	var n int
	if err := app.DB().NewQuery(sql).Row(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

var errTest = errors.New("change failed")
