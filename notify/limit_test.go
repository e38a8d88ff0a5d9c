package notify

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"langso/commune"
)

// services is a road to two services, "a…" and "b…", of which each may be used so
// often.
type services struct{ perMinute int }

func (services) Name() string                         { return "webpush" }
func (services) Send(context.Context, Delivery) error { return nil }
func (services) Lane(address string) string           { return address[:1] }
func (s services) PerMinute() int                     { return s.perMinute }

// TestLimitOfAService: what one service may be given a minute holds it back, and
// not its neighbour.
func TestLimitOfAService(t *testing.T) {
	for who, c := range map[string]struct {
		perMinute, sent int
		least, most     time.Duration
	}{
		"ten a second, fifty at once":  {600, 50, 3900 * time.Millisecond, 4200 * time.Millisecond},
		"one second's worth goes":      {600, 10, 0, 0},
		"no limit":                     {0, 500, 0, 0},
		"one a second, ten: some wait": {60, 10, patience - time.Second, patience + time.Second},
	} {
		t.Run(who, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c0 := newChannel(services{c.perMinute})
				start := time.Now()
				errs := make(chan error)
				for range c.sent {
					go func() { errs <- c0.send(t.Context(), Delivery{Address: "a"}, time.Now) }()
				}
				rested := 0
				for range c.sent {
					var rests *resting
					if err := <-errs; errors.As(err, &rests) {
						rested++
					} else if err != nil {
						t.Error(err)
					}
				}
				if took := time.Since(start); took < c.least || took > c.most {
					t.Errorf("took %v", took)
				}
				if some := strings.HasSuffix(who, "some wait"); (rested > 0) != some {
					t.Errorf("%d were told to come later", rested)
				}
				start = time.Now()
				if err := c0.send(t.Context(), Delivery{Address: "b"}, time.Now); err != nil || time.Since(start) > 0 {
					t.Errorf("the other service waited %v: %v", time.Since(start), err)
				}
			})
		})
	}
}

// TestFirstPage: a notice that does not press begins with a small page, an emergency
// with a full one, unless the road was in trouble just now.
func TestFirstPage(t *testing.T) {
	for who, c := range map[string]struct {
		class    commune.Class
		troubled bool
		pages    int
	}{
		"information":              {commune.Information, false, 3}, // 100, 200, 100
		"an emergency":             {commune.Emergency, false, 1},
		"an emergency, in trouble": {commune.Emergency, true, 3},
	} {
		t.Run(who, func(t *testing.T) {
			app := newApp(t)
			villagers(t, app, "lan")
			if _, err := app.NonconcurrentDB().NewQuery(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) INSERT INTO phones
				(id, person, label, public_key, transport, address, address_state) SELECT printf('p%014d', i), {:lan}, 'Máy', 'ed25519:' || i, 'fcm', 'address-' || i, 'ok' FROM n`).
				Bind(params{"lan": id("lan")}).Execute(); err != nil {
				t.Fatal(err)
			}
			k, f := &clock{now: day}, &fake{}
			o := newOutbox(app, k, f)
			o.setup()
			o.troubled.Store(c.troubled)
			tell(t, app, "commune", "k", c.class, k.Now())
			k.add(time.Hour)
			pass(t, o)
			if pages, _ := o.Cost(); pages != c.pages || len(f.woken) != 400 {
				t.Errorf("%d pages for %d phones, want %d", pages, len(f.woken), c.pages)
			}
		})
	}
}
