package demo

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"langso/commune"
	"langso/commune/publicservice"
)

func (w *world) putProcedures(row put) {
	for _, p := range publicservice.Seed() {
		components, _ := json.Marshal(p.Components) // plain structs always marshal
		if !row(cell("external", p.Code), cell("code", p.Code), cell("name", p.Name), cell("field", p.Field), cell("limit", p.Limit), cell("fee", p.Fee),
			cell("components", json.RawMessage(components)), cell("verified", p.Verified), cell("active", true)) {
			return
		}
	}
}

// dossier is one request of a member.
type dossier struct {
	external  string
	member    int
	procedure publicservice.Procedure
	code      string
	status    publicservice.Status
	content   map[string]string
	note, say string
	channel   string
	at        time.Time // submitted
	due       string
	steps     []step
}

// step is one event of a dossier that is under way.
type step struct {
	from, to  publicservice.Status
	say       string
	at        time.Time
	applicant bool
}

// workdays is how far back dossiers go, in days on which the counter is open.
const workdays = 700

// dossiers makes a family's dossiers. All dossiers of the commune are dealt
// over the days by a permutation: so each has a day and a number of that day,
// no two the same, in order of the hour, without anybody having counted the others.
func (w *world) dossiers(f *family, seed []publicservice.Procedure) []dossier {
	d := w.dice(diceDossier, f.n)
	adults := f.adults(w.Today)
	out := make([]dossier, dossiersOfFamily)
	for i := range out {
		all := w.Households * dossiersOfFamily
		dealt := deal(f.n*dossiersOfFamily+i, all, uint64(w.Seed))
		back, nth := 1+dealt%workdays, dealt/workdays
		day := w.open[back]
		x := &out[i]
		*x = dossier{external: fmt.Sprintf("%s-HS%02d", f.external(), i+1), member: adults[d.IntN(len(adults))],
			procedure: seed[d.IntN(len(seed))], channel: []string{"app", "counter"}[d.weighted(35, 65)],
			at: day.Add(7*time.Hour + 30*time.Minute + time.Duration(nth*9*60/(all/workdays+1))*time.Minute)}
		word := dossierWords(f, x, d)
		x.content = map[string]string{}
		for _, c := range x.procedure.Components {
			if text := formTexts[c.Key]; text != "" && (c.Required || d.in100(50)) {
				x.content[c.Key] = d.say(text, word)
			}
		}
		if d.in100(55) {
			x.note = d.say(d.one(dossierNotes), word)
		}
		w.walk(x, back, d, word)
		if x.status != publicservice.Registered && x.status != publicservice.NotAccepted {
			x.code = fmt.Sprintf("H05.PH-%s-%04d", day.Format("060102"), nth+1)
			if x.procedure.Limit != "" {
				x.due = commune.Day(w.open[back-min(back, 1+len(x.procedure.Code)%5+d.between(0, 3))])
			}
		}
	}
	return out
}

// deal gives number n of all another place, each place once.
func deal(n, all int, seed uint64) int {
	factor := int(seed%1000)*2 + 7919
	for gcd(factor, all) != 1 {
		factor++
	}
	return (n*factor + 17) % all
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// openDays are the days on which the counter was open, from today (or the last
// open day before it) backwards: no weekends, none of the holidays that have a
// fixed date. The lunar ones are left out.
func openDays(today time.Time) []time.Time {
	var out []time.Time
	for day := today; len(out) <= workdays; day = day.AddDate(0, 0, -1) {
		if weekend := day.Weekday() == time.Saturday || day.Weekday() == time.Sunday; !weekend && !holidays[day.Format("01-02")] {
			out = append(out, day)
		}
	}
	return out
}

var holidays = map[string]bool{"01-01": true, "04-30": true, "05-01": true, "09-02": true, "11-24": true}

// walk takes a dossier as far as one of its age has come.
func (w *world) walk(x *dossier, back int, d dice, word func(string) string) {
	const (
		registered  = publicservice.Registered
		accepted    = publicservice.Accepted
		notAccepted = publicservice.NotAccepted
		processing  = publicservice.Processing
		papers      = publicservice.NeedsPapers
		payment     = publicservice.NeedsPayment
		withdrawal  = publicservice.Withdrawal
		stopped     = publicservice.Stopped
		done        = publicservice.Done
		returned    = publicservice.Returned
	)
	var road []publicservice.Status
	switch {
	case back <= 2:
		road = [][]publicservice.Status{{}, {accepted}, {accepted, processing}}[d.weighted(60, 25, 15)]
	case back <= 15:
		road = [][]publicservice.Status{{accepted, processing}, {accepted, processing, papers}, {accepted, processing, payment},
			{accepted, processing, done}, {papers}, {accepted, withdrawal}, {accepted, processing, done, returned}}[d.weighted(25, 12, 8, 20, 5, 4, 26)]
	default:
		road = [][]publicservice.Status{{accepted, processing, done, returned}, {notAccepted}, {accepted, withdrawal, stopped},
			{accepted, processing, stopped}, {accepted, processing, done}}[d.weighted(86, 5, 3, 2, 4)]
	}
	x.status = registered
	at := x.at
	for _, to := range road {
		at = at.Add(time.Duration(d.between(20, 300)) * time.Minute)
		if at.After(w.Today) { // was yesterday's: it happened before closing
			at = w.Today.Add(-time.Minute)
		}
		s := step{from: x.status, to: to, at: at, applicant: to == withdrawal}
		if says := officerSays[to]; len(says) > 0 {
			s.say = d.say(d.one(says), word)
		}
		x.steps = append(x.steps, s)
		x.status, x.say = to, s.say
	}
}

func (w *world) putDossiers(row put) {
	seed := publicservice.Seed()
	w.families(func(f *family) bool {
		for _, x := range w.dossiers(f, seed) {
			content, _ := json.Marshal(x.content) // texts always marshal
			if !row(cell("external", x.external), cell("person", f.person(x.member)), cell("procedure", x.procedure.Code), cell("code", x.code),
				cell("status", int(x.status)), cell("content", json.RawMessage(content)), cell("note", x.note), cell("say", x.say),
				cell("channel", x.channel), cell("submitted_at", commune.Moment(x.at)), cell("due", x.due)) {
				return false
			}
		}
		return true
	})
}

// putEvents tells the steps of the dossiers that are still under way: an
// officer goes on with those. What is closed stays with its last word.
func (w *world) putEvents(row put) {
	seed := publicservice.Seed()
	w.families(func(f *family) bool {
		for _, x := range w.dossiers(f, seed) {
			switch x.status {
			case publicservice.NotAccepted, publicservice.Stopped, publicservice.Done, publicservice.Returned:
				continue
			}
			for i, s := range x.steps {
				actor := w.seated(mai)
				if s.applicant {
					actor = f.person(x.member)
				}
				if !row(cell("external", x.external+"/"+strconv.Itoa(i+1)), cell("dossier", x.external), cell("person", f.person(x.member)),
					cell("from", int(s.from)), cell("to", int(s.to)), cell("say", s.say), cell("actor", actor), cell("at", commune.Moment(s.at))) {
					return false
				}
			}
		}
		return true
	})
}

// dossierWords gives what a form may name. There are no 12-digit numbers: any
// could be somebody's.
func dossierWords(f *family, x *dossier, d dice) func(string) string {
	return func(what string) string {
		m := &f.members[x.member]
		switch what {
		case "tên":
			return m.name
		case "sinh":
			return m.born.Format("02/01/2006")
		case "nhà":
			return f.members[d.IntN(len(f.members))].name
		case "vợ", "mẹ":
			return d.name(d.surname(), female, 1990)
		case "chồng", "cha":
			return d.name(d.surname(), male, 1988)
		case "con":
			return d.name(d.surname(), []string{male, female}[d.IntN(2)], 2020)
		case "cụ":
			return d.name(d.surname(), []string{male, female}[d.IntN(2)], 1940)
		case "thôn":
			return villages[f.village].name
		case "ở":
			return f.address + ", " + villages[f.village].name
		case "ngày":
			return x.at.AddDate(0, 0, -d.between(1, 300)).Format("02/01/2006")
		case "xưa":
			return x.at.AddDate(-d.between(20, 60), 0, -d.between(0, 364)).Format("02/01/2006")
		case "mai":
			return x.at.AddDate(0, 0, d.between(1, 20)).Format("02/01/2006")
		case "mẫu":
			return strings.ToUpper(f.external()) + "/" + strconv.Itoa(d.between(100, 999))
		}
		return what
	}
}
