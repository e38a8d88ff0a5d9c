package regressions_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"langso/phone"
	"langso/sync/wire"
)

// Lan sits at the counter and looks after the village's health. Whether she may
// write of a person hangs on where that person lives, which the server fills in
// itself from the household: also for a person whom an edit before, in the same
// ask and without `after`, has only just written down, or has moved away.
func TestAnEditSeesWhatFollowsFromTheOneBefore(t *testing.T) {
	const house, child = "household000009", "person000000009"
	entry := func(n int64) string {
		return fmt.Sprintf(`{"n":%d,"coll":"health_entries","id":"entry%010d","create":{"person":"%s","kind":"measurement","code":"weight","data":{"value":3},"occurred_on":"2026-11-01","source":"measured"}}`, n, n, child)
	}
	for name, asks := range map[string][]int{"in one ask": {6}, "each in its own": {1, 1, 1, 1, 1, 1}, "the person and the entry apart": {2, 4}} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.put("duties", "", phone.Values{"person": lan, "role": "onestop"})
			s.put("duties", "", phone.Values{"person": lan, "role": "village_health", "place": village})
			edits := []string{
				fmt.Sprintf(`{"n":1,"coll":"households","id":"%s","create":{"name":"Nhà mới","village":"%s"}}`, house, village),
				fmt.Sprintf(`{"n":2,"coll":"persons","id":"%s","create":{"name":"Bé","household":"%s","status":"active"}}`, child, house),
				entry(3),
				fmt.Sprintf(`{"n":4,"coll":"persons","id":"%s","change":{"household":"household000002"}}`, child),
				entry(5),
				fmt.Sprintf(`{"n":6,"coll":"health_entries","id":"entry%010d","change":{"note":"x"}}`, 3),
			}
			k := s.keyed(lan)
			var lines []wire.Line
			for _, many := range asks {
				var ask wire.Ask
				for _, e := range edits[:many] {
					ask.Edits = append(ask.Edits, json.RawMessage(e))
				}
				edits = edits[many:]
				heard, err := k.send(t.Context(), ask)
				if err != nil {
					t.Fatal(err)
				}
				lines = append(lines, heard...)
			}
			for n, want := range map[int64]wire.Is{1: wire.Taken, 2: wire.Taken, 3: wire.Taken, 4: wire.Taken, 5: wire.Refused, 6: wire.Refused} {
				if got := judged(lines, n); got != want {
					t.Errorf("edit %d is %s, want %s", n, got, want)
				}
			}
			if at := s.field("health_entries", "entry0000000003", "village"); at != "village00000002" {
				t.Errorf("the entry is in village %s: it was to move with the child", at)
			}
		})
	}
}

// A household that Lan's phone writes down is, a moment later, the one into which
// bà Bảy's phone writes a person whom Tú's phone then weighs: nobody waits for a
// background job in between.
func TestWhatFollowsIsThereForTheNextPhone(t *testing.T) {
	s := newScene(t)
	s.put("duties", "", phone.Values{"person": lan, "role": "onestop"})
	s.put("duties", "", phone.Values{"person": bay, "role": "onestop"})
	s.put("duties", "", phone.Values{"person": tu, "role": "village_health", "place": village})
	for i, step := range []struct{ person, edit string }{
		{lan, fmt.Sprintf(`{"n":1,"coll":"households","id":"household000009","create":{"name":"Nhà mới","village":"%s"}}`, village)},
		{bay, `{"n":1,"coll":"persons","id":"person000000009","create":{"name":"Bé","household":"household000009","status":"active"}}`},
		{tu, `{"n":1,"coll":"health_entries","id":"entry0000000009","create":{"person":"person000000009","kind":"measurement","code":"weight","data":{"value":3},"occurred_on":"2026-11-01","source":"measured"}}`},
	} {
		lines, err := s.keyed(step.person).send(t.Context(), wire.Ask{Edits: []json.RawMessage{json.RawMessage(step.edit)}})
		if err != nil || judged(lines, 1) != wire.Taken {
			t.Errorf("step %d is %s: %v", i+1, judged(lines, 1), err)
		}
	}
	if at := s.field("health_entries", "entry0000000009", "village"); at != village {
		t.Errorf("the entry is in village %q, want %q", at, village)
	}
}
