package regressions_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"langso/phone"
	"langso/sync/wire"
	"langso/villagetest"
)

// handIn sends edits of a blocked phone and returns up to which number the
// server says that it took them.
func (k *keyed) handIn(t *testing.T, edits ...string) int64 {
	t.Helper()
	ask := wire.Ask{V: 1}
	for _, e := range edits {
		ask.Edits = append(ask.Edits, json.RawMessage(e))
	}
	body, err := json.Marshal(ask)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/api/sync", bytes.NewReader(body))
	r.Header.Set("Authorization", wire.Authorization(k.id, ed25519.Sign(k.key, wire.SigningBytes(r.Method, r.URL.Path, body))))
	w := httptest.NewRecorder()
	k.handler().ServeHTTP(w, r)
	var f wire.Failure
	if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil || f.Code != "phone_blocked" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return f.Acked
}

func noteEdit(n int64, note string) string {
	return fmt.Sprintf(`{"n":%d,"coll":"drafts","id":"dr4ft%010d","create":{"person":"%s","procedure":"%s","note":"%s"}}`, n, n, lan, procedure, note)
}

// Lan's phone was restored from its own backup, used numbers a second time, and
// was blocked before it met the server. It was told that its edits were handed
// in up to the old number, marked them so, and no officer ever saw them.
func TestABlockedCopyKeepsWhatTheServerHasNot(t *testing.T) {
	s := newScene(t)
	k := s.keyed(lan)
	if _, err := k.send(t.Context(), wire.Ask{Edits: []json.RawMessage{json.RawMessage(noteEdit(1, "a")), json.RawMessage(noteEdit(2, "b"))}}); err != nil {
		t.Fatal(err)
	}
	s.sql(`UPDATE phones SET blocked = 1`)
	if acked := k.handIn(t, noteEdit(2, "khác")); acked != 1 {
		t.Errorf("handed in up to %d, want 1: the server does not have that edit 2", acked)
	}
	if acked := k.handIn(t, noteEdit(3, "c")); acked != 3 {
		t.Errorf("handed in up to %d, want 3", acked)
	}
}

// Lan sold two pieces, and a third time more than there were; the answer was lost,
// and her phone was reported stolen. It was told that all it had was handed in for
// an officer to look at: it showed a sale as waiting that was done, and one that
// nobody would ever look at.
func TestABlockedPhoneHearsWhatWasJudgedBefore(t *testing.T) {
	for name, options := range map[string][]phone.Option{"binary": nil, "text": {phone.WithJSON()}} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.sells(3)
			p, road := s.speaks(options)
			done, tooMany := s.sale(p, 2), s.sale(p, 20)
			road.Fault = func() villagetest.Fault { return villagetest.Fault{Lose: true} }
			if _, err := p.Sync(t.Context()); err == nil {
				t.Fatal("the answer was to be lost")
			}
			s.sql(`UPDATE phones SET blocked = 1`)
			later := s.sale(p, 1)
			for range 2 { // told twice, as when the answer is lost
				if _, err := p.Sync(t.Context()); err == nil {
					t.Fatal("the answer was to be lost")
				}
			}
			road.Fault = nil
			var f *phone.Failure
			if _, err := p.Sync(t.Context()); !errors.As(err, &f) || f.Code != "phone_blocked" {
				t.Fatal(err)
			}
			edits, err := p.Edits()
			if err != nil {
				t.Fatal(err)
			}
			got := map[int64]string{}
			for _, e := range edits {
				got[e.N] = e.State
			}
			if want := map[int64]string{tooMany: "refused", later: "parked"}; !maps.Equal(got, want) {
				t.Errorf("the phone keeps %v, want %v; edit %d was done", got, want, done)
			}
			if stock := s.field("products", product, "stock"); stock != "1" {
				t.Errorf("stock %s, want 1", stock)
			}
		})
	}
}

// A thief wrote rubbish instead of edits: it was not parked, so it did not count,
// and each left a verdict on the server's disk, without end.
func TestABlockedPhoneFillsNoDisk(t *testing.T) {
	s := newScene(t)
	k := s.keyed(lan)
	s.sql(`UPDATE phones SET blocked = 1`)
	n, most := int64(0), int64(3000)
	for range 8 {
		var edits []string
		for range wire.MaxEdits {
			n++
			edits = append(edits, fmt.Sprintf(`{"n":%d}`, n))
		}
		if acked := k.handIn(t, edits...); acked > most {
			t.Fatalf("%d pieces of rubbish were taken", acked)
		}
	}
}

// speaks is a phone of Lan's that is complete and speaks by these options, and its road.
func (s *scene) speaks(options []phone.Option) (*phone.Phone, *villagetest.Network) {
	s.t.Helper()
	dir, road := filepath.Join(s.t.TempDir(), "phone"), s.Network()
	if err := s.PhoneAt(s.t, dir, lan, nil).Close(); err != nil {
		s.t.Fatal(err)
	}
	p, err := phone.Open(dir, "", append(options, phone.WithTransport(road), phone.WithClock(s.Clock.Now))...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = p.Close() })
	s.syncs(p)
	return p, road
}
