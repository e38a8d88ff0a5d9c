package broadcast_test

import (
	"strings"
	"testing"
	"time"

	"langso/commune"
	"langso/commune/broadcast"
	"langso/commune/communetest"
)

var (
	leader = communetest.As("ha", commune.Named("duty", "leader"))
	both   = communetest.As("mai", commune.Named("duty", "broadcast"), commune.Named("duty", "leader"))
	nobody = communetest.As("lan")
)

// desk is a commune with its officers and a broadcast "b" by Mai.
func desk(t *testing.T, fields map[string]any) *communetest.Commune {
	t.Helper()
	c := commons(t)
	for _, p := range []string{"mai", "ha"} {
		c.Put("persons", p, map[string]any{"name": p, "household": communetest.ID("ho"), "village": communetest.ID("phuc"), "phone_number": "+8491200000" + p[:1]})
	}
	all := map[string]any{"title": "Họp thôn"}
	for k, v := range fields {
		all[k] = v
	}
	communetest.Judged(t, "write", c.Write(speaker, "broadcasts", "b", all), "")
	return c
}

func do(c *communetest.Commune, who commune.Author, action string) error {
	_, err := c.Do(who, action, map[string]string{"broadcast": communetest.ID("b")})
	return err
}

func TestComposing(t *testing.T) {
	for who, k := range map[string]struct {
		fields map[string]any
		want   string
	}{
		"a title alone":        {map[string]any{}, ""},
		"without a title":      {map[string]any{"title": " "}, "title_missing"},
		"a class that is none": {map[string]any{"class": 7}, "bad_class"},
		"for the evening":      {map[string]any{"send_at": "2026-11-24T18:00:00+07:00", "expires": "2026-11-25T18:00:00+07:00"}, ""},
		"an hour that is none": {map[string]any{"send_at": "chiều mai"}, "bad_date"},
		"over before it goes":  {map[string]any{"send_at": "2026-11-26T18:00:00+07:00", "expires": "2026-11-25T18:00:00+07:00"}, "notice.time_bad"},
		"over already":         {map[string]any{"expires": "2026-11-23T18:00:00+07:00"}, "notice.time_bad"},
	} {
		c := commons(t)
		c.Put("persons", "mai", map[string]any{"name": "mai", "household": communetest.ID("ho")})
		k.fields["body"] = "Nội dung"
		if k.fields["title"] == nil {
			k.fields["title"] = "Họp"
		}
		communetest.Judged(t, who, c.Write(speaker, "broadcasts", "b", k.fields), k.want)
		if k.want == "" {
			if r := c.Get("broadcasts", "b"); r.GetString("state") != "draft" || r.GetString("by") != communetest.ID("mai") || r.GetInt("class") == 0 {
				t.Errorf("%s: %v", who, r.PublicExport())
			}
		}
	}
}

// TestReach: what the writer sees before sending.
func TestReach(t *testing.T) {
	for who, k := range map[string]struct {
		class                 commune.Class
		people, phones, texts int
	}{
		"news":         {commune.Information, 3, 1, 0},
		"to be done":   {commune.Needed, 3, 1, 1},
		"an emergency": {commune.Emergency, 3, 1, 2},
	} {
		c := desk(t, nil)
		c.Put("persons", "old", map[string]any{"name": "old", "household": communetest.ID("ho"), "status": "dead", "phone_number": "+84912999999"})
		c.Put("notice_choices", "mai", map[string]any{"person": communetest.ID("mai"), "sms": true})
		c.Put("phones", "p1", map[string]any{"person": communetest.ID("lan"), "label": "x", "public_key": "1", "transport": "fcm", "address": "a", "address_state": "ok"})
		c.Put("phones", "p2", map[string]any{"person": communetest.ID("lan"), "label": "x", "public_key": "2", "transport": "fcm", "address": "b", "address_state": "gone"})
		communetest.Judged(t, who, c.Write(speaker, "broadcasts", "b", map[string]any{"class": int(k.class)}), "")
		if r := c.Get("broadcasts", "b"); r.GetInt("people") != k.people || r.GetInt("phones") != k.phones || r.GetInt("texts") != k.texts {
			t.Errorf("%s reaches %d people, %d phones, %d numbers; want %+v", who, r.GetInt("people"), r.GetInt("phones"), r.GetInt("texts"), k)
		}
	}
}

func TestApproving(t *testing.T) {
	for who, k := range map[string]struct {
		class commune.Class
		asked bool
		by    commune.Author
		want  string
	}{
		"another leader":                     {commune.Information, true, leader, ""},
		"a villager":                         {commune.Information, true, nobody, "notice.not_allowed"},
		"the writer, who leads too":          {commune.Information, true, both, "broadcast.own"},
		"the writer, in an emergency":        {commune.Emergency, true, both, ""},
		"an emergency that nobody asked for": {commune.Emergency, false, both, ""},
		"a writer without that duty":         {commune.Emergency, true, speaker, "notice.not_allowed"},
		"a draft":                            {commune.Needed, false, leader, "broadcast.state"},
	} {
		c := desk(t, map[string]any{"class": int(k.class)})
		if k.asked {
			communetest.Judged(t, who, do(c, speaker, "broadcast.ask"), "")
			if n := c.Notices[len(c.Notices)-1]; n.To != "duty:leader" || n.Class != commune.Needed {
				t.Errorf("%s: leaders are told %+v", who, n)
			}
		}
		c.Notices = nil
		communetest.Judged(t, who, do(c, k.by, "broadcast.approve"), k.want)
		r := c.Get("broadcasts", "b")
		if k.want != "" {
			if len(c.Notices) != 0 || r.GetString("state") == "sent" {
				t.Errorf("%s: it went all the same", who)
			}
			continue
		}
		if len(c.Notices) == 0 || c.Notices[0].To != commune.Commune || c.Notices[0].Class != k.class || r.GetString("notice") != commune.NoticeID(c.Notices[0].To, c.Notices[0].Key) {
			t.Errorf("%s: raised %+v for %v", who, c.Notices, r.PublicExport())
		}
		if a := c.Get("announcements", "b"); a.GetString("title") != "Họp thôn" || a.GetBool("urgent") != (k.class == commune.Emergency) {
			t.Errorf("%s: announced %v", who, a.PublicExport())
		}
	}
}

// TestChangedAfterAsking: what a leader reads is what goes.
func TestChangedAfterAsking(t *testing.T) {
	c := desk(t, nil)
	communetest.Judged(t, "ask", do(c, speaker, "broadcast.ask"), "")
	communetest.Judged(t, "change", c.Write(speaker, "broadcasts", "b", map[string]any{"title": "Họp xã"}), "")
	communetest.Judged(t, "approve what was changed", do(c, leader, "broadcast.approve"), "broadcast.state")
	communetest.Judged(t, "ask again", do(c, speaker, "broadcast.ask"), "")
	communetest.Judged(t, "approve", do(c, leader, "broadcast.approve"), "")
	communetest.Judged(t, "change what went", c.Write(speaker, "broadcasts", "b", map[string]any{"title": "Họp tỉnh"}), "broadcast.fixed")
	communetest.Judged(t, "approve twice", do(c, leader, "broadcast.approve"), "broadcast.state")
}

func tick(t *testing.T, c *communetest.Commune) {
	t.Helper()
	if err := broadcast.Domain.Jobs[0].Do(c.App, c.Now); err != nil {
		t.Fatal(err)
	}
}

// TestScheduled: it goes at its hour, is counted, and is stopped.
func TestScheduled(t *testing.T) {
	c := desk(t, map[string]any{"send_at": "2026-11-24T18:00:00+07:00"})
	communetest.Judged(t, "ask", do(c, speaker, "broadcast.ask"), "")
	communetest.Judged(t, "approve", do(c, leader, "broadcast.approve"), "")
	tick(t, c)
	if s := c.Get("broadcasts", "b").GetString("state"); s != "approved" {
		t.Fatalf("in the morning it is %s", s)
	}
	c.Now = time.Date(2026, 11, 24, 11, 0, 30, 0, time.UTC)
	tick(t, c)
	r := c.Get("broadcasts", "b")
	if r.GetString("state") != "sent" {
		t.Fatalf("in the evening it is %s", r.GetString("state"))
	}
	notice := r.GetString("notice")
	// The domain's test has no notices of its own: what the outbox would have written.
	c.Put("notices", "x", map[string]any{"circle": "commune", "title": "Họp"})
	for _, q := range []string{
		`UPDATE notices SET id = '` + notice + `'`,
		`INSERT INTO deliveries (id, key, notice, circle, state, rung, reached) VALUES ('d1', 'd1', '` + notice + `', 'commune', 'done', '', 7), ('d2', 'd2', '` + notice + `', 'commune', 'waiting', 'sms', 0)`,
		`INSERT INTO notice_rungs (id, notice, person, rung, state) VALUES ('r1', '` + notice + `', 'a', 'sms', 'sent'), ('r2', '` + notice + `', 'b', 'sms', 'waiting')`,
	} {
		if _, err := c.App.NonconcurrentDB().NewQuery(q).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	c.Now = c.Now.Add(time.Minute)
	tick(t, c)
	if r := c.Get("broadcasts", "b"); r.GetInt("woken") != 7 || r.GetInt("texted") != 1 {
		t.Errorf("counted %v", r.PublicExport())
	}
	communetest.Judged(t, "a villager stops it", do(c, nobody, "broadcast.stop"), "not_yours")
	communetest.Judged(t, "stop", do(c, speaker, "broadcast.stop"), "")
	communetest.Judged(t, "stop again", do(c, speaker, "broadcast.stop"), "broadcast.state")
	var left int
	if err := c.App.DB().NewQuery(`SELECT (SELECT count(*) FROM deliveries WHERE state = 'waiting') + (SELECT count(*) FROM notice_rungs WHERE state = 'waiting') + (SELECT count(*) FROM announcements)`).Row(&left); err != nil || left != 0 {
		t.Errorf("%d things go on after the stop (%v)", left, err)
	}
}

// TestByHandInTheDashboard: who sets "sent" or "stopped" there does what the
// actions do.
func TestByHandInTheDashboard(t *testing.T) {
	c := desk(t, nil)
	root := commune.Author{Admin: "root"}
	set := func(state string) {
		t.Helper()
		communetest.Judged(t, state, c.Write(root, "broadcasts", "b", map[string]any{"state": state}), "")
		tick(t, c)
	}
	set("sent")
	r := c.Get("broadcasts", "b")
	if r.GetString("state") != "sent" || r.GetString("notice") == "" || len(c.Notices) == 0 {
		t.Fatalf("it is %v", r.PublicExport())
	}
	notice := r.GetString("notice")
	if _, err := c.App.NonconcurrentDB().NewQuery(`INSERT INTO deliveries (id, key, notice, circle, state, class, urgent) VALUES
		('d1', 'd1', '` + notice + `', 'commune', 'waiting', 2, TRUE), ('d2', 'd2', '` + notice + `', 'phone:x', 'waiting', 2, TRUE)`).Execute(); err != nil {
		t.Fatal(err)
	}
	set("stopped")
	var all, one string
	var left int
	if err := c.App.DB().NewQuery(`SELECT (SELECT state FROM deliveries WHERE id = 'd1'), (SELECT state || class || notice FROM deliveries WHERE id = 'd2'), (SELECT count(*) FROM announcements)`).
		Row(&all, &one, &left); err != nil || all != "stopped" || one != "waiting3" || left != 0 {
		t.Errorf("everybody's is %s, one phone's %s, %d announcements (%v)", all, one, left, err)
	}
}

// TestOverBeforeItsHour: approved late, nobody is misled.
func TestOverBeforeItsHour(t *testing.T) {
	c := desk(t, map[string]any{"send_at": "2026-11-24T18:00:00+07:00", "expires": "2026-11-24T19:00:00+07:00"})
	communetest.Judged(t, "ask", do(c, speaker, "broadcast.ask"), "")
	communetest.Judged(t, "approve", do(c, leader, "broadcast.approve"), "")
	c.Now = time.Date(2026, 11, 24, 13, 0, 0, 0, time.UTC) // the server was off
	c.Notices = nil
	tick(t, c)
	if s := c.Get("broadcasts", "b").GetString("state"); s != "stopped" || len(c.Notices) != 0 {
		t.Errorf("it is %s, raised %v", s, c.Notices)
	}
}

// TestTooManyADay: the sixth of one writer waits for tomorrow, an emergency never.
func TestTooManyADay(t *testing.T) {
	c := desk(t, nil)
	for i := range 6 {
		name := "n" + strings.Repeat("x", i+1)
		class := commune.Information
		if i == 5 {
			class = commune.Emergency
		}
		communetest.Judged(t, "write", c.Write(speaker, "broadcasts", name, map[string]any{"title": "Tin", "class": int(class)}), "")
		for _, step := range []struct {
			who    commune.Author
			action string
		}{{speaker, "broadcast.ask"}, {leader, "broadcast.approve"}} {
			_, err := c.Do(step.who, step.action, map[string]string{"broadcast": communetest.ID(name)})
			communetest.Judged(t, step.action, err, "")
		}
	}
	communetest.Judged(t, "ask", do(c, speaker, "broadcast.ask"), "")
	communetest.Judged(t, "the sixth", do(c, leader, "broadcast.approve"), "notice.too_many")
	c.Now = c.Now.Add(24 * time.Hour)
	communetest.Judged(t, "tomorrow", do(c, leader, "broadcast.approve"), "")
}

func TestChoices(t *testing.T) {
	for who, k := range map[string]struct {
		fields map[string]any
		want   string
	}{
		"quiet over night":     {map[string]any{"quiet_from": "20:00", "quiet_to": "06:30"}, ""},
		"nothing chosen":       {map[string]any{}, ""},
		"from and to the same": {map[string]any{"quiet_from": "20:00", "quiet_to": "20:00"}, "notice.quiet_bad"},
		"half of it":           {map[string]any{"quiet_from": "20:00"}, "notice.quiet_bad"},
		"an hour that is none": {map[string]any{"digest": "24:30"}, "notice.quiet_bad"},
		"agrees to texts":      {map[string]any{"sms": true}, ""},
	} {
		c := commons(t)
		k.fields["person"] = communetest.ID("lan")
		communetest.Judged(t, who, c.Write(nobody, "notice_choices", "c", k.fields), k.want)
		if k.want == "" {
			if r := c.Get("notice_choices", "c"); r.GetBool("sms") != (r.GetString("sms_at") != "") {
				t.Errorf("%s: agreed %v at %q", who, r.GetBool("sms"), r.GetString("sms_at"))
			}
		}
	}
}

func TestErrands(t *testing.T) {
	c := commons(t)
	head := communetest.As("truong", commune.Named("village-head", communetest.ID("phuc")))
	c.Put("errands", "e", map[string]any{"village": communetest.ID("phuc"), "names": "Lan", "state": "open"})
	communetest.Judged(t, "been there", c.Write(head, "errands", "e", map[string]any{"state": "done", "done_at": "x"}), "")
	communetest.Judged(t, "a state of the server's", c.Write(head, "errands", "e", map[string]any{"state": "received"}), "bad_state")
	communetest.Judged(t, "an errand of one's own", c.Write(head, "errands", "f", map[string]any{"village": communetest.ID("phuc"), "names": "x"}), "not_yours")
	communetest.Judged(t, "throws it away", c.Delete(head, "errands", "e"), "not_yours")
}
