package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/apptest"
	"langso/commune"
	"langso/sync/journal"
	"langso/sync/pull"
	"langso/sync/push"
	"langso/sync/sum"
	"langso/sync/wire"
)

// square is the engine alone, over one domain of its own: announcements of
// villages, read and written by who has a duty there. Nothing else runs, so that a
// test sees what the engine does with each ask.
type square struct {
	*Engine
	t *testing.T
	// meanwhile is called while a standing is computed, and done by an action.
	meanwhile, done func()
	pressed         []time.Time // when the action's edits were made
	now             time.Time
}

const (
	lan    = "lan000000000000"
	north  = "village00000001"
	south  = "village00000002"
	teller = "phone0000000001"
)

func newSquare(t *testing.T) *square {
	t.Helper()
	app := apptest.New(t)
	s := &square{t: t, now: time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC)}
	circles := commune.Circles{commune.In("village", "village")}
	domain := commune.Domain{Name: "square", Title: "Sân đình",
		Standing: commune.Standing{From: []string{"duties"}, Of: func(app core.App, person string) ([]commune.Term, error) {
			duties, err := app.FindAllRecords("duties", dbx.HashExp{"person": person})
			if err != nil {
				return nil, err
			}
			if s.meanwhile != nil {
				s.meanwhile()
			}
			terms := []commune.Term{{Circle: commune.Commune}}
			for _, d := range duties {
				to, err := time.Parse(time.RFC3339, d.GetString("to"))
				if err != nil {
					to = time.Time{}
				}
				terms = append(terms, commune.Term{Circle: commune.Circle("village:" + d.GetString("place")), To: to})
			}
			return terms, nil
		}},
		Collections: []commune.Collection{
			{Name: "announcements", Title: "Tin", Read: circles, Write: circles, Rank: 1, Snapshot: []commune.Circle{"village:" + north}},
			{Name: "duties", Title: "Việc", Read: commune.Circles{commune.In("nobody", "place")}},
		},
		Actions: []commune.Action{{Name: "square.shout", Title: "Hô", By: "anyone", Do: func(c *commune.Call) error {
			s.pressed = append(s.pressed, c.At)
			if s.done != nil {
				s.done()
			}
			return nil
		}}},
	}
	var shared []journal.Collection
	for _, c := range domain.Collections {
		shared = append(shared, journal.Collection{Name: c.Name, Circles: func(r journal.Row) []string {
			var names []string
			for _, circle := range c.Read.Of(r) {
				names = append(names, string(circle))
			}
			return names
		}})
	}
	j := journal.New(app, shared)
	if err := j.Open(); err != nil {
		t.Fatal(err)
	}
	s.Engine = New(app, j, []commune.Domain{domain}, nil, func() time.Time { return s.now })
	for _, v := range []string{north, south} {
		s.sql(`INSERT INTO villages (id, name) VALUES ('%s', 'Thôn')`, v)
	}
	s.duty("duty00000000001", north, "")
	s.announce(1, north)
	s.announce(2, south)
	return s
}

// sql writes behind everybody's back; the journal is not told.
func (s *square) sql(format string, args ...any) {
	s.t.Helper()
	if _, err := s.app.NonconcurrentDB().NewQuery(fmt.Sprintf(format, args...)).Execute(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *square) duty(id, place, to string) {
	s.t.Helper()
	s.sql(`INSERT OR REPLACE INTO duties (id, person, place, [[to]]) VALUES ('%s', '%s', '%s', '%s')`, id, lan, place, to)
}

func (s *square) announce(n int, village string) {
	s.t.Helper()
	s.sql(`INSERT INTO announcements (id, title, village) VALUES ('announce%07d', 'Tin', '%s')`, n, village)
}

// serve does one exchange of Lan's phone.
func (s *square) serve(ask wire.Ask) []wire.Line {
	s.t.Helper()
	lines, err := s.try(s.t.Context(), ask)
	if err != nil {
		s.t.Fatal(err)
	}
	return lines
}

func (s *square) try(ctx context.Context, ask wire.Ask) ([]wire.Line, error) {
	if ask.Want == 0 {
		ask.Want = 1 << 20
	}
	return s.Serve(ctx, Phone{ID: teller, Person: lan}, &ask)
}

// complete is an ask of a phone that has just come to its end.
func (s *square) complete() wire.Ask {
	s.t.Helper()
	lines := s.serve(wire.Ask{})
	end := lines[len(lines)-1].Complete
	if end == nil {
		s.t.Fatalf("not complete: %s", words(lines))
	}
	circles, err := s.Circles(lan)
	if err != nil {
		s.t.Fatal(err)
	}
	return wire.Ask{Epoch: end.Epoch, Cursor: end.Cursor, Standing: wire.StandingHash(circles)}
}

// words is what kinds of lines an answer has.
func words(lines []wire.Line) string {
	var out []string
	for _, l := range lines {
		switch {
		case l.Epoch != nil && l.Epoch.Reset:
			out = append(out, "reset")
		case l.Epoch != nil:
			out = append(out, "compare")
		case l.Shape != "":
			out = append(out, "shape")
		case l.SendFrom > 0:
			out = append(out, fmt.Sprint("send from ", l.SendFrom, " acked ", *l.Acked))
		case l.Acked != nil:
			said := "verdicts"
			for _, v := range l.Verdicts {
				said += fmt.Sprint(" ", v.N, v.Is, v.Code)
			}
			out = append(out, fmt.Sprint(said, " acked ", *l.Acked))
		case l.Problems != nil:
			out = append(out, "problems")
		case l.Standing != nil:
			out = append(out, "standing "+strings.Join(l.Standing.Circles, " "))
		case l.Load != nil:
			out = append(out, "load")
		case l.Gone != nil:
			out = append(out, "gone")
		case l.Drop != nil:
			out = append(out, "drop")
		case l.Sums != nil:
			out = append(out, "sums")
		case l.Changes != nil:
			out = append(out, "rows "+strings.Join(l.Changes.IDs, " "))
		case l.Mark != nil:
			out = append(out, "--")
		case l.More != "":
			out = append(out, "more")
		case l.Check != "":
			out = append(out, "check "+l.Check)
		case l.RetryIn > 0:
			out = append(out, fmt.Sprint("retry in ", l.RetryIn))
		case l.Complete != nil:
			out = append(out, "complete")
		default:
			out = append(out, "nothing")
		}
	}
	return strings.Join(out, ", ")
}

func (s *square) says(what string, lines []wire.Line, want string) {
	s.t.Helper()
	if got := words(lines); got != want {
		s.t.Errorf("%s: %s\nwant: %s", what, got, want)
	}
}

// TestAnIdlePhoneDoesNotQueue: with all hands busy it is answered from one
// statement, but only if there is truly nothing to say and nothing to hear.
func TestAnIdlePhoneDoesNotQueue(t *testing.T) {
	s := newSquare(t)
	ask := s.complete()
	for range atOnce {
		s.slots <- struct{}{}
	}
	over, stop := context.WithCancel(t.Context())
	stop() // who has to wait would wait for ever
	for _, c := range []struct {
		name   string
		change func(*wire.Ask)
		idle   bool
	}{
		{"nothing to say", func(*wire.Ask) {}, true},
		{"an edit", func(a *wire.Ask) { a.Edits = []json.RawMessage{[]byte(`{"n":1}`)} }, false},
		{"an answer that was cut", func(a *wire.Ask) { a.Resume = "x" }, false},
		{"no history", func(a *wire.Ask) { a.Epoch = "" }, false},
		{"another history", func(a *wire.Ask) { a.Epoch = "other" }, false},
		{"nothing yet", func(a *wire.Ask) { a.Cursor = 0 }, false},
		{"a future that was lost", func(a *wire.Ask) { a.Cursor++ }, false},
		{"told of another standing", func(a *wire.Ask) { a.Told = a.Standing }, false},
		{"comparing", func(a *wire.Ask) { a.Compare = true }, false},
		{"a check", func(a *wire.Ask) { a.Check = &wire.Check{} }, false},
		{"another standing", func(a *wire.Ask) { a.Standing = wire.StandingHash([]string{"commune"}) }, false},
	} {
		a := ask
		c.change(&a)
		ctx := t.Context()
		if !c.idle {
			ctx = over
		}
		lines, err := s.try(ctx, a)
		if c.idle {
			s.says(c.name, lines, "complete")
			if end := lines[0].Complete; err != nil || end.Cursor != ask.Cursor || end.Epoch != ask.Epoch || end.Sum == (sum.Sum{}) {
				t.Errorf("%s: %+v, %v", c.name, end, err)
			}
		} else if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: answered %s, %v", c.name, words(lines), err)
		}
	}

	for _, c := range []struct {
		name   string
		happen func()
	}{
		{"something was written that is not absorbed yet", func() { s.announce(3, north) }},
		{"something changed in her circle", func() { s.absorb() }},
	} {
		c.happen()
		if lines, err := s.try(over, ask); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: answered %s, %v", c.name, words(lines), err)
		}
	}
	for range atOnce {
		<-s.slots
	}
	ask = s.complete()
	for range atOnce {
		s.slots <- struct{}{}
	}
	s.announce(4, south)
	s.absorb()
	lines, err := s.try(t.Context(), ask)
	if err != nil || lines[0].Complete.Cursor != ask.Cursor+1 {
		t.Errorf("something happened elsewhere: %s, %v", words(lines), err)
	}
	s.duty("duty00000000009", south, "")
	s.absorb()
	if lines, err := s.try(over, ask); !errors.Is(err, context.Canceled) {
		t.Errorf("a duty was given: answered %s, %v", words(lines), err)
	}
	s.sql(`DELETE FROM duties WHERE id = 'duty00000000009'`)
	s.absorb()
	if _, err := s.Circles(lan); err != nil { // somebody asked meanwhile
		t.Fatal(err)
	}
	for floor, idle := range map[wire.Cursor]bool{ask.Cursor: true, ask.Cursor + 1: false} {
		s.sql(`UPDATE journal_meta SET floor = %d`, floor)
		ctx := over
		if idle {
			ctx = t.Context()
		}
		if lines, err := s.try(ctx, ask); (err == nil) != idle {
			t.Errorf("what went up to %d is forgotten, she is at %d: %s, %v", floor, ask.Cursor, words(lines), err)
		}
	}
}

func (s *square) absorb() {
	s.t.Helper()
	if err := s.journal.Absorb(s.app, 0); err != nil {
		s.t.Fatal(err)
	}
}

// TestADutyThatEndsAtNoon ends at noon, for an idle phone too, without any write.
func TestADutyThatEndsAtNoon(t *testing.T) {
	s := newSquare(t)
	s.duty("duty00000000002", south, s.now.Add(time.Hour).Format(time.RFC3339))
	ask := s.complete()
	s.says("before noon", s.serve(ask), "complete")
	s.now = s.now.Add(time.Hour)
	s.says("at noon", s.serve(ask), "standing commune village:"+north+", --, complete")
}

// TestADutyGivenWhileSheIsAnswered: the standing that goes down is that of the
// state that goes down; who is given duties without end is told to come again.
func TestADutyGivenWhileSheIsAnswered(t *testing.T) {
	s := newSquare(t)
	ask := s.complete()
	s.duty("duty00000000002", south, "2027-01-01T00:00:00Z")
	left := 1
	n := 0
	s.meanwhile = func() {
		if left > 0 {
			left, n = left-1, n+1
			s.duty("duty00000000002", south, fmt.Sprintf("2027-01-01T00:00:%02dZ", n))
			s.absorb()
		}
	}
	s.says("once", s.serve(ask), "standing commune village:"+north+" village:"+south+", --, rows announce0000002, complete")
	s.duty("duty00000000003", "village00000003", "")
	left = 100
	s.says("on and on", s.serve(ask), "retry in 5")
	if want := 100 - 4; left != want {
		t.Errorf("the standing was computed %d times, want 4", 100-left)
	}
}

// TestVerdictsGoDownWhateverBefallsTheRest: the edits are committed, so their
// words are not lost with the records that cannot be read.
func TestVerdictsGoDownWhateverBefallsTheRest(t *testing.T) {
	s := newSquare(t)
	ask := s.complete()
	ctx, stop := context.WithCancel(t.Context())
	s.done = stop
	ask.Edits = []json.RawMessage{[]byte(`{"n":1,"do":"square.shout"}`)}
	lines, err := s.try(ctx, ask)
	if err != nil {
		t.Fatal(err)
	}
	s.says("cut off after the push", lines, "verdicts 1taken acked 1, retry in 20")
	if lines, err := s.try(ctx, wire.Ask{}); err == nil {
		t.Errorf("nothing to say and nobody there: %s", words(lines))
	}
}

// TestWhenSheTyped: her clock is wrong, and put right by what it says now.
func TestWhenSheTyped(t *testing.T) {
	s := newSquare(t)
	ago := s.now.Add(-time.Hour)
	for i, c := range []struct {
		name, clock, at string
		want            time.Time
	}{
		{"an hour slow", s.now.Add(-time.Hour).Format(time.RFC3339), s.now.Add(-2 * time.Hour).Format(time.RFC3339), ago},
		{"a day fast", s.now.Add(24 * time.Hour).Format(time.RFC3339), s.now.Add(23 * time.Hour).Format(time.RFC3339), ago},
		{"a clock that nobody can read", "nonsense", ago.Format(time.RFC3339), ago},
	} {
		s.pressed = nil
		s.serve(wire.Ask{Clock: c.clock, Edits: []json.RawMessage{fmt.Appendf(nil, `{"n":%d,"at":%q,"do":"square.shout"}`, i+1, c.at)}})
		if len(s.pressed) != 1 || !s.pressed[0].Equal(c.want) {
			t.Errorf("%s: pressed at %v, want %v", c.name, s.pressed, c.want)
		}
	}
}

// TestWhoseNumbers: a base of another history is no base: what stands was changed
// apart.
func TestWhoseNumbers(t *testing.T) {
	s := newSquare(t)
	ask := s.complete()
	for _, c := range []struct {
		name    string
		change  func(*wire.Ask)
		foreign bool
	}{
		{"this history", func(*wire.Ask) {}, false},
		{"nothing seen yet", func(a *wire.Ask) { a.Epoch, a.Cursor = "", 1000 }, false},
		{"another history", func(a *wire.Ask) { a.Epoch = "other" }, true},
		{"the future", func(a *wire.Ask) { a.Cursor++ }, true},
		{"comparing", func(a *wire.Ask) { a.Compare = true }, true},
	} {
		a := ask
		c.change(&a)
		if got, err := s.foreign(&a); err != nil || got != c.foreign {
			t.Errorf("%s: foreign = %v, %v", c.name, got, err)
		}
	}
}

// TestWherePhonesGoOn: who may go on, who compares and who begins anew.
func TestWherePhonesGoOn(t *testing.T) {
	s := newSquare(t)
	s.absorb()
	r := &journal.Reader{Head: journal.Head{Epoch: "is", Seq: 10}}
	held, now := []string{"a", "b"}, []string{"a", "c"}
	const at, ahead = "1.1.1.1.1.1.a.x.is", "1.1.1.1.1.1.b.x.is" // in 36 digits: 10 and 11
	loaded := map[string]wire.Cursor{"a": 3, "z": 4}
	for _, c := range []struct {
		name string
		ask  wire.Ask
		held []string
		line string
		want pull.Phone
	}{
		{"a new phone", wire.Ask{}, nil, "", pull.Phone{Loaded: map[string]int64{}}},
		{"one being filled", wire.Ask{Resume: at}, nil, "", pull.Phone{Loaded: map[string]int64{}, Resume: at}},
		{"one being filled from a future", wire.Ask{Resume: ahead}, nil, "reset", pull.Phone{}},
		{"one being filled from a future, of a standing that we know", wire.Ask{Epoch: "is", Resume: ahead}, held, "reset", pull.Phone{}},
		{"one being filled from another history", wire.Ask{Resume: "1.1.1.1.1.1.a.x.was"}, nil, "reset", pull.Phone{}},
		{"with files", wire.Ask{Epoch: "is", Loaded: loaded}, nil, "", pull.Phone{Loaded: map[string]int64{"a": 3}}},
		{"with files of now", wire.Ask{Epoch: "is", Loaded: map[string]wire.Cursor{"a": 10}}, nil, "", pull.Phone{Loaded: map[string]int64{"a": 10}}},
		{"with files of another history", wire.Ask{Epoch: "was", Loaded: loaded}, nil, "reset", pull.Phone{}},
		{"with files of the future", wire.Ask{Epoch: "is", Loaded: map[string]wire.Cursor{"a": 3, "c": 11}}, nil, "reset", pull.Phone{}},
		{"with files of nothing", wire.Ask{Epoch: "is", Loaded: map[string]wire.Cursor{"a": 0}}, nil, "reset", pull.Phone{}},
		{"one that we know", wire.Ask{Epoch: "is", Cursor: 10, Resume: "r"}, held, "", pull.Phone{Cursor: 10, Held: held, Resume: "r"}},
		{"one that compares", wire.Ask{Epoch: "is", Cursor: 9, Compare: true}, held, "", pull.Phone{Cursor: 9, Held: held, Whole: true}},
		{"one of the future", wire.Ask{Epoch: "is", Cursor: 11, Resume: "r"}, held, "compare", pull.Phone{Cursor: 11, Held: held, Whole: true}},
		{"one of another history", wire.Ask{Epoch: "was", Cursor: 5, Resume: "r"}, held, "compare", pull.Phone{Cursor: 5, Held: held, Whole: true}},
		{"one whose standing nobody remembers", wire.Ask{Epoch: "is", Cursor: 5, Resume: "r"}, nil, "reset", pull.Phone{}},
		{"one of another history whose standing nobody remembers", wire.Ask{Epoch: "was", Cursor: 5}, nil, "reset", pull.Phone{}},
	} {
		c.ask.Want = 77
		c.want.Now, c.want.Want = now, 77
		got, epoch := s.place(r, &c.ask, now, c.held)
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		line := ""
		if epoch != nil {
			line = words([]wire.Line{{Epoch: epoch}})
		}
		if line != c.line || epoch != nil && (epoch.Is != "is" || epoch.Reset == epoch.Compare) {
			t.Errorf("%s: epoch %+v, want %q", c.name, epoch, c.line)
		}
	}
}

// TestWhatAPhoneHolds as of its cursor, by the standings that it names.
func TestWhatAPhoneHolds(t *testing.T) {
	s := newSquare(t)
	for hash, circles := range map[string][]string{"one": {"a", "b", "c"}, "two": {"b", "c", "d"}, "none": {}} {
		if err := s.standings.remember(hash, circles); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // as remembered, and as read after a restart
		for _, c := range []struct {
			name string
			ask  wire.Ask
			want []string
		}{
			{"a new phone", wire.Ask{Standing: "one"}, nil},
			{"without a standing", wire.Ask{Cursor: 5}, nil},
			{"one that was complete", wire.Ask{Cursor: 5, Standing: "one"}, []string{"a", "b", "c"}},
			{"one that was told another since", wire.Ask{Cursor: 5, Standing: "one", Told: "two"}, []string{"b", "c"}},
			{"one that lost all since", wire.Ask{Cursor: 5, Standing: "one", Told: "none"}, []string{}},
			{"one that was told what nobody remembers", wire.Ask{Cursor: 5, Standing: "one", Told: "three"}, nil},
			{"one that nobody remembers", wire.Ask{Cursor: 5, Standing: "three"}, nil},
			{"one that nobody remembers, told another", wire.Ask{Cursor: 5, Standing: "three", Told: "two"}, nil},
		} {
			got, err := s.held(&c.ask)
			if err != nil || !slices.Equal(got, c.want) || (got == nil) != (c.want == nil) {
				t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
			}
		}
		s.standings.sets = map[string][]string{}
	}
}

// TestTheOrderOfLines: what an answer begins with, and what is a chunk of its own.
func TestTheOrderOfLines(t *testing.T) {
	none := ""
	mark, end := wire.Line{Mark: &none}, wire.Line{Complete: &wire.Complete{}}
	row := wire.Line{Changes: &wire.Changes{IDs: wire.IDs{"r"}}}
	standing := wire.Line{Standing: &wire.StandingLine{Circles: []string{"a"}}}
	compare := wire.Line{Epoch: &wire.EpochLine{Compare: true}}
	edits := []json.RawMessage{[]byte("1")}
	taken := []wire.Verdict{{N: 1, Is: wire.Taken}}
	for _, c := range []struct {
		name   string
		ask    wire.Ask
		pushed push.Outcome
		down   []wire.Line
		want   string
	}{
		{"nothing", wire.Ask{}, push.Outcome{Acked: 4}, []wire.Line{end}, "complete"},
		{"nobody answers", wire.Ask{}, push.Outcome{}, nil, ""},
		{"one row", wire.Ask{}, push.Outcome{Acked: 4}, []wire.Line{row, end}, "rows r, complete"},
		{"an edit and one chunk", wire.Ask{Edits: edits}, push.Outcome{Verdicts: taken, Acked: 1}, []wire.Line{row, end}, "verdicts 1taken acked 1, rows r, complete"},
		{"an edit and several", wire.Ask{Edits: edits}, push.Outcome{Verdicts: taken, Acked: 1}, []wire.Line{row, mark, row, end}, "verdicts 1taken acked 1, --, rows r, --, rows r, complete"},
		{"an edit and more to come", wire.Ask{Edits: edits}, push.Outcome{Verdicts: taken, Acked: 1}, []wire.Line{row, {More: "t"}}, "verdicts 1taken acked 1, --, rows r, more"},
		{"another standing", wire.Ask{}, push.Outcome{}, []wire.Line{standing, row, end}, "standing a, --, rows r, complete"},
		{"another history", wire.Ask{}, push.Outcome{Acked: 4}, []wire.Line{compare, standing, row, end}, "compare, verdicts acked 4, standing a, --, rows r, complete"},
		{"another history only", wire.Ask{}, push.Outcome{Acked: 4}, []wire.Line{compare, row, end}, "compare, verdicts acked 4, rows r, complete"},
		{"a gap at the beginning", wire.Ask{Edits: edits}, push.Outcome{SendFrom: 3, Acked: 2}, []wire.Line{end}, "send from 3 acked 2, complete"},
		{"a gap after an edit", wire.Ask{Edits: edits}, push.Outcome{Verdicts: taken, SendFrom: 2, Acked: 1}, []wire.Line{end}, "verdicts 1taken acked 1, send from 2 acked 1, complete"},
		{"an edit without a number", wire.Ask{Edits: edits}, push.Outcome{Problems: []wire.Problem{{}}, Acked: 1}, []wire.Line{end}, "verdicts acked 1, problems, complete"},
		{"told more than the server knows", wire.Ask{Confirmed: 5}, push.Outcome{Acked: 4}, []wire.Line{end}, "verdicts acked 4, complete"},
		{"told all that the server knows", wire.Ask{Confirmed: 4}, push.Outcome{Acked: 4}, []wire.Line{end}, "complete"},
	} {
		if got := words(assemble(&c.ask, c.pushed, c.down)); got != c.want {
			t.Errorf("%s: %s\nwant: %s", c.name, got, c.want)
		}
	}
}

// TestWhatAnAnswerHolds beside rows: files, a comparison, the hint to compare.
func TestWhatAnAnswerHolds(t *testing.T) {
	s := newSquare(t)
	ask := s.complete()
	village := "village:" + north
	all := "standing commune " + village + ", --, rows announce0000001, complete"
	s.says("a new phone", s.serve(wire.Ask{}), all)
	s.says("one that was filled before, of the same standing", s.serve(wire.Ask{Epoch: ask.Epoch, Standing: ask.Standing}), all)
	s.says("one that loads files where there are none", s.serve(wire.Ask{Snapshots: true}), all)

	s.Offer = func([]string, journal.Head) []wire.Snapshot {
		return []wire.Snapshot{{Circles: []string{"commune"}, Name: "c"}, {Circles: []string{"commune", village}, Name: "v"}}
	}
	for _, c := range []struct {
		name  string
		ask   wire.Ask
		files string
	}{
		{"a new phone that loads files", wire.Ask{Snapshots: true}, "c v"},
		{"one that has one of them", wire.Ask{Snapshots: true, Epoch: ask.Epoch, Loaded: map[string]wire.Cursor{"commune": 1}}, "v"},
		{"one that has all", wire.Ask{Snapshots: true, Epoch: ask.Epoch, Loaded: map[string]wire.Cursor{"commune": 1, village: 1}}, ""},
		{"a new phone that does not", wire.Ask{}, ""},
		{"one that is being filled", wire.Ask{Snapshots: true, Resume: "0.0.0.0.0.0.1.x." + ask.Epoch}, ""},
	} {
		var got []string
		lines := s.serve(c.ask)
		for _, l := range lines {
			for _, f := range l.Load {
				got = append(got, f.Name)
			}
		}
		if strings.Join(got, " ") != c.files || (c.files != "") != (lines[len(lines)-1].Load != nil) {
			t.Errorf("%s: offered %q in %s, want %q", c.name, got, words(lines), c.files)
		}
	}
	known := ask
	known.Snapshots = true
	s.announce(3, north)
	s.says("one that is complete", s.serve(known), "rows announce0000003, complete")
	s.Offer = func([]string, journal.Head) []wire.Snapshot { return nil }
	s.says("no file lies ready", s.serve(wire.Ask{Snapshots: true}), "standing commune "+village+", --, rows announce0000001 announce0000003, complete")

	// A comparison: what is to be dropped stands before the rows, sums after them.
	known = s.complete()
	s.announce(4, north)
	known.Check = &wire.Check{Sums: map[string]sum.Sum{village: {}}, Lists: []wire.List{{In: village, Parts: []int{0, 1, 2, 3}, Bits: 2, Has: wire.Numbers{7}}}}
	s.says("a comparison", s.serve(known), "drop, rows announce0000004, --, sums, rows announce0000001 announce0000003 announce0000004, complete")
	known.Epoch = "other"
	s.says("a comparison with another history is put off", s.serve(known), "compare, verdicts acked 0, rows announce0000004, complete")
	known.Epoch, known.Want = ask.Epoch, 1
	known.Cursor = ask.Cursor
	s.says("a comparison waits for the last part", s.serve(known), "rows announce0000003, more")

	// What went is forgotten up to a floor.
	known = s.complete()
	for _, c := range []struct {
		name  string
		floor wire.Cursor
		ask   wire.Ask
		want  string
	}{
		{"a phone of the floor", known.Cursor, known, "complete"},
		{"a phone of before", known.Cursor + 1, known, "check sums, complete"},
		{"a new phone", known.Cursor, wire.Ask{}, "standing commune " + village + ", --, rows announce0000001 announce0000003 announce0000004, complete"},
		{"a file of the floor", known.Cursor, wire.Ask{Epoch: ask.Epoch, Loaded: map[string]wire.Cursor{village: known.Cursor}}, "standing commune " + village + ", --, complete"},
		{"a file of before beside one of after", known.Cursor, wire.Ask{Epoch: ask.Epoch, Loaded: map[string]wire.Cursor{village: known.Cursor - 1, "commune": known.Cursor}}, "standing commune " + village + ", --, rows announce0000004, check sums, complete"},
	} {
		s.sql(`UPDATE journal_meta SET floor = %d`, c.floor)
		s.says(c.name, s.serve(c.ask), c.want)
	}

	// What was told before is told again while it is another.
	s.sql(`UPDATE journal_meta SET floor = 0`)
	again := known
	again.Told = wire.StandingHash([]string{"commune"})
	if err := s.standings.remember(again.Told, []string{"commune"}); err != nil {
		t.Fatal(err)
	}
	s.says("told another meanwhile", s.serve(again), "standing commune "+village+", --, rows announce0000001 announce0000003 announce0000004, complete")
	again.Told = again.Standing
	s.says("told the same", s.serve(again), "complete")
}

// TestABlockedPhoneHandsIn what it has, up to a bound, and only its own.
func TestABlockedPhoneHandsIn(t *testing.T) {
	s := newSquare(t)
	hand := func(edits ...string) int64 {
		t.Helper()
		var raw []json.RawMessage
		for _, e := range edits {
			raw = append(raw, []byte(e))
		}
		acked, judged, err := s.HandIn(t.Context(), Phone{ID: teller, Person: lan}, &wire.Ask{Edits: raw})
		if err != nil || len(judged) > 0 {
			t.Fatal(judged, err)
		}
		return acked
	}
	parked := func() int {
		t.Helper()
		all, err := s.app.FindAllRecords("parked_edits")
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	const first, second, third = `{"n":1,"do":"square.shout"}`, `{"n":2,"do":"square.shout"}`, `{"n":3,"do":"square.shout"}`
	if acked := hand(); acked != 0 {
		t.Errorf("nothing handed in: acked %d", acked)
	}
	if acked := hand(first, second); acked != 2 || parked() != 2 || len(s.pressed) != 0 {
		t.Errorf("acked %d, %d parked, %d done", acked, parked(), len(s.pressed))
	}
	if acked := hand(first, `{"n":2,"do":"square.shout","args":{}}`, third); acked != 1 {
		t.Errorf("a copy's second edit was not taken with these: acked %d, want 1", acked)
	}
	if acked := hand(); acked != 2 {
		t.Errorf("nothing more: acked %d, want 2", acked)
	}
	s.sql(`WITH RECURSIVE c(i) AS (SELECT 101 UNION ALL SELECT i + 1 FROM c WHERE i < %d)
		INSERT INTO sync_verdicts (phone, n, hash, verdict, at) SELECT '%s', i, x'', '{"code":"too_big"}', '' FROM c`, 100+mostFromBlocked-3, teller)
	if acked := hand(third); acked != 3 || parked() != 3 {
		t.Errorf("the last that is taken: acked %d, %d parked", acked, parked())
	}
	if acked := hand(`{"n":4,"do":"square.shout"}`, `{"n":5,"do":"square.shout"}`); acked != 3 || parked() != 3 {
		t.Errorf("one too many: acked %d, %d parked", acked, parked())
	}
	if acked := hand(`{"n":"?"}`, third, `{"n":4,"do":"square.shout"}`); acked != 2 {
		t.Errorf("too many, the first of them known: acked %d, want 2", acked)
	}
}

// TestStandingsAreRemembered while it is not too much.
func TestStandingsAreRemembered(t *testing.T) {
	s := newSquare(t)
	s.absorb()
	for i := range most - 1 {
		s.standings.sets[fmt.Sprint(i)] = nil
		s.standings.terms[fmt.Sprint(i)] = dated{}
	}
	ask := s.complete()
	if n, m := len(s.standings.sets), len(s.standings.terms); n != most || m != most {
		t.Errorf("%d standings and terms of %d are remembered, want %d", n, m, most)
	}
	s.standings.keep("one too many", nil)
	if _, err := s.Circles("tu0000000000000"); err != nil {
		t.Fatal(err)
	}
	if n, m := len(s.standings.sets), len(s.standings.terms); n != 1 || m != 1 {
		t.Errorf("%d standings and terms of %d are remembered, want 1", n, m)
	}
	s.says("what memory lost", s.serve(ask), "complete")
	// Two terms in one circle are one.
	s.duty("duty00000000002", north, "")
	circles, err := s.Circles(lan)
	if want := []string{"commune", "village:" + north}; err != nil || !slices.Equal(circles, want) {
		t.Errorf("%v, %v, want %v", circles, err, want)
	}
	if files := s.Files(); len(files) != 1 || !slices.Equal(files["village:"+north], []string{"announcements"}) {
		t.Errorf("files: %v", files)
	}
	if s.known.Rank("announcements") != 1 || s.known.Rank("duties") != 0 {
		t.Error("ranks are not those declared")
	}
}

// TestWhatGoesToTheJudge: who sends, what they are called, what they have.
func TestWhatGoesToTheJudge(t *testing.T) {
	s := newSquare(t)
	s.Call(func(_ core.App, person string) string { return "bà " + person })
	ask := s.complete()
	ask.Edits = []json.RawMessage{[]byte(`{"n":1,"do":"square.fly"}`), []byte(`{"n":2,"coll":"announcements","id":"announce0000001","change":{"title":"Hội"}}`),
		[]byte(`{"n":3,"coll":"announcements","id":"announce0000002","change":{"title":"Hội"}}`)}
	ask.Confirmed = 2
	s.says("three edits", s.serve(ask), "shape, verdicts 1parkedunknown_action 2merged 3refusednot_found acked 3, rows announce0000001, complete")
	all, err := s.app.FindAllRecords("parked_edits")
	if err != nil || len(all) != 1 || all[0].GetString("maker") != "bà "+lan || all[0].GetString("person") != lan {
		t.Errorf("parked: %v, %v", all, err)
	}
	var confirmed int64
	if err := s.app.DB().NewQuery(`SELECT confirmed FROM sync_phones`).Row(&confirmed); err != nil || confirmed != 2 {
		t.Errorf("confirmed %d, %v", confirmed, err)
	}
	r, err := s.app.FindRecordById("announcements", "announce0000001")
	if err != nil || r.GetString("title") != "Hội" {
		t.Errorf("%v, %v", r, err)
	}
}

// TestFilesBeforeTheFirstAsk are those of the person's circles.
func TestFilesBeforeTheFirstAsk(t *testing.T) {
	s := newSquare(t)
	s.absorb()
	if files := s.Load(lan); files != nil {
		t.Errorf("no files lie ready: %v", files)
	}
	s.Offer = func(circles []string, head journal.Head) []wire.Snapshot {
		return []wire.Snapshot{{Circles: circles, Seq: wire.Cursor(head.Seq)}}
	}
	files := s.Load(lan)
	if len(files) != 1 || !slices.Equal(files[0].Circles, []string{"commune", "village:" + north}) || files[0].Seq == 0 {
		t.Errorf("%+v", files)
	}
}
