package command_test

import (
	"bufio"
	"context"
	"io"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"langso/commune"
	"langso/commune/people"
	"langso/hooks"
	"langso/phone"
	"langso/phone/command"
	"langso/signin"
	"langso/villagetest"
)

// TestWatchHears: a change is on the phone at once, though its clock would meet the
// server only in an hour.
func TestWatchHears(t *testing.T) {
	s := villagetest.New(t, []commune.Domain{people.Domain}, func(o *hooks.Options) { o.SignIn = &signin.Service{Now: o.Now} })
	live := httptest.NewServer(s.Handler())
	t.Cleanup(live.Close)
	t.Cleanup(s.Hints.Close) // streams first: the listener waits for its handlers
	s.Put(t, "villages", "village00000001", map[string]any{"name": "Thôn"})
	s.Put(t, "households", "household000001", map[string]any{"name": "Hộ", "village": "village00000001"})
	s.Put(t, "persons", "lan000000000000", map[string]any{"name": "Lan", "household": "household000001", "status": "active"})
	dir := filepath.Join(t.TempDir(), "phone")
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	run := func(args ...string) error {
		c := command.Command(phone.WithClock(s.Clock.Now))
		c.SetOut(in)
		c.SetErr(in)
		c.SetArgs(append(args, "--dir", dir, "--server", live.URL))
		return c.ExecuteContext(ctx)
	}
	go func() {
		if err := run("sign-in", "--invitation", s.Invitation(t, "lan000000000000")); err != nil {
			ended <- err
			return
		}
		ended <- run("watch", "--every", "1h")
	}()
	lines := make(chan string, 100)
	go func() {
		for each := bufio.NewScanner(out); each.Scan(); {
			lines <- each.Text()
		}
	}()
	until := func(word string) {
		t.Helper()
		for {
			select {
			case l := <-lines:
				if strings.Contains(l, word) {
					return
				}
			case err := <-ended:
				t.Fatalf("watch ended before it said %q: %v", word, err)
			case <-time.After(time.Minute):
				t.Fatalf("watch did not say %q", word)
			}
		}
	}
	until("nhận 3 mục")
	if _, err := s.App.NonconcurrentDB().NewQuery(`UPDATE households SET name = 'Nhà Lan'`).Execute(); err != nil {
		t.Fatal(err)
	}
	if err := s.Absorb(); err != nil {
		t.Fatal(err)
	}
	until("nhận 1 mục")
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
