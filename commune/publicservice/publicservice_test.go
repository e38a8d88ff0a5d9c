package publicservice_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"langso/commune"
	"langso/commune/communetest"
	"langso/commune/publicservice"
)

var (
	lan     = communetest.As("lan")
	nam     = communetest.As("nam")
	mother  = communetest.As("lan", commune.Named("guardian", communetest.ID("nam")))
	officer = communetest.As("mai", commune.Named("duty", "onestop"))
)

// office is a commune with one procedure, and one that is closed.
func office(t *testing.T) *communetest.Commune {
	c := communetest.New(t, publicservice.Domain)
	c.Put("villages", "phuc", map[string]any{"name": "Thôn Phúc"})
	c.Put("households", "ho", map[string]any{"name": "Lan", "village": communetest.ID("phuc")})
	for _, id := range []string{"lan", "nam", "mai"} {
		c.Put("persons", id, map[string]any{"name": id, "household": communetest.ID("ho")})
	}
	c.Put("procedures", "birth", map[string]any{"name": "Đăng ký khai sinh", "code": "1.001193", "active": true,
		"components": []publicservice.Component{{Key: "con", Name: "Họ tên con", Required: true}, {Key: "cha", Name: "Người cha"}, {Key: "giay", Name: "Giấy chứng sinh", Required: true}}})
	c.Put("procedures", "old", map[string]any{"name": "Thủ tục đã bỏ", "code": "0.1"})
	return c
}

func birth(over map[string]any) map[string]any {
	args := map[string]any{"id": communetest.ID("d"), "person": communetest.ID("lan"), "procedure": communetest.ID("birth"),
		"content": map[string]any{"con": "Vũ Bé Na", "giay": "số 7"}, "note": "Cháu gửi ạ"}
	maps.Copy(args, over)
	return args
}

func TestSubmit(t *testing.T) {
	c := office(t)
	c.Put("drafts", "dr", map[string]any{"person": communetest.ID("lan"), "procedure": communetest.ID("birth"), "content": map[string]any{"con": "Vũ Bé Na"}})
	c.Put("drafts", "his", map[string]any{"person": communetest.ID("nam"), "procedure": communetest.ID("birth")})

	told, err := c.Do(lan, "publicservice.submit", birth(map[string]any{"draft": communetest.ID("dr")}))
	communetest.Judged(t, "Lan submits", err, "")
	at := "2026-11-24 06:10:00.000Z"
	receipt := "signed:" + strings.Join([]string{"dossier", communetest.ID("d"), communetest.ID("lan"), communetest.ID("birth"), at}, "|")
	if told["receipt"] != receipt || told["submitted_at"] != at || told["status"] != 1 {
		t.Errorf("told %v", told)
	}
	if _, err := c.App.FindRecordById("drafts", communetest.ID("dr")); err == nil {
		t.Error("the draft is still there")
	}
	if got := events(t, c, "d"); !slices.Equal(got, []string{"0→1 Cháu gửi ạ"}) {
		t.Errorf("events %v", got)
	}
	if len(c.Notices) != 1 || c.Notices[0].To != commune.Named("person", communetest.ID("lan")) || c.Notices[0].Title != "Hồ sơ Đăng ký khai sinh: Mới đăng ký" {
		t.Errorf("notices %+v", c.Notices)
	}

	// The answer was lost; an hour later the phone asks again.
	c.Now = c.Now.Add(time.Hour)
	again, err := c.Do(lan, "publicservice.submit", birth(map[string]any{"draft": communetest.ID("dr")}))
	communetest.Judged(t, "Lan submits again", err, "")
	if !maps.Equal(again, told) || len(c.Notices) != 1 || len(events(t, c, "d")) != 1 {
		t.Errorf("again told %v, %d notices, events %v", again, len(c.Notices), events(t, c, "d"))
	}

	for i, k := range []struct {
		name string
		who  commune.Author
		over map[string]any
		want string
	}{
		{"the id with another content", lan, map[string]any{"id": communetest.ID("d"), "content": map[string]any{"con": "Vũ Bé Na", "giay": "số 8"}}, "exists"},
		{"the id with another note", lan, map[string]any{"id": communetest.ID("d"), "note": "khác"}, "exists"},
		{"without a paper", lan, map[string]any{"content": map[string]any{"con": "Na", "giay": " "}}, "incomplete"},
		{"without content", lan, map[string]any{"content": nil}, "incomplete"},
		{"content in a list", lan, map[string]any{"content": []string{"Na"}}, "bad_content"},
		{"content within content", lan, map[string]any{"content": map[string]any{"con": map[string]any{"ten": "Na"}}}, "bad_content"},
		{"a procedure that is closed", lan, map[string]any{"procedure": communetest.ID("old")}, "procedure_closed"},
		{"a procedure that is none", lan, map[string]any{"procedure": "x"}, "procedure_closed"},
		{"for a neighbour", lan, map[string]any{"person": communetest.ID("nam")}, "not_yours"},
		{"for nobody", lan, map[string]any{"person": ""}, "not_yours"},
		{"a mother for her child", mother, map[string]any{"person": communetest.ID("nam")}, ""},
		{"the officer at the counter, and another's draft", officer, map[string]any{"draft": communetest.ID("his")}, ""},
		{"the officer for nobody known", officer, map[string]any{"person": communetest.ID("zz")}, "not_found"},
		{"an id that is none", lan, map[string]any{"id": "D-1"}, "bad_id"},
		{"a long note", lan, map[string]any{"note": strings.Repeat("ạ", 1001)}, "too_long"},
		{"another shape", lan, map[string]any{"person": 7}, "bad_args"},
	} {
		if k.over["id"] == nil {
			k.over["id"] = communetest.ID("x" + string(rune('a'+i)))
		}
		_, err := c.Do(k.who, "publicservice.submit", birth(k.over))
		communetest.Judged(t, k.name, err, k.want)
	}
	if c.Get("dossiers", "xl").GetString("channel") != "counter" || c.Get("dossiers", "xk").GetString("channel") != "app" {
		t.Error("the channel is not as it was handed in")
	}
	c.Get("drafts", "his") // the officer's submission must not delete another's draft
}

// events returns a dossier's history, each step as from→to and what was said.
func events(t *testing.T, c *communetest.Commune, name string) []string {
	t.Helper()
	found, err := c.App.FindRecordsByFilter("dossier_events", "dossier = {:id}", "@rowid", 0, 0, map[string]any{"id": communetest.ID(name)})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range found {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%d→%d %s", e.GetInt("from"), e.GetInt("to"), e.GetString("say"))))
	}
	return out
}

// walk submits a dossier and takes it along; every step must be taken.
func walk(t *testing.T, c *communetest.Commune, id string, over map[string]any, steps ...int) {
	t.Helper()
	by := lan
	if over["by"] == "officer" {
		by = officer
		delete(over, "by")
	}
	args := birth(over)
	args["id"] = communetest.ID(id)
	if _, err := c.Do(by, "publicservice.submit", args); err != nil {
		t.Fatalf("submit %s: %v", id, err)
	}
	for _, to := range steps {
		who := officer
		if from := c.Get("dossiers", id).GetInt("status"); to == 7 || from == 5 {
			who = lan
		}
		if _, err := step(c, who, id, to, "nói"); err != nil {
			t.Fatalf("step %s to %d: %v", id, to, err)
		}
	}
}

func step(c *communetest.Commune, who commune.Author, id string, to int, say string) (map[string]any, error) {
	return c.Do(who, "publicservice.step", map[string]any{"dossier": communetest.ID(id), "to": to, "say": say})
}

// allowed is the table of publicservice, told a second time: who may take a
// dossier from a status to a status. a: the applicant, o: an officer.
var allowed = map[string]string{
	"1→2": "o", "1→3": "o", "1→5": "o", "1→7": "a",
	"2→4": "o", "2→7": "a",
	"4→5": "o", "4→6": "o", "4→7": "a", "4→8": "o", "4→9": "o",
	"5→4": "a", "5→7": "a",
	"6→4": "o", "6→7": "a",
	"7→4": "o", "7→8": "o",
	"9→10": "o",
}

// ways reach each status; 5 and 7 by way of 4.
var ways = map[int][]int{1: {}, 2: {2}, 3: {3}, 4: {2, 4}, 5: {2, 4, 5}, 6: {2, 4, 6}, 7: {2, 4, 7}, 8: {2, 4, 8}, 9: {2, 4, 9}, 10: {2, 4, 9, 10}}

func TestEveryEdge(t *testing.T) {
	c := office(t)
	for from := 1; from <= 10; from++ {
		for to := 0; to <= 11; to++ {
			id := "e" + string(rune('a'+from)) + string(rune('a'+to))
			walk(t, c, id, nil, ways[from]...)
			may := allowed[fmt.Sprintf("%d→%d", from, to)]
			name := fmt.Sprintf("%d→%d", from, to)
			_, err := step(c, nam, id, to, "nói")
			communetest.Refused(t, "a stranger "+name, err, "not_found")
			for who, author := range map[string]commune.Author{"a": lan, "o": officer} {
				if may == who {
					continue
				}
				want := "wrong_step"
				if may != "" {
					want = "not_yours"
				}
				_, err := step(c, author, id, to, "nói")
				communetest.Refused(t, who+" "+name, err, want)
			}
			if may != "" {
				_, err := step(c, map[string]commune.Author{"a": lan, "o": officer}[may], id, to, "nói")
				communetest.Judged(t, may+" "+name, err, "")
			}
		}
	}
}

func TestComingBack(t *testing.T) {
	c := office(t)
	for _, k := range []struct {
		name  string
		steps []int
		to    int
		who   commune.Author
		want  string
	}{
		{"asked before acceptance, answered", []int{5}, 1, lan, ""},
		{"asked before acceptance, not accepted by answering", []int{5}, 4, lan, "wrong_step"},
		{"asked while processing", []int{2, 4, 5}, 4, lan, ""},
		{"withdrawn at once, kept", []int{7}, 1, officer, ""},
		{"withdrawn when asked, kept", []int{2, 4, 5, 7}, 5, officer, ""},
		{"withdrawn when asked, not elsewhere", []int{2, 4, 5, 7}, 4, officer, "wrong_step"},
		{"back to being asked, then answered", []int{2, 4, 5, 7, 5}, 4, lan, ""},
		{"asked twice from two places", []int{5, 1, 2, 4, 5}, 4, lan, ""},
		{"asked twice from two places, not the first", []int{5, 1, 2, 4, 5}, 1, lan, "wrong_step"},
	} {
		id := "b" + fmt.Sprintf("%x", []byte(k.name))[:4] + string(rune('a'+len(k.steps))) + string(rune('a'+k.to)) + string(rune('a'+len(k.name)%26))
		walk(t, c, id, nil, k.steps...)
		_, err := step(c, k.who, id, k.to, "nói")
		communetest.Judged(t, k.name, err, k.want)
	}
}

func TestStepsSayAndPromise(t *testing.T) {
	c := office(t)
	walk(t, c, "d", nil)
	_, err := step(c, officer, "d", 5, " ")
	communetest.Refused(t, "asks for papers without saying which", err, "say_missing")
	_, err = step(c, officer, "d", 5, strings.Repeat("ạ", 1001))
	communetest.Refused(t, "says too much", err, "too_long")
	_, err = step(c, officer, "zz", 5, "x")
	communetest.Refused(t, "a dossier that is none", err, "not_found")
	_, err = c.Do(officer, "publicservice.step", map[string]any{"dossier": communetest.ID("d"), "to": 2, "due": "2026-11-23"})
	communetest.Refused(t, "promises yesterday", err, "bad_date")
	told, err := c.Do(officer, "publicservice.step", map[string]any{"dossier": communetest.ID("d"), "to": 2, "due": "2026-11-27"})
	communetest.Judged(t, "accepts", err, "")
	if told["due"] != "2026-11-27" || told["code"] != "H05.PH-261124-0001" || told["status"] != 2 {
		t.Errorf("told %v", told)
	}
	_, err = step(c, officer, "d", 2, "")
	communetest.Refused(t, "the second officer", err, "wrong_step")
	if want := "Hồ sơ đang ở bước «Được tiếp nhận», không chuyển sang «Được tiếp nhận» được."; commune.Refused(err).Sentence != want {
		t.Errorf("the second officer reads %q", commune.Refused(err).Sentence)
	}
	if got := events(t, c, "d"); !slices.Equal(got, []string{"0→1 Cháu gửi ạ", "1→2"}) {
		t.Errorf("events %v", got)
	}
}

// A refused acceptance gives its number back: no gaps, no doubles.
func TestNumbersAreGapless(t *testing.T) {
	c := office(t)
	for i, want := range []string{"H05.PH-261124-0001", "H05.PH-261124-0002"} {
		id := "n" + string(rune('a'+i))
		walk(t, c, id, nil)
		if _, err := c.App.DB().NewQuery("CREATE TRIGGER broken BEFORE INSERT ON dossier_events BEGIN SELECT RAISE(ABORT, 'disk'); END").Execute(); err != nil {
			t.Fatal(err)
		}
		if _, err := step(c, officer, id, 2, ""); err == nil {
			t.Fatal("accepted without an event")
		}
		if _, err := c.App.DB().NewQuery("DROP TRIGGER broken").Execute(); err != nil {
			t.Fatal(err)
		}
		told, err := step(c, officer, id, 2, "")
		if err != nil || told["code"] != want {
			t.Errorf("code %v, %v, want %s", told["code"], err, want)
		}
	}
	// 23:59 of the 24th there is 16:59 UTC; a minute later the day is new.
	c.Now = time.Date(2026, 11, 24, 17, 0, 0, 0, time.UTC)
	walk(t, c, "nz", nil)
	if told, err := step(c, officer, "nz", 2, ""); err != nil || told["code"] != "H05.PH-261125-0001" {
		t.Errorf("the next day's first code %v, %v", told["code"], err)
	}
}

func TestAnswerCompletesTheForm(t *testing.T) {
	c := office(t)
	walk(t, c, "d", nil, 5)
	_, err := c.Do(lan, "publicservice.step", map[string]any{"dossier": communetest.ID("d"), "to": 1, "content": map[string]any{"cha": "Vũ Văn Đức"}})
	communetest.Judged(t, "Lan adds the father", err, "")
	var content map[string]string
	if err := c.Get("dossiers", "d").UnmarshalJSONField("content", &content); err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{"con": "Vũ Bé Na", "giay": "số 7", "cha": "Vũ Văn Đức"}; !maps.Equal(content, want) {
		t.Errorf("content %v", content)
	}
}

// A photo of the missing paper joins those that are there, each once; a mother who
// handed in for her child answers for it.
func TestAnswerAddsPhotos(t *testing.T) {
	c := office(t)
	one, two := strings.Repeat("1", 64), strings.Repeat("2", 64)
	walk(t, c, "d", map[string]any{"scans": one}, 5)
	answer := func(who commune.Author, id, scans string) error {
		_, err := c.Do(who, "publicservice.step", map[string]any{"dossier": communetest.ID(id), "to": 1, "scans": scans})
		return err
	}
	var many []string
	for i := range 20 {
		many = append(many, fmt.Sprintf("%064d", i))
	}
	communetest.Judged(t, "more than a dossier holds", answer(lan, "d", strings.Join(many, " ")), "too_many_scans")
	communetest.Judged(t, "Lan adds one, and one again", answer(lan, "d", two+" "+one), "")
	if got := c.Get("dossiers", "d").GetString("scans"); got != one+" "+two {
		t.Errorf("scans are %q", got)
	}
	_, err := c.Do(mother, "publicservice.submit", birth(map[string]any{"id": communetest.ID("k"), "person": communetest.ID("nam")}))
	communetest.Judged(t, "a mother for her child", err, "")
	_, err = step(c, officer, "k", 5, "thiếu giấy chứng sinh")
	communetest.Judged(t, "the officer asks", err, "")
	communetest.Judged(t, "a neighbour answers", answer(communetest.As("mai"), "k", two), "not_found")
	communetest.Judged(t, "the mother answers", answer(mother, "k", two), "")
}

// Who has no phone cannot answer on one: the officer does, for dossiers that
// came over the counter, and for no others.
func TestCounter(t *testing.T) {
	c := office(t)
	walk(t, c, "p", map[string]any{"by": "officer", "person": communetest.ID("nam")}, 5)
	_, err := step(c, officer, "p", 1, "đã mang giấy tới")
	communetest.Judged(t, "the officer for who came to the counter", err, "")
	walk(t, c, "q", nil, 5)
	_, err = step(c, officer, "q", 1, "")
	communetest.Refused(t, "the officer for who has a phone", err, "not_yours")
}

func TestApplicantIsToldEachStepOnce(t *testing.T) {
	c := office(t)
	walk(t, c, "d", nil, 2, 4, 5, 4, 5, 4, 9, 10)
	keys := map[string]bool{}
	for _, n := range c.Notices {
		keys[n.Key] = true
		if n.To != commune.Named("person", communetest.ID("lan")) || n.Link != "#/ho-so/"+communetest.ID("d") {
			t.Errorf("notice %+v", n)
		}
	}
	if len(c.Notices) != 9 || len(keys) != 9 {
		t.Errorf("%d notices with %d keys, want 9", len(c.Notices), len(keys))
	}
	c.Notices = nil
	c.Put("dossiers", "import", map[string]any{"person": communetest.ID("lan"), "procedure": communetest.ID("birth"), "status": 10})
	if len(c.Notices) != 0 {
		t.Errorf("an imported dossier raised %+v", c.Notices)
	}
}

func TestDrafts(t *testing.T) {
	c := office(t)
	many := map[string]string{}
	for i := range 65 {
		many[fmt.Sprint("k", i)] = "x"
	}
	for _, k := range []struct {
		name    string
		content any
		want    string
	}{
		{"empty", nil, ""},
		{"a form", map[string]any{"con": "Na"}, ""},
		{"a number in it", map[string]any{"con": 7}, "bad_content"},
		{"a list", []string{"Na"}, "bad_content"},
		{"a text", "Na", "bad_content"},
		{"65 fields", many, "bad_content"},
		{"a field without a name", map[string]any{"": "Na"}, "bad_content"},
		{"a long answer", map[string]any{"con": strings.Repeat("ạ", 4001)}, "bad_content"},
		{"long answers", map[string]any{"a": strings.Repeat("ạ", 4000), "b": strings.Repeat("ạ", 4000), "c": strings.Repeat("ạ", 4000),
			"d": strings.Repeat("ạ", 4000), "e": strings.Repeat("ạ", 4000), "f": strings.Repeat("ạ", 4000)}, "too_big"},
	} {
		err := c.Write(lan, "drafts", "d", map[string]any{"person": communetest.ID("lan"), "procedure": communetest.ID("birth"), "content": k.content})
		communetest.Judged(t, k.name, err, k.want)
	}
}

func TestSeedIsACatalogue(t *testing.T) {
	c := office(t)
	seed := publicservice.Seed()
	if len(seed) != 20 {
		t.Errorf("%d procedures, want 20", len(seed))
	}
	codes := map[string]bool{"1.001193": true}
	for i, p := range seed {
		if i > 0 && codes[p.Code] {
			t.Errorf("%s stands twice", p.Code)
		}
		codes[p.Code] = true
		if p.Verified || p.Field == "" || !slices.ContainsFunc(p.Components, func(x publicservice.Component) bool { return x.Required }) {
			t.Errorf("%s: verified %v, field %q, components %v", p.Code, p.Verified, p.Field, p.Components)
		}
		parts, err := json.Marshal(p.Components)
		if err != nil {
			t.Fatal(err)
		}
		code := p.Code
		if i == 0 {
			code += "x" // the test's own office has it already
		}
		c.Put("procedures", "s"+string(rune('a'+i)), map[string]any{"name": p.Name, "code": code, "field": p.Field,
			"limit": p.Limit, "fee": p.Fee, "components": string(parts), "verified": p.Verified, "active": true})
	}
}

func TestStatusWords(t *testing.T) {
	for s := publicservice.Registered; s <= publicservice.Returned; s++ {
		if !s.Valid() || strings.HasPrefix(s.String(), "trạng thái") {
			t.Errorf("status %d has no words", int(s))
		}
	}
	if s := publicservice.Status(11); s.Valid() || s.String() != "trạng thái 11" {
		t.Errorf("status 11 is %q", s)
	}
}
