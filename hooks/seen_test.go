package hooks_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"testing"

	"langso/phone"
)

// heard is a road that remembers the last ask.
type heard struct {
	road http.RoundTripper
	last []byte
}

func (h *heard) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		h.last, r.Body = body, io.NopCloser(bytes.NewReader(body))
	}
	return h.road.RoundTrip(r)
}

// TestTheAppIsToldOnce: an app says its name when it is new or another, and the
// administrator keeps seeing it when it says no more.
func TestTheAppIsToldOnce(t *testing.T) {
	s := newHandset(t).s
	dir := filepath.Join(t.TempDir(), "phone")
	if err := s.PhoneAt(t, dir, "tu0000000000000", nil).Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		app   string
		tells bool
	}{{"app/1", true}, {"app/1", false}, {"app/2", true}, {"app/2", false}} {
		road := &heard{road: s.Network()}
		p, err := phone.Open(dir, "http://commune.test", phone.WithTransport(road), phone.WithClock(s.Clock.Now), phone.WithApp(c.app))
		if err != nil {
			t.Fatal(err)
		}
		if r, err := p.Sync(context.Background()); err != nil || !r.Complete {
			t.Fatal(r, err)
		}
		if got := bytes.Contains(road.last, []byte(c.app)); got != c.tells {
			t.Errorf("%s: told %v, want %v", c.app, got, c.tells)
		}
		if err := s.NotePhones(); err != nil {
			t.Fatal(err)
		}
		var seen string
		if err := s.App.DB().NewQuery(`SELECT app FROM phones WHERE person = 'tu0000000000000'`).Row(&seen); err != nil || seen != c.app {
			t.Errorf("the administrator sees %q, want %q (%v)", seen, c.app, err)
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
