package hooks_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"langso/sync/courier"
	"langso/sync/wire"
)

// carried sends an ask of the handset by courier and returns what its owner reads.
func (h *handset) carried(id, ask string) (status int, body []byte) {
	h.t.Helper()
	var about struct{ Seal string }
	if err := json.Unmarshal(h.s.Do(http.MethodGet, "/api/langso", "", nil).Body.Bytes(), &about); err != nil {
		h.t.Fatal(err)
	}
	to, err := courier.ParseKey(about.Seal)
	if err != nil {
		h.t.Fatal(err)
	}
	s, err := courier.Seal(to, id, func(b []byte) []byte { return ed25519.Sign(h.key, b) }, []byte(ask))
	if err != nil {
		h.t.Fatal(err)
	}
	w := h.s.Do(http.MethodPost, courier.Path, string(s.Bytes()), nil)
	all, err := courier.Parse(w.Body.Bytes(), 1)
	if w.Code != http.StatusOK || err != nil || w.Header().Get("Content-Type") != courier.ContentType {
		h.t.Fatalf("%d %v", w.Code, err)
	}
	if status, body, err = courier.OpenAnswer(s.Reply, s.Box, all[0]); err != nil {
		h.t.Fatal(err)
	}
	return status, body
}

// Whatever is wrong with who asks or what is asked is said to the phone alone.
func TestCarriedRefusalsAreSealed(t *testing.T) {
	h := newHandset(t)
	stranger := s2h(t, h.s, "tu0000000000000")
	for name, c := range map[string]struct {
		by     *handset
		id     string
		ask    string
		status int
		code   string
	}{
		"a phone that nobody knows":  {h, "nobody", `{"v":1}`, 401, "unknown_phone"},
		"in another phone's name":    {stranger, h.id, `{"v":1}`, 401, "signature"},
		"an ask of a later protocol": {h, h.id, `{"v":2}`, 400, "version"},
		"an ask that is none":        {h, h.id, `hello`, 400, "bad_ask"},
		"an ask that swells":         {h, h.id, `{"v":1,"app":"` + string(bytes.Repeat([]byte("a"), 2<<20)) + `"}`, 413, "too_big"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := c.by.carried(c.id, c.ask)
			var f wire.Failure
			if err := json.Unmarshal(body, &f); err != nil || status != c.status || f.Code != c.code {
				t.Errorf("%d %s", status, body)
			}
		})
	}
}

// A bundle carried for three days is no sign of a clock that is three days wrong.
func TestCarriedTimesStay(t *testing.T) {
	h := newHandset(t)
	at := h.s.Clock.Now().Format(time.RFC3339)
	h.s.Clock.Add(3 * 24 * time.Hour)
	status, body := h.carried(h.id, `{"v":1,"clock":"`+at+`","edits":[{"n":1,"at":"`+at+`","coll":"health_entries","id":"entry0000000001","create":{"person":"lan000000000000","kind":"measurement","code":"bp","data":{"systolic":130,"diastolic":80}}}]}`)
	verdicts, _ := read(t, body)
	if status != 200 || verdicts[1].Is != wire.Taken {
		t.Fatalf("%d %s", status, body)
	}
	r, err := h.s.App.FindRecordById("health_entries", "entry0000000001")
	if err != nil || r.GetString("occurred_on") != "2026-11-24" {
		t.Errorf("measured on %s: %v", r.GetString("occurred_on"), err)
	}
}

// An answer too heavy to carry ends after a whole chunk, and says how to go on.
func TestAHeavyAnswerIsCutAtAChunk(t *testing.T) {
	h := newHandset(t)
	x := uint32(7)
	for i := range 400 {
		noise := make([]byte, 0, 600)
		for range 600 {
			x = x*1664525 + 1013904223
			noise = append(noise, "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ+-"[x>>26])
		}
		h.s.Put(t, "drafts", "", map[string]any{"person": "lan000000000000", "procedure": "procedure000001", "note": string(noise), "title": string(rune('a' + i%26))})
	}
	status, body := h.carried(h.id, `{"v":1}`)
	if status != 200 || !courier.Room(wire.Text{Body: body}, courier.MaxBundle) {
		t.Fatalf("%d, %d bytes", status, len(body))
	}
	_, lines := read(t, body)
	last := lines[len(lines)-1]
	if last.Mark == nil || *last.Mark == "" {
		t.Errorf("it ends with %+v", last)
	}
}

// The key is made once, and stays.
func TestTheSealingKeyStays(t *testing.T) {
	h := newHandset(t)
	before := h.s.Do(http.MethodGet, "/api/langso", "", nil).Body.String()
	h.s.Restart(t)
	if after := h.s.Do(http.MethodGet, "/api/langso", "", nil).Body.String(); after != before {
		t.Errorf("%s\n%s", before, after)
	}
}
