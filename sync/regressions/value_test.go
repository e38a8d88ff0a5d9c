package regressions_test

import (
	"testing"

	"langso/phone"
)

// An import by SQL left a byte that is no UTF-8 in the data of Lan's health entry.
// It went down as it was, her phone could not read the line and took the answer
// for cut, and that at every meeting from then on.
func TestABrokenByteStopsNobody(t *testing.T) {
	s := newScene(t)
	p := s.phone(lan)
	entry := s.put("health_entries", "", phone.Values{"person": lan, "kind": "measurement", "code": "weight",
		"data": map[string]any{"value": 50}, "occurred_on": "2026-11-01", "source": "told"})
	s.syncs(p)
	s.sql(`UPDATE health_entries SET data = CAST(X'7B226E6F7465223A22FF227D' AS TEXT)`)
	s.syncs(p)
	got, _, err := p.Show("health_entries", entry)
	if err != nil {
		t.Fatal(err)
	}
	if data, _ := got.Fields["data"].(map[string]any); data["note"] != "\uFFFD" {
		t.Errorf("the entry's data are %v", got.Fields["data"])
	}
}
