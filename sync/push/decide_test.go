package push_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"langso/commune"
	"langso/sync/push"
	"langso/sync/wire"
	"langso/villagetest"
)

// allergies is a collection of which the station in "village" writes and a doctor decides.
var allergies = commune.Domain{Name: "allergies", Title: "Dị ứng", Collections: []commune.Collection{{
	Name: "announcements", Title: "Dị ứng", Read: commune.Circles{commune.In("station", "village")}, Write: commune.Circles{commune.In("station", "village")},
	Settle: commune.Circles{commune.In("doctor", "village")},
	Fields: commune.Policies{"body": commune.Ask, "from": commune.Ask},
}}}

// clinic is two nurses who disagree: the second one's edit is parked.
type clinic struct {
	*scene
	base int64
}

func newClinic(t *testing.T) *clinic {
	t.Helper()
	s := &scene{Server: villagetest.New(t, []commune.Domain{allergies}), t: t}
	s.judge = push.Judge{App: s.App, Journal: s.Journal, Domains: []commune.Domain{allergies}}
	s.Put(t, "villages", "village00000001", map[string]any{"name": "A"})
	s.Put(t, "villages", "village00000002", map[string]any{"name": "B"})
	s.Put(t, "announcements", "announce0000001", map[string]any{"title": "Lan", "body": "không", "village": "village00000001"})
	for i := range 4 {
		s.sql(fmt.Sprintf(`INSERT INTO sync_phones (no, phone) VALUES (%d, 'phone000000000%d')`, i+1, i+1))
	}
	if err := s.Absorb(); err != nil {
		t.Fatal(err)
	}
	base, err := s.Journal.Seq()
	if err != nil {
		t.Fatal(err)
	}
	c := &clinic{scene: s, base: base}
	if v := c.edit(1, 1, `"change":{"body":"tôm"}`, "station:village00000001"); v.Is != wire.Taken {
		t.Fatalf("the first nurse: %+v", v)
	}
	v := c.edit(2, 1, `"change":{"body":"cua","from":"2026-01-02","title":"Lan Anh"}`, "station:village00000001")
	if v.Is != wire.Parked || v.Code != "needs_person" || v.Met["body"].Theirs != "tôm" {
		t.Fatalf("the second nurse: %+v", v)
	}
	return c
}

// edit is an edit of the allergy by a phone whose person stands in the circles.
func (c *clinic) edit(phone, n int, what string, circles ...commune.Circle) wire.Verdict {
	c.t.Helper()
	return c.send(phone, fmt.Sprintf(`{"n":%d,"base":%d,"coll":"announcements","id":"announce0000001",%s}`, n, c.base, what), circles...)
}

func (c *clinic) send(phone int, edit string, circles ...commune.Circle) wire.Verdict {
	c.t.Helper()
	p := push.Phone{ID: fmt.Sprintf("phone000000000%d", phone), No: int64(phone)}
	out, err := c.judge.Push(context.Background(), p, commune.Author{Person: fmt.Sprintf("person00000000%d", phone), Circles: circles}, []json.RawMessage{json.RawMessage(edit)}, time.Now(), 0)
	if err != nil {
		c.t.Fatal(err)
	}
	if len(out.Verdicts) != 1 {
		c.t.Fatalf("%s: %+v", edit, out)
	}
	return out.Verdicts[0]
}

// settle is a decision by phone 3, made now.
func (c *clinic) settle(n int, args string, circles ...commune.Circle) wire.Verdict {
	c.t.Helper()
	seen, err := c.Journal.Seq()
	if err != nil {
		c.t.Fatal(err)
	}
	return c.send(3, fmt.Sprintf(`{"n":%d,"base":%d,"do":"sync.settle","args":{"phone":"phone0000000002","n":1,%s}}`, n, seen, args), circles...)
}

func (c *clinic) want(fields map[string]string) {
	c.t.Helper()
	r, err := c.App.FindRecordById("announcements", "announce0000001")
	if err != nil {
		c.t.Fatal(err)
	}
	for field, want := range fields {
		if got := r.GetString(field); got != want {
			c.t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
}

func (c *clinic) parked() (circles []string, state string) {
	c.t.Helper()
	all, err := c.App.FindAllRecords("parked_edits")
	if err != nil || len(all) != 1 {
		c.t.Fatalf("%d parked edits, %v", len(all), err)
	}
	return all[0].GetStringSlice("circles"), all[0].GetString("state")
}

const doctor = commune.Circle("doctor:village00000001")

// TestWhoDecides and what becomes of the record.
func TestWhoDecides(t *testing.T) {
	for _, c := range []struct {
		name, args string
		stands     commune.Circle
		is         wire.Is
		code       string
		want       map[string]string
	}{
		{"the doctor takes what stands", `"take":"theirs"`, doctor, wire.Taken, "", map[string]string{"body": "tôm", "from": "2026-01-02", "title": "Lan Anh"}},
		{"the doctor takes the other", `"take":"mine"`, doctor, wire.Taken, "", map[string]string{"body": "cua", "from": "2026-01-02", "title": "Lan Anh"}},
		{"the doctor knows better", `"take":"value","fields":{"body":"tôm, cua"}`, doctor, wire.Taken, "", map[string]string{"body": "tôm, cua", "from": "2026-01-02"}},
		{"a nurse, who writes but does not decide", `"take":"mine"`, "station:village00000001", wire.Refused, "not_found", map[string]string{"body": "tôm", "from": ""}},
		{"another village's doctor", `"take":"mine"`, "doctor:village00000002", wire.Refused, "not_found", map[string]string{"body": "tôm", "from": ""}},
		{"a field that was not asked about", `"take":"value","fields":{"village":"village00000002"}`, doctor, wire.Refused, "bad_args", map[string]string{"body": "tôm", "village": "village00000001"}},
		{"a value of the wrong kind", `"take":"value","fields":{"body":7}`, doctor, wire.Refused, "bad_value", map[string]string{"body": "tôm", "from": ""}},
		{"nonsense", `"take":"both"`, doctor, wire.Refused, "bad_args", map[string]string{"body": "tôm"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newClinic(t)
			if v := s.settle(1, c.args, c.stands); v.Is != c.is || v.Code != c.code {
				t.Errorf("verdict %+v, want %s %s", v, c.is, c.code)
			}
			s.want(c.want)
			circles, state := s.parked()
			if settled := c.is == wire.Taken; settled != (state == "settled") || settled != (len(circles) == 0) {
				t.Errorf("the parked edit is %s and shown to %v", state, circles)
			}
		})
	}
}

// TestTheMakerLearnsNoValue: the record that tells of a decision names the edit
// and who decided, and nothing of the record.
func TestTheMakerLearnsNoValue(t *testing.T) {
	s := newClinic(t)
	s.settle(1, `"take":"value","fields":{"body":"bí mật"}`, doctor)
	told, err := s.App.FindAllRecords("settlements")
	if err != nil {
		t.Fatal(err)
	}
	// The maker of this test is no person of the commune: only the row is looked at.
	for _, r := range told {
		text, err := json.Marshal(r.PublicExport())
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"bí mật", "tôm", "cua", "announce"} {
			if strings.Contains(string(text), word) {
				t.Errorf("it holds %q: %s", word, text)
			}
		}
	}
	if len(told) != 1 || told[0].GetInt("n") != 1 || told[0].GetString("take") != "value" {
		t.Errorf("told: %v", told)
	}
}

// TestWhatWaitsFollowsItsRecord: the patient moves, and the old doctor has the
// two values no more, nor a say.
func TestWhatWaitsFollowsItsRecord(t *testing.T) {
	s := newClinic(t)
	if circles, _ := s.parked(); !slices.Equal(circles, []string{string(doctor)}) {
		t.Fatalf("shown to %v", circles)
	}
	s.sql(`UPDATE announcements SET village = 'village00000002' WHERE id = 'announce0000001'`) // by no hook's road
	if err := s.Absorb(); err != nil {
		t.Fatal(err)
	}
	if err := s.judge.Follow(s.App); err != nil {
		t.Fatal(err)
	}
	if circles, _ := s.parked(); !slices.Equal(circles, []string{"doctor:village00000002"}) {
		t.Errorf("shown to %v", circles)
	}
	if v := s.settle(1, `"take":"mine"`, doctor); v.Code != "not_found" {
		t.Errorf("the old doctor: %+v", v)
	}
	if v := s.settle(2, `"take":"mine"`, "doctor:village00000002"); v.Is != wire.Taken {
		t.Errorf("the new doctor: %+v", v)
	}
	s.want(map[string]string{"body": "cua"})
}

// TestARecordThatIsGone is nobody's to decide; the administrator puts it aside.
func TestARecordThatIsGone(t *testing.T) {
	s := newClinic(t)
	s.sql(`DELETE FROM announcements`)
	if err := s.Absorb(); err != nil {
		t.Fatal(err)
	}
	if err := s.judge.Follow(s.App); err != nil {
		t.Fatal(err)
	}
	if circles, state := s.parked(); len(circles) != 0 || state != "waiting" {
		t.Errorf("%s, shown to %v", state, circles)
	}
	if v := s.settle(1, `"take":"theirs"`, doctor); v.Code != "not_found" {
		t.Errorf("%+v", v)
	}
}
