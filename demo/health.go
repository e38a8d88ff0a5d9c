package demo

import (
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strconv"
	"time"

	"langso/commune"
)

// schedule is the national table of vaccinations as the demo's children were
// given them: age in months, or in years from seven on. The living table is
// dated data of the health domain; this one only makes plausible books.
var schedule = []struct {
	code   string
	dose   int
	months int
	plus   int // days later
}{
	{"HBV0", 1, 0, 0}, {"BCG", 1, 0, 3},
	{"PENTA", 1, 2, 0}, {"BOPV", 1, 2, 0}, {"ROTA", 1, 2, 0},
	{"PENTA", 2, 3, 0}, {"BOPV", 2, 3, 0}, {"ROTA", 2, 3, 0},
	{"PENTA", 3, 4, 4}, {"BOPV", 3, 4, 4}, {"IPV", 1, 5, 4},
	{"MV", 1, 9, 0}, {"IPV", 2, 9, 0}, {"JE", 1, 12, 0}, {"JE", 2, 12, 10},
	{"MR", 1, 18, 0}, {"DPT", 4, 18, 0}, {"JE", 3, 24, 12}, {"TD", 5, 84, 0},
}

// mostDoses of a family stand in the books; older ones are still on paper.
const mostDoses = 44

type entry struct {
	member       int
	kind, code   string
	data         map[string]any
	text, source string
	author       string
	at           time.Time
}

// entries makes a family's health book: the children's vaccinations, then
// measurements and visits, in order of time.
func (w *world) entries(f *family) []entry {
	d := w.dice(diceHealth, f.n)
	out := w.doses(f, d)
	for len(out) < entriesOfFamily {
		out = append(out, w.contact(f, d))
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].at.Before(out[j].at) })
	return out
}

func (w *world) doses(f *family, d dice) []entry {
	var out []entry
	// The youngest first: they are the last members but for the grandparents.
	for i := len(f.members) - 1; i >= 0; i-- {
		m := &f.members[i]
		if m.age(w.Today) >= 18 {
			continue
		}
		late := d.between(0, 12)
		for _, s := range schedule {
			at := m.born.AddDate(0, s.months, s.plus)
			if s.months > 0 {
				at = at.AddDate(0, 0, d.between(0, 9)+late)
			}
			if late == 12 && d.in100(40) || !at.Before(w.Today) || len(out) == mostDoses {
				continue
			}
			lot := fmt.Sprintf("%c%c%02d%03d", 'A'+d.IntN(26), 'A'+d.IntN(26), at.Year()%100, d.between(1, 999))
			e := entry{member: i, kind: "vaccination", code: s.code, at: at, source: "measured", author: w.stationStaff(villages[f.village].station, d.IntN(2))}
			e.data = map[string]any{"dose": s.dose, "lot": lot}
			if at.Before(w.Today.AddDate(-3, 0, 0)) {
				e.source = "paper"
			}
			e.text = d.say(d.one(afterDose), w.words(f, d, e))
			out = append(out, e)
		}
	}
	return out
}

// contact makes one measurement or visit of somebody of the family.
func (w *world) contact(f *family, d dice) entry {
	weights := make([]int, len(f.members))
	for i := range f.members {
		m := &f.members[i]
		switch age := m.age(w.Today); {
		case m.status == "dead":
		case age < 6:
			weights[i] = 6
		case age >= 60:
			weights[i] = 12
		case age < 18:
			weights[i] = 2
		default:
			weights[i] = 4
		}
	}
	e := entry{member: d.weighted(weights...)}
	m := &f.members[e.member]
	// Most is of the last months; a book begins three years ago or at birth.
	span := min(1095, int(w.Today.Sub(m.born).Hours()/24)-1)
	back := d.Float64()
	e.at = w.Today.AddDate(0, 0, -1-int(back*back*float64(max(0, span-1))))
	e.author = w.stationStaff(villages[f.village].station, d.IntN(2))
	age, months := m.age(e.at), m.months(e.at)
	if d.in100(55) {
		measure(&e, m, d, age, months)
		if e.source == "told" {
			e.author = f.person(f.speaker(w.Today, e.member))
		}
		if d.in100(35) {
			e.text = d.say(d.one(atMeasuring), w.words(f, d, e))
		}
		return e
	}
	visit(&e, m, d, age, w.words(f, d, e))
	return e
}

func measure(e *entry, m *member, d dice, age, months int) {
	e.kind = "measurement"
	e.source = []string{"measured", "told", "paper"}[d.weighted(60, 30, 10)]
	boy := m.sex == male
	switch {
	case age < 6:
		e.code = []string{"weight", "height", "temperature"}[d.weighted(5, 4, 2)]
	case age < 18:
		e.code = []string{"weight", "height", "temperature"}[d.weighted(4, 4, 2)]
	case age < 40:
		e.code = []string{"bp", "weight", "glucose", "temperature"}[d.weighted(5, 3, 1, 1)]
	default:
		e.code = []string{"bp", "weight", "glucose"}[d.weighted(7, 2, 2)]
	}
	switch e.code {
	case "weight":
		e.data = figure(tenth(usualWeight(age, months, boy) * (0.9 + 0.2*d.Float64())))
	case "height":
		e.data = figure(tenth(usualHeight(age, months, boy) * (0.96 + 0.08*d.Float64())))
	case "temperature":
		e.data = figure(tenth(36.3 + d.Float64()*d.Float64()*3))
	case "glucose":
		e.data = figure(tenth(4.4 + d.Float64()*2 + high(m, 11, 15)*d.Float64()*6))
	case "bp":
		systolic := 104 + d.between(0, 22) + min(age, 70)/5 + int(high(m, 7, 45)*float64(d.between(14, 34)))
		e.data = map[string]any{"systolic": systolic, "diastolic": systolic*6/10 + d.between(-4, 6), "pulse": d.between(62, 92)}
	}
}

// high tells, as 1 or 0, whether somebody suffers from a disease of age: always
// the same for the same person.
func high(m *member, salt, percent int) float64 {
	if m.name == "Giáp Văn Tư" && salt == 7 {
		return 1
	}
	h := salt
	for _, b := range []byte(m.name) {
		h = h*31 + int(b)
	}
	if h = (h + m.born.YearDay()) % 100; h < 0 {
		h = -h
	}
	if h < percent && m.born.Year() < 1972 {
		return 1
	}
	return 0
}

func figure(v float64) map[string]any { return map[string]any{"value": v} }

func tenth(v float64) float64 { return math.Round(v*10) / 10 }

// usualWeight is near the middle of children, and of grown people, in kg.
func usualWeight(age, months int, boy bool) float64 {
	more := 0.0
	if boy {
		more = 1
	}
	switch {
	case months < 12:
		return 3.3 + 6.2*math.Pow(float64(months)/12, 0.6) + more*0.3
	case age < 6:
		return 9.5 + float64(months-12)*0.17 + more*0.4
	case age < 18:
		return 19 + float64(age-6)*(2.7+more*0.4)
	}
	return 50 + more*9
}

// usualHeight is the same in cm.
func usualHeight(age, months int, boy bool) float64 {
	more := 0.0
	if boy {
		more = 1
	}
	switch {
	case months < 12:
		return 50 + 25*math.Pow(float64(months)/12, 0.7)
	case age < 6:
		return 75 + float64(months-12)*0.62
	case age < 18:
		return math.Min(113+float64(age-6)*(5.2+more*0.6), 155+more*11)
	}
	return 154 + more*10
}

func visit(e *entry, m *member, d dice, age int, word func(string) string) {
	e.kind, e.source = "visit", "measured"
	list := visitsOfGrown
	switch {
	case age < 6:
		list = visitsOfSmall
	case age < 18:
		list = visitsOfSchool
	case age >= 60 || high(m, 7, 45) > 0:
		list = visitsOfOld
	case m.sex == female && age < 40 && d.in100(25):
		list = visitsOfMothers
	}
	v := list[d.IntN(len(list))]
	e.code = v.reason
	e.text = d.say(v.found, word) + " " + d.say(d.one(v.advice), word) + " " + d.say(d.one(comeAgain), word)
}

// words gives what a text of the health book may name.
func (w *world) words(f *family, d dice, e entry) func(string) string {
	return func(what string) string {
		m := &f.members[e.member]
		switch what {
		case "tên":
			return m.last()
		case "nhà":
			return f.members[d.IntN(min(2, len(f.members)))].last()
		case "thôn":
			return villages[f.village].name
		case "ngày":
			return dayMonth(e.at.AddDate(0, 0, d.between(3, 90)))
		case "số":
			return strconv.Itoa(d.between(100, 999))
		}
		return what
	}
}

func (w *world) putEntries(row put) {
	w.families(func(f *family) bool {
		for i, e := range w.entries(f) {
			var data any
			if e.data != nil {
				raw, _ := json.Marshal(e.data) // plain figures always marshal
				data = json.RawMessage(raw)
			}
			if !row(cell("external", fmt.Sprintf("%s-S%02d", f.external(), i+1)), cell("person", f.person(e.member)), cell("kind", e.kind),
				cell("code", e.code), cell("data", data), cell("text", e.text), cell("occurred_on", commune.Day(e.at)),
				cell("source", e.source), cell("author", e.author), cell("op", "add")) {
				return false
			}
		}
		return true
	})
}
