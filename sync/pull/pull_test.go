package pull_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"langso/apptest"
	"langso/sync/journal"
	"langso/sync/pull"
	"langso/sync/wire"
)

// board is a commune of nothing but papers: letters of persons, posters of the
// village, goods of the market. Each names the circles it hangs in.
type board struct {
	core.App
	*journal.Journal
	t *testing.T
}

func newBoard(t *testing.T) *board {
	t.Helper()
	app := apptest.New(t)
	var colls []journal.Collection
	for _, name := range []string{"alarms_x", "goods_x", "letters_x", "posters_x"} {
		c := core.NewBaseCollection(name)
		c.Fields.Add(&core.TextField{Name: "circles"}, &core.TextField{Name: "text"}, &core.TextField{Name: "note"})
		if err := app.Save(c); err != nil {
			t.Fatal(err)
		}
		colls = append(colls, journal.Collection{Name: name, Circles: func(r journal.Row) []string { return strings.Fields(r.GetString("circles")) }})
	}
	b := &board{app, journal.New(app, colls), t}
	if err := b.Open(); err != nil {
		t.Fatal(err)
	}
	return b
}

// known ranks the papers; alarms are urgent, letters are the person's own. Only posters lie in files.
var known = pull.Collections{
	Rank: func(coll string) int {
		return map[string]int{"alarms_x": -2, "letters_x": 0, "posters_x": 1, "goods_x": 2}[coll]
	},
	Files: map[string][]string{"village": {"posters_x"}, "market": {"goods_x"}},
}

// sql writes, and returns the last number that the journal gave for it.
func (b *board) sql(text string) int64 {
	b.t.Helper()
	if _, err := b.NonconcurrentDB().NewQuery(text).Execute(); err != nil {
		b.t.Fatalf("%s: %v", text, err)
	}
	if err := b.Absorb(b.App, 0); err != nil {
		b.t.Fatal(err)
	}
	seq, err := b.Seq()
	if err != nil {
		b.t.Fatal(err)
	}
	return seq
}

func (b *board) put(coll, id, circles, text string) int64 {
	b.t.Helper()
	return b.sql(fmt.Sprintf(`INSERT INTO %s_x (id, circles, text) VALUES ('%s', '%s', '%s')`, coll, id, circles, text))
}

func (b *board) read() *journal.Reader {
	b.t.Helper()
	r, err := b.Read(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(r.Close)
	return r
}

// tells is what a phone is told, a line each, and the last token.
func (b *board) tells(p pull.Phone) (told []string, token string) {
	b.t.Helper()
	if p.Want == 0 {
		p.Want = 1 << 20
	}
	lines, full, err := pull.Make(context.Background(), b.read(), p, known)
	if err != nil {
		b.t.Fatal(err)
	}
	if more := len(lines) > 0 && lines[len(lines)-1].More != ""; more != full {
		b.t.Errorf("full is %v, and the last line says more: %v", full, more)
	}
	for _, l := range lines {
		switch {
		case l.Mark != nil:
			token = *l.Mark
		case l.More != "":
			token = l.More
		}
		told = append(told, saying(b.t, l)...)
	}
	return told, token
}

func saying(t *testing.T, l wire.Line) (out []string) {
	t.Helper()
	apart := ""
	if l.Apart {
		apart = "| "
	}
	for _, coll := range slices.Sorted(maps.Keys(l.Gone)) {
		out = append(out, apart+"gone "+strings.TrimSuffix(coll, "_x")+" "+strings.Join(l.Gone[coll], " "))
		apart = ""
	}
	if l.Changes != nil {
		rows, err := l.Changes.Rows()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			text, err := json.Marshal(r.Set)
			if err != nil {
				t.Fatal(err)
			}
			whole := ""
			if r.Whole {
				whole = " whole"
			}
			if r.In != nil {
				whole += fmt.Sprint(" in ", r.In)
			}
			out = append(out, fmt.Sprintf("%s%s%s %s", apart, r.ID, whole, strings.ReplaceAll(string(text), `"`, "")))
			apart = ""
		}
	}
	if l.Mark != nil {
		out = append(out, "--")
	}
	if l.More != "" {
		out = append(out, "more")
	}
	return out
}

// TestWhatAPhoneIsTold, by what it has and who its person is by now.
func TestWhatAPhoneIsTold(t *testing.T) {
	b := newBoard(t)
	b.put("goods", "g1", "market", "vải")
	first := b.put("posters", "p1", "village", "họp")
	b.put("letters", "l1", "lan village", "thư")
	b.put("letters", "l2", "lan", "riêng")
	b.put("posters", "p3", "village wall", "cấm")
	start := b.put("posters", "p2", "village other", "hội")
	b.sql(`UPDATE posters_x SET text = 'họp tối' WHERE id = 'p1'`)
	b.sql(`UPDATE letters_x SET circles = 'lan' WHERE id = 'l1'`) // it left the village
	b.sql(`UPDATE posters_x SET circles = 'other' WHERE id = 'p2'`)
	b.sql(`DELETE FROM letters_x WHERE id = 'l2'`)
	end := b.put("goods", "g2", "market", "ổi")

	for _, c := range []struct {
		name  string
		phone pull.Phone
		want  []string
	}{
		{"a new phone", pull.Phone{Now: []string{"lan", "market", "village"}}, []string{
			"| l1 whole in [0] {circles:lan,text:thư}", "--",
			"| p3 whole in [2] {circles:village wall,text:cấm}", "p1 whole in [2] {circles:village,text:họp tối}", "--",
			"| g1 whole in [1] {circles:market,text:vải}", "g2 whole in [1] {circles:market,text:ổi}"}},
		{"a phone that was here at noon", pull.Phone{Cursor: start, Held: []string{"lan", "market", "village"}, Now: []string{"lan", "market", "village"}}, []string{
			"gone letters l2", "gone posters p2", "--",
			"| l1 in [0] {circles:lan}", "--",
			"| p1 {text:họp tối}", "--",
			"| g2 whole in [1] {circles:market,text:ổi}"}},
		{"a phone that knows all", pull.Phone{Cursor: end, Held: []string{"lan", "market", "village"}, Now: []string{"lan", "market", "village"}}, nil},
		{"a phone for which there are only losses", pull.Phone{Cursor: start + 1, Held: []string{"village"}, Now: []string{"village"}}, []string{
			"gone letters l1", "gone posters p2", "--"}},
		{"a phone that heard of the first poster last", pull.Phone{Cursor: first, Held: []string{"village"}, Now: []string{"village"}}, []string{
			"gone letters l1", "gone posters p2", "--",
			"| p3 whole in [0] {circles:village wall,text:cấm}", "p1 {text:họp tối}"}},
		{"a phone that holds the circle and nothing yet", pull.Phone{Held: []string{"village"}, Now: []string{"village"}}, []string{
			"| p3 whole in [0] {circles:village wall,text:cấm}", "p1 whole in [0] {circles:village,text:họp tối}"}},
		{"a phone that cannot be trusted with differences", pull.Phone{Cursor: start, Held: []string{"village"}, Now: []string{"village"}, Whole: true}, []string{
			"gone letters l1", "gone posters p2", "--",
			"| p1 whole in [0] {circles:village,text:họp tối}"}},
		{"who came into the other village", pull.Phone{Cursor: start, Held: []string{"village"}, Now: []string{"other", "village"}}, []string{
			"gone letters l1", "--",
			"| p1 {text:họp tối}", "p2 whole in [0] {circles:other,text:hội}"}},
		{"who came into the market", pull.Phone{Cursor: end, Held: []string{"lan", "village"}, Now: []string{"lan", "market", "village"}}, []string{
			"| g1 whole in [1] {circles:market,text:vải}", "g2 whole in [1] {circles:market,text:ổi}"}},
		{"who came into Lan's circle, and had a letter by the village that left it", pull.Phone{Cursor: start, Held: []string{"village"}, Now: []string{"lan", "village"}}, []string{
			"gone posters p2", "--",
			"| l1 whole in [0] {circles:lan,text:thư}", "--",
			"| p1 {text:họp tối}"}},
		{"who came into another circle of a poster that she has", pull.Phone{Cursor: end, Held: []string{"lan", "village"}, Now: []string{"lan", "village", "wall"}}, []string{
			"| p3 in [1 2] null"}},
		{"who stands nowhere", pull.Phone{Now: []string{}}, nil},
		{"who moved away from the village", pull.Phone{Cursor: end, Held: []string{"village"}, Now: []string{"other"}}, []string{
			"| p2 whole in [0] {circles:other,text:hội}"}},
		{"who loaded the village's file before", pull.Phone{Loaded: map[string]int64{"village": start}, Now: []string{"lan", "village"}}, []string{
			"gone posters p2", "--",
			"| l1 whole in [0] {circles:lan,text:thư}", "--",
			"| p1 {text:họp tối}"}},
		{"who loaded it when the first poster hung", pull.Phone{Loaded: map[string]int64{"village": first}, Now: []string{"village"}}, []string{
			"gone letters l1", "gone posters p2", "--",
			"| p3 whole in [0] {circles:village wall,text:cấm}", "p1 {text:họp tối}"}},
		{"who loaded it just now", pull.Phone{Loaded: map[string]int64{"village": end, "market": end}, Now: []string{"market", "village"}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			got, _ := b.tells(c.phone)
			if !slices.Equal(got, c.want) {
				t.Errorf("told\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
			}
		})
	}
}

// TestGoingOnFromAToken: an answer is cut at a chunk's end, the phone goes on from
// there, and what changed meanwhile comes too.
func TestGoingOnFromAToken(t *testing.T) {
	b := newBoard(t)
	b.put("letters", "l1", "lan", "thư")
	b.put("letters", "l2", "lan", "thư hai")
	b.put("posters", "p1", "village", "họp")
	b.put("posters", "p2", "village", "hội")
	b.put("goods", "g1", "market", "vải")
	now := []string{"lan", "market", "village"}
	told, token := b.tells(pull.Phone{Now: now, Want: 1})
	b.same("a budget of one row", told, "| l1 whole in [0] {circles:lan,text:thư}", "more")
	told, token = b.tells(pull.Phone{Now: now, Want: 1, Resume: token})
	b.same("a second letter", told, "| l2 whole in [0] {circles:lan,text:thư hai}", "more")
	told, token = b.tells(pull.Phone{Now: now, Want: 1, Resume: token})
	b.same("and on", told, "| p1 whole in [2] {circles:village,text:họp}", "more")

	b.sql(`UPDATE letters_x SET text = 'thư khác' WHERE id = 'l1'`)
	b.sql(`UPDATE posters_x SET circles = '' WHERE id = 'p1'`)
	told, _ = b.tells(pull.Phone{Now: now, Resume: token})
	b.same("what was told and changed since comes again, what is gone since is told", told,
		"gone posters p1", "--",
		"| l1 whole in [0] {circles:lan,text:thư khác}", "--",
		"| p2 whole in [2] {circles:village,text:hội}", "--",
		"| g1 whole in [1] {circles:market,text:vải}")
	told, _ = b.tells(pull.Phone{Now: []string{"market", "village"}, Resume: token})
	b.same("with another standing all is told again, and what may have come is gone", told,
		"gone posters p1", "--",
		"| p2 whole in [1] {circles:village,text:hội}", "--",
		"| g1 whole in [0] {circles:market,text:vải}")
	told, _ = b.tells(pull.Phone{Now: []string{"lan", "other", "village"}, Resume: token})
	b.same("the letter too", told,
		"gone posters p1", "--",
		"| l2 whole in [0] {circles:lan,text:thư hai}", "l1 whole in [0] {circles:lan,text:thư khác}", "--",
		"| p2 whole in [2] {circles:village,text:hội}")
	told, _ = b.tells(pull.Phone{Now: []string{"market", "village"}, Resume: "zz.1.1.1.1.1.1.x.y"})
	b.same("a token that is none is no token", told,
		"| p2 whole in [1] {circles:village,text:hội}", "--",
		"| g1 whole in [0] {circles:market,text:vải}")

	// A token of the head of the history is good there, and not before it.
	head, err := b.Head()
	if err != nil {
		t.Fatal(err)
	}
	_, token = b.tells(pull.Phone{Now: now, Want: 1})
	for _, c := range []struct {
		name string
		at   journal.Head
		want bool
	}{
		{"the state it was given at", head, true},
		{"a later one", journal.Head{Epoch: head.Epoch, Seq: head.Seq + 1}, true},
		{"one before, of a restored backup", journal.Head{Epoch: head.Epoch, Seq: head.Seq - 1}, false},
		{"another history", journal.Head{Epoch: "other", Seq: head.Seq}, false},
	} {
		if got := pull.Fits(token, c.at); got != c.want {
			t.Errorf("%s: fits = %v", c.name, got)
		}
	}
	for _, none := range []string{"", "1.2.3", token + ".x", "!." + token[2:], "-1." + token[2:]} {
		if pull.Fits(none, head) {
			t.Errorf("%q fits", none)
		}
	}
	if !pull.Fits("0.0.0.0.0.0.0.x."+head.Epoch, head) {
		t.Error("a token of the beginning does not fit")
	}
}

// TestWhatIsUrgentComesFirst: a flood warning does not wait for the price of guava.
func TestWhatIsUrgentComesFirst(t *testing.T) {
	b := newBoard(t)
	now := []string{"village"}
	b.put("goods", "g1", "village", "ổi")
	b.put("posters", "p1", "village", "họp thôn")
	b.put("letters", "l1", "village", "thư")
	b.put("alarms", "a1", "village", "lũ về")
	told, token := b.tells(pull.Phone{Now: now, Want: 1})
	b.same("the first piece", told, "| a1 whole in [0] {circles:village,text:lũ về}", "more")
	told, _ = b.tells(pull.Phone{Now: now, Resume: token})
	b.same("the rest", told, "| l1 whole in [0] {circles:village,text:thư}", "--", "| p1 whole in [0] {circles:village,text:họp thôn}", "--", "| g1 whole in [0] {circles:village,text:ổi}")
}

func (b *board) same(what string, got []string, want ...string) {
	b.t.Helper()
	if !slices.Equal(got, want) {
		b.t.Errorf("%s: told\n  %s\nwant\n  %s", what, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// TestChunksAndBudget: a chunk closes when it is full, and what was spent is
// counted over all chunks of an answer.
func TestChunksAndBudget(t *testing.T) {
	b := newBoard(t)
	const rows, bytes = 40, 1988 // a row is an eighth of a chunk: it is full to the byte
	b.sql(fmt.Sprintf(`WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %d)
		INSERT INTO posters_x (id, circles, text) SELECT printf('p%%02d', i), 'village', hex(zeroblob(%d)) FROM c`, rows, bytes/2))
	row := 30 + len("circles") + len(`"village"`) + 4 + len("text") + bytes + 2 + 4
	perChunk := (wire.ChunkSize + row - 1) / row
	count := func(want int) (chunks []int, full bool) {
		t.Helper()
		lines, full, err := pull.Make(t.Context(), b.read(), pull.Phone{Now: []string{"village"}, Want: want}, known)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, l := range lines {
			if l.Changes != nil {
				n += len(l.Changes.IDs)
			}
			if l.Mark != nil || l.More != "" {
				chunks, n = append(chunks, n), 0
			}
		}
		return append(chunks, n), full
	}
	chunks, full := count(1 << 20)
	want := append(slices.Repeat([]int{perChunk}, (rows-1)/perChunk), (rows-1)%perChunk+1)
	if !slices.Equal(chunks, want) || full {
		t.Errorf("chunks of %v rows (full: %v), want %v", chunks, full, want)
	}
	for _, c := range []struct {
		name         string
		budget, rows int
	}{
		{"just three", 3 * row, 3}, {"a byte more than three", 3*row + 1, 4}, {"eleven", 11 * row, 11}, {"all", rows * row, rows},
	} {
		chunks, full := count(c.budget)
		sum := 0
		for _, n := range chunks {
			sum += n
		}
		if sum != c.rows || full != (c.rows < rows) {
			t.Errorf("%s: %d rows (full: %v), want %d", c.name, sum, full, c.rows)
		}
	}

	// Losses count too: a phone that lost a village hears of it in parts.
	seq, err := b.Seq()
	if err != nil {
		t.Fatal(err)
	}
	b.sql(`DELETE FROM posters_x`)
	told, _ := b.tells(pull.Phone{Cursor: seq, Held: []string{"village"}, Now: []string{"village"}, Want: 3 * len("p01...")})
	b.same("losses with a budget", told, "gone posters p01 p02 p03", "more")
}

// TestACollectionThatIsSharedNoMore, in a newer program: phones drop its records.
func TestACollectionThatIsSharedNoMore(t *testing.T) {
	b := newBoard(t)
	b.put("goods", "g1", "market", "vải")
	seq := b.put("posters", "p1", "market", "họp")
	b.sql(`UPDATE posters_x SET text = 'hội'`)
	b.sql(`UPDATE goods_x SET text = 'ổi'`)
	var fewer []journal.Collection
	for _, name := range []string{"posters_x"} {
		fewer = append(fewer, journal.Collection{Name: name, Circles: func(r journal.Row) []string { return strings.Fields(r.GetString("circles")) }})
	}
	b.Journal = journal.New(b.App, fewer)
	if err := b.Open(); err != nil {
		t.Fatal(err)
	}
	told, _ := b.tells(pull.Phone{Cursor: seq, Held: []string{"market"}, Now: []string{"market"}})
	b.same("told", told, "| p1 {text:hội}", "--", "| gone goods g1", "--")
}
