package regressions_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"langso/sync/wire"
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
