package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// An engine whose phone is not equal must not get a number.
func TestDiffer(t *testing.T) {
	whole := []Record{{"products", "p1", map[string]any{"name": "Vải", "price": 45000.0}}, {"stalls", "s1", map[string]any{"name": "Bích"}}}
	for name, c := range map[string]struct {
		got  []Record
		says string
	}{
		"the same in another order": {[]Record{whole[1], whole[0]}, ""},
		"tables fill what is absent": {[]Record{{"products", "p1", map[string]any{"name": "Vải", "price": 45000.0, "note": "", "adult": false, "stock": 0.0, "data": nil}}, whole[1]},
			""},
		"a record is missing":      {whole[:1], "stalls/s1 is missing"},
		"a record is too much":     {append([]Record{{"stalls", "s2", nil}}, whole...), "stalls/s2 is too much"},
		"a field is old":           {[]Record{{"products", "p1", map[string]any{"name": "Vải", "price": 40000.0}}, whole[1]}, "products/p1 is map"},
		"the id of another table":  {[]Record{{"orders", "p1", whole[0].Fields}, whole[1]}, "orders/p1 is too much"},
		"a field that is too much": {[]Record{{"products", "p1", map[string]any{"name": "Vải", "price": 45000.0, "secret": "x"}}, whole[1]}, "products/p1 is map"},
	} {
		if got := Differ(whole, c.got); (c.says == "") != (got == "") || !strings.Contains(got, c.says) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// The changes are one field each, scattered, and can be taken back.
func TestWorkload(t *testing.T) {
	var records []Record
	for _, coll := range []string{"products", "stalls", "orders"} {
		for i := range 40 {
			records = append(records, Record{coll, "id" + coll[:4] + string(rune('a'+i%26)) + string(rune('a'+i/26)), map[string]any{"price": float64(i), "pickup": "nhà"}})
		}
	}
	w, err := newWorkload("lan", filepath.Join(t.TempDir(), "records.jsonl"), records)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range w.Changes {
		if len(c.Fields) != 1 || seen[c.Coll+c.ID] {
			t.Errorf("change %+v", c)
		}
		seen[c.Coll+c.ID] = true
	}
	if len(w.Changes) != 20 || len(w.Edits[0]) != 20 || len(w.Edits[1]) != 20 {
		t.Errorf("%d changes, %d edits", len(w.Changes), len(w.Edits[0]))
	}
	if Differ(records, w.Changed()) == "" {
		t.Error("the changes change nothing")
	}
	if d := Differ(records, apply(w.Changed(), revert(w))); d != "" {
		t.Error("taken back: " + d)
	}
	ids := map[string]bool{}
	for _, e := range append(w.Edits[0], w.Edits[1]...) {
		if ids[e.ID] || len(e.ID) != 15 {
			t.Errorf("id %q", e.ID)
		}
		ids[e.ID] = true
	}
}

// A number belongs to a version: packages are named exactly.
func TestPackagesAreExact(t *testing.T) {
	all, err := filepath.Glob("*/package.json")
	if err != nil || len(all) == 0 {
		t.Fatal("no package.json", err)
	}
	exact := regexp.MustCompile(`^\d+\.\d+\.\d+$`)
	for _, file := range all {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var p struct{ Dependencies map[string]string }
		if err := json.Unmarshal(raw, &p); err != nil {
			t.Fatal(file, err)
		}
		for name, version := range p.Dependencies {
			if !exact.MatchString(version) {
				t.Errorf("%s: %s is %q, not one version", file, name, version)
			}
		}
	}
}

// The table says what was counted.
func TestMeasure(t *testing.T) {
	m := Measure{Count{Up: 505, Down: 1468521, Requests: 2, Messages: 7, Connections: 1}, 1500 * time.Millisecond}
	if got := m.String(); got != "1,468,521 ↓ 505 ↑ 2 + 7 frames · 1.50 s" {
		t.Error(got)
	}
	if got := (Measure{}).String(); got != "–" {
		t.Errorf("a phase that was not run: %q", got)
	}
}
