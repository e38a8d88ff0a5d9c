package hooks_test

import (
	"strings"
	"testing"

	"langso/phone"
	"langso/villagetest"
)

func TestMetricsAndCounts(t *testing.T) {
	if w := villagetest.New(t, domains).Do("GET", "/metrics", "", nil); w.Code == 200 && strings.Contains(w.Body.String(), "langso_") {
		t.Errorf("without a token figures are shown: %d", w.Code)
	}
	t.Setenv("LANGSO_METRICS_TOKEN", "s3cret")
	s := villagetest.New(t, domains)
	s.Put(t, "villages", "village00000001", phone.Values{"name": "Thôn Thượng"})
	s.Put(t, "households", "household000001", phone.Values{"name": "Nhà Lan", "village": "village00000001"})
	s.Put(t, "persons", "lan000000000000", phone.Values{"name": "Lan", "household": "household000001", "status": "active"})
	p := s.Phone(t, "lan000000000000", nil)
	for range 2 {
		if _, err := p.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Settle(); err != nil {
		t.Fatal(err)
	}
	if w := s.Do("GET", "/metrics", "", nil); w.Code != 401 {
		t.Errorf("a stranger: %d", w.Code)
	}
	w := s.Do("GET", "/metrics", "", map[string]string{"Authorization": "Bearer s3cret"})
	for _, want := range []string{"langso_phones 1\n", `langso_exchanges_total{outcome="complete"}`, "langso_hint_connections 0\n", "langso_outbox_waiting 0\n"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%d: no %q in\n%s", w.Code, want, w.Body)
		}
	}
	if err := s.Prune(); err != nil { // it writes down what was seen
		t.Fatal(err)
	}
	id, _, err := p.Self()
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.App.FindRecordById("phones", id)
	if err != nil {
		t.Fatal(err)
	}
	if r.GetString("day") != "2026-11-24" || r.GetInt("up") < 50 || r.GetInt("down") < 50 || r.GetInt("cursor") == 0 {
		t.Errorf("of the phone is counted %v", r.PublicExport())
	}
}
