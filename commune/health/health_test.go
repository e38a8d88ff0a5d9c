package health_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"langso/commune"
	"langso/commune/communetest"
	"langso/commune/health"
)

// book is a commune in which Lan, born 1984-05-21, has a health book.
func book(t *testing.T) *communetest.Commune {
	c := communetest.New(t, health.Domain)
	c.Put("stations", "tram", map[string]any{"name": "Trạm Phúc Hòa"})
	c.Put("villages", "phuc", map[string]any{"name": "Thôn Phúc", "station": communetest.ID("tram")})
	c.Put("households", "ho", map[string]any{"name": "Nguyễn Thị Lan", "village": communetest.ID("phuc")})
	for _, id := range []string{"lan", "nam", "hoa"} {
		c.Put("persons", id, map[string]any{"name": id, "born": "1984-05-21", "household": communetest.ID("ho"),
			"village": communetest.ID("phuc"), "station": communetest.ID("tram")})
	}
	return c
}

var (
	lan   = communetest.As("lan")
	nurse = communetest.As("hoa", commune.Named("station", communetest.ID("tram")))
)

// reading is a measurement of Lan's; over overrides its fields.
func reading(code string, data any, over map[string]any) map[string]any {
	f := map[string]any{"person": communetest.ID("lan"), "kind": "measurement", "code": code, "data": data}
	maps.Copy(f, over)
	return f
}

func bp(systolic, diastolic float64) map[string]any {
	return map[string]any{"systolic": systolic, "diastolic": diastolic}
}

func value(v any) map[string]any { return map[string]any{"value": v} }

func TestEntries(t *testing.T) {
	c := book(t)
	shot := func(data any, over map[string]any) map[string]any {
		return reading("PENTA", data, merge(over, map[string]any{"kind": "vaccination"}))
	}
	for i, k := range []struct {
		name   string
		who    commune.Author
		fields map[string]any
		want   string
	}{
		{"Lan at home", lan, reading("bp", bp(135, 85), nil), ""},
		{"Lan, with the pulse", lan, reading("bp", merge(bp(135, 85), map[string]any{"pulse": 72.0}), nil), ""},
		{"at the least", lan, reading("bp", bp(41, 40), nil), ""},
		{"at the most", lan, reading("bp", bp(300, 40), nil), ""},
		{"above", lan, reading("bp", bp(301, 80), nil), "not_possible"},
		{"below", lan, reading("bp", bp(120, 39), nil), "not_possible"},
		{"half of it", lan, reading("bp", map[string]any{"systolic": 120}, nil), "not_possible"},
		{"in words", lan, reading("bp", map[string]any{"systolic": "cao", "diastolic": 80}, nil), "not_possible"},
		{"upside down", lan, reading("bp", bp(80, 120), nil), "bp_upside_down"},
		{"the same twice", lan, reading("bp", bp(120, 120), nil), "bp_upside_down"},
		{"a pulse of none", lan, reading("bp", merge(bp(135, 85), map[string]any{"pulse": 0.0}), nil), "not_possible"},
		{"a newborn's weight", nurse, reading("weight", value(0.3), nil), ""},
		{"no weight", nurse, reading("weight", value(0.2), nil), "not_possible"},
		{"an elephant", nurse, reading("weight", value(351), nil), "not_possible"},
		{"a height in metres", lan, reading("height", value(1.62), nil), "not_possible"},
		{"a height", lan, reading("height", value(162), nil), ""},
		{"a fever", lan, reading("temperature", value(39.5), nil), ""},
		{"a fever in Fahrenheit", lan, reading("temperature", value(103), nil), "not_possible"},
		{"glucose", lan, reading("glucose", value(6.1), nil), ""},
		{"glucose in mg/dL", lan, reading("glucose", value(110), nil), "not_possible"},
		{"a newer phone's code", lan, reading("spo2", value(98), nil), "parked unknown_code"},
		{"no figures", lan, reading("bp", nil, nil), "not_possible"},
		{"a list for figures", lan, reading("bp", []any{120, 80}, nil), "bad_data"},
		{"figures within figures", lan, reading("bp", map[string]any{"systolic": map[string]any{"is": 120}}, nil), "bad_data"},
		{"a novel for a figure", lan, reading("visit", map[string]any{"x": strings.Repeat("x", 401)}, map[string]any{"kind": "visit"}), "bad_data"},
		{"no kind", lan, reading("bp", bp(135, 85), map[string]any{"kind": ""}), "kind_missing"},
		{"no code", lan, reading(" ", bp(135, 85), nil), "kind_missing"},
		{"a visit in words", nurse, reading("ho", nil, map[string]any{"kind": "visit", "text": "Ho ba ngày, phổi trong."}), ""},
		{"a dose", nurse, shot(map[string]any{"dose": 1, "lot": "A12"}, nil), ""},
		{"a dose on paper, by Lan", lan, shot(map[string]any{"dose": 2}, map[string]any{"source": "paper"}), ""},
		{"no dose", nurse, shot(map[string]any{"lot": "A12"}, nil), "bad_dose"},
		{"dose 11", nurse, shot(map[string]any{"dose": 11}, nil), "bad_dose"},
		{"dose 1.5", nurse, shot(map[string]any{"dose": 1.5}, nil), "bad_dose"},
		{"Lan says it was measured", lan, reading("bp", bp(135, 85), map[string]any{"source": "measured"}), "staff_only"},
		{"the nurse says so", nurse, reading("bp", bp(135, 85), map[string]any{"source": "measured"}), ""},
		{"a nurse of elsewhere says so", communetest.As("hoa", "station:elsewhere"), reading("bp", bp(135, 85), map[string]any{"source": "measured"}), "staff_only"},
		{"no such day", lan, reading("bp", bp(135, 85), map[string]any{"occurred_on": "2026-02-30"}), "bad_date"},
		{"a day in words", lan, reading("bp", bp(135, 85), map[string]any{"occurred_on": "hôm qua"}), "bad_date"},
		{"tomorrow, by a clock a little fast", lan, reading("bp", bp(135, 85), map[string]any{"occurred_on": "2026-11-25"}), ""},
		{"the day after tomorrow", lan, reading("bp", bp(135, 85), map[string]any{"occurred_on": "2026-11-26"}), "parked future_date"},
		{"on the day of birth", lan, reading("bp", bp(135, 85), map[string]any{"occurred_on": "1984-05-21"}), ""},
		{"before birth", lan, reading("bp", bp(135, 85), map[string]any{"occurred_on": "1984-05-20"}), "parked before_birth"},
		{"adds what amends", lan, reading("bp", bp(135, 85), map[string]any{"amends": []string{communetest.ID("a")}}), "bad_amends"},
	} {
		communetest.Judged(t, k.name, c.Write(k.who, "health_entries", string(rune('a'+i%26))+string(rune('a'+i/26)), k.fields), k.want)
	}
}

func merge(a, b map[string]any) map[string]any {
	out := maps.Clone(b)
	maps.Copy(out, a)
	return out
}

func TestFillKnowsWhoWroteWhat(t *testing.T) {
	c := book(t)
	communetest.Judged(t, "Lan lies about the author", c.Write(lan, "health_entries", "e", reading("bp", bp(135, 85),
		map[string]any{"author": communetest.ID("hoa"), "root": communetest.ID("x")})), "")
	e := c.Get("health_entries", "e")
	for field, want := range map[string]string{"author": communetest.ID("lan"), "root": communetest.ID("e"), "op": "add", "source": "told",
		"occurred_on": "2026-11-24", "village": communetest.ID("phuc"), "station": communetest.ID("tram")} {
		if got := e.GetString(field); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
	communetest.Judged(t, "the nurse", c.Write(nurse, "health_entries", "n", reading("bp", bp(135, 85), nil)), "")
	if got := c.Get("health_entries", "n").GetString("source"); got != "measured" {
		t.Errorf("the nurse's reading is %q", got)
	}
	paper := c.Put("health_entries", "p", reading("bp", bp(135, 85), map[string]any{"author": communetest.ID("nam"), "source": "paper"}))
	if got := paper.GetString("author"); got != communetest.ID("nam") {
		t.Errorf("an imported entry's author became %q", got)
	}
}

func TestEntryIsWrittenOnce(t *testing.T) {
	c := book(t)
	c.Put("health_entries", "e", reading("bp", bp(135, 85), map[string]any{"text": "sáng"}))
	for _, k := range []struct {
		name   string
		who    commune.Author
		fields map[string]any
		want   string
	}{
		{"Lan softens a figure", lan, map[string]any{"data": bp(125, 80)}, "append_only"},
		{"the dashboard too", commune.Author{Admin: "root"}, map[string]any{"text": "chiều"}, "append_only"},
		{"into another's book", commune.Author{}, map[string]any{"person": communetest.ID("nam")}, "append_only"},
		{"saved again as it is", commune.Author{Admin: "root"}, map[string]any{"data": `{ "diastolic": 85, "systolic": 135.0 }`, "text": "sáng"}, ""},
	} {
		communetest.Judged(t, k.name, c.Write(k.who, "health_entries", "e", k.fields), k.want)
	}
	communetest.Refused(t, "Lan deletes it", c.Delete(lan, "health_entries", "e"), "append_only")
	communetest.Judged(t, "the dashboard deletes it", c.Delete(commune.Author{Admin: "root"}, "health_entries", "e"), "")
}

func TestAmendments(t *testing.T) {
	c := book(t)
	c.Put("health_entries", "e", reading("bp", bp(153, 85), nil))
	c.Put("health_entries", "f", reading("bp", bp(120, 80), nil))
	c.Put("health_entries", "other", reading("bp", bp(120, 80), map[string]any{"person": communetest.ID("nam")}))
	amend := func(op string, ids []any, over map[string]any) map[string]any {
		return reading("bp", bp(135, 85), merge(over, map[string]any{"op": op, "amends": ids, "reason": "ghi nhầm số"}))
	}
	e, f := communetest.ID("e"), communetest.ID("f")
	for i, k := range []struct {
		name   string
		fields map[string]any
		want   string
	}{
		{"the first nurse amends", amend("amend", []any{e}, nil), ""},
		{"the second, apart: both stay", amend("amend", []any{e}, nil), ""},
		{"voids it", amend("void", []any{e}, map[string]any{"data": nil}), ""},
		{"closes both opinions", amend("amend", []any{communetest.ID("aa"), communetest.ID("ab")}, nil), ""},
		{"without a reason", amend("amend", []any{e}, map[string]any{"reason": " "}), "reason_missing"},
		{"amends nothing", amend("amend", nil, nil), "amends_missing"},
		{"amends a riddle", amend("amend", []any{"?"}, nil), "bad_amends"},
		{"amends a number", amend("amend", []any{7}, nil), "bad_amends"},
		{"the same twice", amend("amend", []any{e, e}, nil), "bad_amends"},
		{"what has not come", amend("amend", []any{communetest.ID("zz")}, nil), "parked amends_unknown"},
		{"another person's", amend("amend", []any{communetest.ID("other")}, nil), "parked amends_unknown"},
		{"two roots at once", amend("amend", []any{e, f}, nil), "mixed_roots"},
	} {
		communetest.Judged(t, k.name, c.Write(nurse, "health_entries", "a"+string(rune('a'+i)), k.fields), k.want)
	}
	for _, id := range []string{"aa", "ab", "ac", "ad"} {
		if root := c.Get("health_entries", id).GetString("root"); root != e {
			t.Errorf("root of %s is %s, want %s", id, root, e)
		}
	}
	if n := len(c.Notices); n != 4 || c.Notices[0].To != commune.Named("person", communetest.ID("lan")) {
		t.Errorf("%d notices of amendments, first %+v", n, c.Notices[0])
	}
}

func TestDangerIsTold(t *testing.T) {
	for _, k := range []struct {
		name   string
		who    commune.Author
		fields map[string]any
		want   int
	}{
		{"not yet", lan, reading("bp", bp(179, 109), nil), 0},
		{"the upper number", lan, reading("bp", bp(180, 80), nil), 2},
		{"the lower number", nurse, reading("bp", bp(150, 110), nil), 2},
		{"after days without a network", lan, reading("bp", bp(190, 100), map[string]any{"occurred_on": "2026-11-20"}), 2},
		{"an old paper", lan, reading("bp", bp(190, 100), map[string]any{"occurred_on": "2019-11-20"}), 0},
		{"a weight", lan, reading("weight", value(180), nil), 0},
	} {
		c := book(t)
		communetest.Judged(t, k.name, c.Write(k.who, "health_entries", "e", k.fields), "")
		if len(c.Notices) != k.want {
			t.Errorf("%s: %d notices, want %d", k.name, len(c.Notices), k.want)
		}
		for _, n := range c.Notices {
			if strings.ContainsAny(n.Title, "0123456789") || !n.Urgent || n.Key == "" {
				t.Errorf("%s: notice %+v", k.name, n)
			}
		}
	}
}

// The heads are a function of the set: order and repetition do not matter,
// and nothing that nobody amends is ever hidden.
func FuzzHeads(f *testing.F) {
	f.Add(uint64(1), uint8(5))
	f.Add(uint64(7), uint8(40))
	f.Fuzz(func(t *testing.T, seed uint64, n uint8) {
		r := rand.New(rand.NewPCG(seed, 0))
		var entries []health.Entry
		for i := range int(n) {
			e := health.Entry{ID: communetest.ID(string(rune('a'+i%26)) + string(rune('a'+i/26)))}
			for range r.IntN(3) {
				if i > 0 {
					e.Amends = append(e.Amends, entries[r.IntN(i)].ID)
				}
			}
			entries = append(entries, e)
		}
		heads := health.Heads(entries)
		again := slices.Concat(entries, entries[:len(entries)/2])
		r.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		if got := health.Heads(again); !slices.Equal(got, heads) {
			t.Fatalf("heads %v, shuffled and repeated %v", heads, got)
		}
		if len(entries) > 0 && !slices.Contains(heads, entries[len(entries)-1].ID) {
			t.Errorf("the last entry, which nobody amends, is no head: %v", heads)
		}
		for _, e := range entries {
			amended := slices.ContainsFunc(entries, func(o health.Entry) bool { return slices.Contains(o.Amends, e.ID) })
			if amended == slices.Contains(heads, e.ID) {
				t.Errorf("%s amended %v, head %v", e.ID, amended, !amended)
			}
		}
	})
}

func TestHeads(t *testing.T) {
	e := health.Entry{ID: "e"}
	a, b := health.Entry{ID: "a", Amends: []string{"e"}}, health.Entry{ID: "b", Amends: []string{"e"}}
	for _, k := range []struct {
		name string
		of   []health.Entry
		want []string
	}{
		{"nothing", nil, nil},
		{"one", []health.Entry{e}, []string{"e"}},
		{"amended", []health.Entry{e, a}, []string{"a"}},
		{"two opinions", []health.Entry{e, a, b}, []string{"a", "b"}},
		{"closed", []health.Entry{e, a, b, {ID: "c", Amends: []string{"a", "b"}}}, []string{"c"}},
		{"whose parent has not come", []health.Entry{a}, []string{"a"}},
		{"amends itself", []health.Entry{{ID: "x", Amends: []string{"x"}}}, []string{"x"}},
	} {
		if got := health.Heads(k.of); !slices.Equal(got, k.want) {
			t.Errorf("%s: heads %v, want %v", k.name, got, k.want)
		}
	}
}

// TestNobodysWordsStandBesideIt: what officers and sellers write is not compressed
// together with a health book.
func TestNobodysWordsStandBesideIt(t *testing.T) {
	for _, c := range health.Domain.Collections {
		if c.Rank != commune.Confidential {
			t.Errorf("%s goes down with rank %d", c.Name, c.Rank)
		}
	}
}
