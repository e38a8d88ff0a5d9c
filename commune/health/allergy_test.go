package health_test

import (
	"maps"
	"os"
	"strings"
	"testing"

	"langso/commune"
	"langso/commune/communetest"
)

// allergy is an entry of Lan's that says what she cannot bear.
func allergy(to string, over map[string]any) map[string]any {
	return reading(to, nil, merge(over, map[string]any{"kind": "allergy"}))
}

// prescription is a visit of Lan's at which a drug was given.
func prescription(drug string, over map[string]any) map[string]any {
	return reading("ho", map[string]any{"drug": drug}, merge(over, map[string]any{"kind": "visit"}))
}

func TestWhoPrescribesIsWarned(t *testing.T) {
	doctor := communetest.As("nam", commune.Named("station", communetest.ID("tram")))
	type write struct {
		who    commune.Author
		name   string
		fields map[string]any
	}
	old := map[string]any{"occurred_on": "2026-09-01"}
	void := map[string]any{"op": "void", "amends": []string{communetest.ID("a")}, "reason": "hỏi lại, không phải"}
	for _, k := range []struct {
		name   string
		writes []write
		want   int // notices to the doctor
	}{
		{"the same drug", []write{{nurse, "a", allergy("Penicillin", nil)}, {doctor, "v", prescription("Penicillin V, ngày 3 lần", nil)}}, 1},
		{"another of its family, spelt as people do", []write{{nurse, "a", allergy("thuốc pênixilin", nil)}, {doctor, "v", prescription("AMOXICILIN 500mg", nil)}}, 1},
		{"the allergy comes after", []write{{doctor, "v", prescription("Amoxicillin 500 mg", nil)}, {nurse, "a", allergy("penicillin", nil)}}, 1},
		{"a drug that no family has", []write{{nurse, "a", allergy("Paracetamol", nil)}, {doctor, "v", prescription("paracetamol 500", nil)}}, 1},
		{"another drug", []write{{nurse, "a", allergy("Penicillin", nil)}, {doctor, "v", prescription("Paracetamol 500 mg", nil)}}, 0},
		{"food", []write{{nurse, "a", allergy("Tôm, cua, hải sản", nil)}, {doctor, "v", prescription("Thuốc ho, uống sau ăn", nil)}}, 0},
		{"nothing given", []write{{nurse, "a", allergy("Penicillin", nil)}, {doctor, "v", prescription("", nil)}}, 0},
		{"an allergy that was struck out", []write{{nurse, "a", allergy("Penicillin", nil)}, {nurse, "b", allergy("Penicillin", void)}, {doctor, "v", prescription("Penicillin", nil)}}, 0},
		{"an allergy that turned out to be none", []write{{nurse, "a", allergy("Penicillin", nil)}, {nurse, "b", allergy("", map[string]any{"kind": "no_allergy", "op": "amend", "amends": []string{communetest.ID("a")}, "reason": "xem lại"})}, {doctor, "v", prescription("Penicillin", nil)}}, 0},
		{"a visit of long ago", []write{{doctor, "v", prescription("Penicillin", old)}, {nurse, "a", allergy("Penicillin", nil)}}, 0},
		{"another person's", []write{{nurse, "a", allergy("Penicillin", map[string]any{"person": communetest.ID("nam")})}, {doctor, "v", prescription("Penicillin", nil)}}, 0},
	} {
		c := book(t)
		for _, w := range k.writes {
			communetest.Judged(t, k.name, c.Write(w.who, "health_entries", w.name, maps.Clone(w.fields)), "")
		}
		n := 0
		for _, got := range c.Notices {
			if got.Kind != "health_allergy" {
				continue
			}
			n++
			if got.To != commune.Named("person", communetest.ID("nam")) || !got.Urgent || strings.Contains(strings.ToLower(got.Title+got.Body), "icil") {
				t.Errorf("%s: notice %+v", k.name, got)
			}
		}
		if n != k.want {
			t.Errorf("%s: %d warnings, want %d", k.name, n, k.want)
		}
	}
}

// TestAWarningHidesNoCorrection: a visit that is corrected to a drug which the
// person cannot bear warns, and the person hears of the correction as well.
func TestAWarningHidesNoCorrection(t *testing.T) {
	doctor := communetest.As("nam", commune.Named("station", communetest.ID("tram")))
	corrected := map[string]any{"op": "amend", "amends": []string{communetest.ID("v")}, "reason": "ghi nhầm thuốc"}
	c := book(t)
	for _, w := range []struct {
		who    commune.Author
		name   string
		fields map[string]any
	}{{nurse, "a", allergy("Penicillin", nil)}, {doctor, "v", prescription("Paracetamol 500 mg", nil)}, {doctor, "w", prescription("Penicillin V", corrected)}} {
		communetest.Judged(t, w.name, c.Write(w.who, "health_entries", w.name, w.fields), "")
	}
	heard := map[string]int{}
	for _, n := range c.Notices {
		heard[n.Kind]++
	}
	if heard["health_allergy"] != 1 || heard["health_amended"] != 1 {
		t.Errorf("heard of %v, want the warning and the correction", heard)
	}
}

// The phone warns by the same table, without a network.
func TestThePhoneHasTheSameFamilies(t *testing.T) {
	server, err := os.ReadFile("allergy.go")
	if err != nil {
		t.Fatal(err)
	}
	phone, err := os.ReadFile("../../pb_public/domains/later/entry.js")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(server), "var families")
	table, _, _ = strings.Cut(table, "\n}\n")
	for i, name := range strings.Split(table, `"`) {
		if i%2 == 1 && !strings.Contains(string(phone), " "+name+" ") {
			t.Errorf("the phone does not know %s", name)
		}
	}
}

// TestAskedAndNone: who was asked and has no allergy is told from who was not asked.
// The statement is an entry like any other; an allergy that stands counts more, and who
// wrote otherwise hears of it.
func TestAskedAndNone(t *testing.T) {
	doctor := communetest.As("nam", commune.Named("station", communetest.ID("tram")))
	none := func(over map[string]any) map[string]any {
		return merge(over, map[string]any{"person": communetest.ID("lan"), "kind": "no_allergy"})
	}
	c := book(t)
	communetest.Judged(t, "a doctor asks", c.Write(doctor, "health_entries", "n", none(nil)), "")
	n := c.Get("health_entries", "n")
	for field, want := range map[string]string{"code": "716186003", "source": "told", "op": "add", "root": communetest.ID("n")} {
		if got := n.GetString(field); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
	communetest.Judged(t, "of a newer phone, who asked about food alone", c.Write(doctor, "health_entries", "f", none(map[string]any{"code": "429625007"})), "parked unknown_code")
	communetest.Judged(t, "who overwrites it", c.Write(doctor, "health_entries", "n", map[string]any{"code": "x"}), "append_only")
	communetest.Judged(t, "a drug given afterwards", c.Write(doctor, "health_entries", "v", prescription("Penicillin", nil)), "")
	if len(c.Notices) != 0 {
		t.Errorf("nobody need hear of anything yet: %+v", c.Notices)
	}

	communetest.Judged(t, "the nurse hears of a rash", c.Write(nurse, "health_entries", "a", allergy("Tôm", nil)), "")
	communetest.Judged(t, "Lan says none at home", c.Write(lan, "health_entries", "m", none(nil)), "")
	if len(c.Notices) != 1 || c.Notices[0].To != commune.Named("person", communetest.ID("lan")) || c.Notices[0].Kind != "health_allergy_doubt" ||
		strings.Contains(c.Notices[0].Title+c.Notices[0].Body, "Tôm") {
		t.Errorf("notices %+v, want one to Lan without a word of what", c.Notices)
	}
	communetest.Judged(t, "the nurse strikes the rash out", c.Write(nurse, "health_entries", "w", allergy("Tôm", map[string]any{"op": "void", "amends": []string{communetest.ID("a")}, "reason": "hỏi lại, không phải"})), "")
	c.Notices = nil
	communetest.Judged(t, "none again", c.Write(lan, "health_entries", "o", none(nil)), "")
	if len(c.Notices) != 0 {
		t.Errorf("no allergy stands any more, yet %+v", c.Notices)
	}
}
