package sms

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"langso/apptest"
	"langso/commune"
	"langso/notify"
)

func kind(err error) string {
	var later *notify.Later
	var config *notify.Config
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &later):
		return "later"
	case errors.As(err, &config):
		return "config"
	}
	return "refused"
}

// taker is a gateway that keeps what it was given, and answers as told.
type taker struct {
	says error
	sent []string
}

func (*taker) Name() string { return "taker" }
func (g *taker) Send(_ context.Context, number, text string) error {
	g.sent = append(g.sent, number+" "+text)
	return g.says
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, commune.Zone)

func TestBudgetAndCap(t *testing.T) {
	g := &taker{}
	at := noon
	app := apptest.New(t)
	s := &Sender{Purse: &Purse{App: app, Budget: 4, PerNumber: 2, Now: func() time.Time { return at }}, Gateway: g}
	send := func(number string, class commune.Class) error {
		return s.Send(t.Context(), notify.Delivery{Address: number, Class: class, Text: "Bác có thông báo mới.", Key: "k"})
	}
	const lan, mai, hoa = "+84912345678", "+84912345679", "+84356789012"
	for i, c := range []struct {
		who   string
		class commune.Class
		want  string
	}{
		{lan, commune.Needed, "ok"}, {lan, commune.Needed, "ok"}, {lan, commune.Needed, "refused"}, {lan, commune.Emergency, "ok"},
		{mai, commune.Needed, "ok"}, {hoa, commune.Needed, "later"}, {hoa, commune.Emergency, "ok"},
	} {
		if err := send(c.who, c.class); kind(err) != c.want {
			t.Errorf("text %d: %v, want %s", i, err, c.want)
		}
	}
	if len(g.sent) != 5 || g.sent[0] != lan+" Bac co thong bao moi." {
		t.Errorf("went %v", g.sent)
	}
	var later *notify.Later
	if err := send(hoa, commune.Needed); !errors.As(err, &later) || later.After != 12*time.Hour {
		t.Errorf("the road rests %v, want until midnight", err)
	}
	at = noon.Add(12 * time.Hour)
	if err := send(lan, commune.Needed); err != nil {
		t.Errorf("the next day: %v", err)
	}
	for who, d := range map[string]notify.Delivery{
		"a landline": {Address: "+842043123456", Text: "x"}, "another country": {Address: "+8613800138000", Text: "x"}, "no number": {Text: "x"},
		"two parts": {Address: lan, Text: strings.Repeat("a", 161)}, "nothing to say": {Address: lan},
	} {
		if err := s.Send(t.Context(), d); kind(err) != "refused" || !strings.Contains(err.Error(), "sms_") || strings.Contains(err.Error(), "+84") {
			t.Errorf("%s: %v", who, err)
		}
	}
	// What surely did not go is not counted; what may have gone is.
	for _, c := range []struct {
		says error
		cost int
	}{{&notify.Later{Why: "busy"}, 0}, {&notify.Later{Why: "cut", Unsure: true}, 1}} {
		at = at.AddDate(0, 0, 1)
		g.says = c.says
		_ = send(lan, commune.Needed)
		var n int
		if err := app.DB().NewQuery(`SELECT ifnull(sum(texts), 0) FROM sms_days WHERE day = '` + commune.Day(at) + `'`).Row(&n); err != nil || n != c.cost {
			t.Errorf("%v counted %d (%v), want %d", c.says, n, err, c.cost)
		}
	}
	if off := (&Sender{}).Off(); off == "" {
		t.Error("on without a gateway")
	}
}

// desk is a commune in which two persons share a number and were texted.
func desk(t *testing.T) (*Inbound, http.Handler) {
	t.Helper()
	app := apptest.New(t)
	put := func(coll, id string, fields map[string]any) { t.Helper(); apptest.Put(t, app, coll, id, fields) }
	put("villages", "v00000000000000", map[string]any{"name": "Thôn"})
	put("households", "h00000000000000", map[string]any{"name": "Hộ", "village": "v00000000000000"})
	for _, p := range []string{"lan", "minh"} {
		put("persons", p+"000000000000"[:15-len(p)], map[string]any{"name": p, "household": "h00000000000000", "phone_number": "+84912345678"})
	}
	put("notices", "n00000000000000", map[string]any{"circle": "commune", "kind": "x", "title": "Bão"})
	put("notice_rungs", "r00000000000000", map[string]any{"notice": "n00000000000000", "person": "lan000000000000", "rung": "sms", "state": "sent", "next_at": noon.Unix() - 60})
	put("notice_rungs", "r00000000000001", map[string]any{"notice": "n00000000000000", "person": "minh00000000000"[:15], "rung": "sms", "state": "shared", "next_at": noon.Unix() - 60})
	put("notice_choices", "c00000000000000", map[string]any{"person": "lan000000000000", "sms": true})
	in := &Inbound{App: app, Secret: "0123456789abcdef", Now: func() time.Time { return noon }}
	router, err := apis.NewRouter(app)
	if err != nil {
		t.Fatal(err)
	}
	in.Bind(&core.ServeEvent{App: app, Router: router})
	mux, err := router.BuildMux()
	if err != nil {
		t.Fatal(err)
	}
	return in, mux
}

func get(h http.Handler, path string) int {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w.Code
}

func TestWhatComesBack(t *testing.T) {
	in, web := desk(t)
	one := func(sql string) (text string) {
		t.Helper()
		if err := in.App.DB().NewQuery(sql).Row(&text); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		return text
	}
	if get(web, AnswerPath+"0123456789abcdeX?from=0912345678&text=DA+NHAN") != 404 || one(`SELECT count(*) FROM notice_marks`) != "0" {
		t.Error("a stranger is heard")
	}
	report := func(status string) string {
		t.Helper()
		if code := get(web, ReportPath+in.Secret+"?key=r00000000000000&status="+status); code != 200 {
			t.Fatalf("report answered %d", code)
		}
		return one(`SELECT state || ' ' || why FROM notice_rungs WHERE id = 'r00000000000000'`)
	}
	for _, c := range [][2]string{{"8", "sent "}, {"1", "sent delivered"}, {"2", "sent delivered"}, {"nonsense", "sent delivered"}} {
		if got := report(c[0]); got != c[1] {
			t.Errorf("report %s makes it %q, want %q", c[0], got, c[1])
		}
	}
	for _, text := range []string{"da+nhan", "%C4%90%C3%A3+nh%E1%BA%ADn.", "DA++NHAN%0A"} {
		if code := get(web, AnswerPath+in.Secret+"?from=0912345678&text="+text); code != 200 {
			t.Fatalf("answered %d", code)
		}
		if n := one(`SELECT count(*) FROM notice_marks WHERE notice = 'n00000000000000'`); n != "2" {
			t.Errorf("after %s %s marks, want one for each who shares the number", text, n)
		}
	}
	for range 2 {
		get(web, AnswerPath+in.Secret+"?from=%2B84912345678&text=B%C3%A1c+h%E1%BB%8Fi+%3F")
	}
	if got := one(`SELECT group_concat(number || ' ' || text || ' ' || state) FROM sms_replies`); got != "+84912345678 Bác hỏi ? waiting" {
		t.Errorf("kept %q", got)
	}
	get(web, AnswerPath+in.Secret+"?from=84912345678&text=dung")
	if one(`SELECT sms FROM notice_choices`) != "0" {
		t.Error("who says stop is texted on")
	}
	get(web, AnswerPath+in.Secret+"?from=0987654321&text=DA+NHAN") // nobody texted them: an officer may know
	if one(`SELECT count(*) FROM sms_replies`) != "2" {
		t.Error("an answer was dropped")
	}
}

func TestLateFailureOfATextThatWasNotDelivered(t *testing.T) {
	in, web := desk(t)
	get(web, ReportPath+in.Secret+"?key=r00000000000000&status=16")
	r, err := in.App.FindRecordById("notice_rungs", "r00000000000000")
	if err != nil || r.GetString("state") != "failed" {
		t.Errorf("state %v (%v)", r.GetString("state"), err)
	}
	if _, short := desk(t); get(short, ReportPath+"?key=r00000000000000&status=1") != 404 {
		t.Error("a path without a secret is served")
	}
}
