package notify

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

func TestIDIsStable(t *testing.T) {
	a := ID("person:p1", "dose:1")
	if !commune.ValidID(a) {
		t.Errorf("%q is no id", a)
	}
	if a != ID("person:p1", "dose:1") || a == ID("person:p1", "dose:2") || a == ID("person:p", "1dose:1") {
		t.Error("ids do not follow circle and key")
	}
}

func TestRaiseWritesNoticeAndDeliveryOnce(t *testing.T) {
	app := newApp(t)
	n := commune.Notice{To: "person:p1", Key: "k", Kind: "dose", Title: "Đến hẹn tiêm", Body: "Mai tiêm.", Link: "#/suc-khoe/p1", Urgent: true}
	for range 3 {
		if err := Raise(app, n, day); err != nil {
			t.Fatal(err)
		}
	}
	if got := count(t, app, `SELECT count(*) FROM notices`); got != 1 {
		t.Errorf("%d notices, want 1", got)
	}
	r, err := app.FindRecordById("notices", ID(n.To, n.Key))
	if err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]string{"circle": "person:p1", "kind": "dose", "title": "Đến hẹn tiêm", "body": "Mai tiêm.", "link": "#/suc-khoe/p1", "at": "2026-11-24 02:00:00.000Z", "urgent": "true"} {
		if got := r.GetString(field); got != want {
			t.Errorf("%s: got %q, want %q", field, got, want)
		}
	}
	d := delivery(t, app, r.Id)
	if d.GetString("state") != waiting || d.GetInt("next_at") != int(day.Unix()) || d.GetString("notice") != r.Id {
		t.Errorf("delivery %v", d.PublicExport())
	}
	// Taken out of the inbox it stays known: the same step is not told twice.
	if err := app.Delete(r); err != nil {
		t.Fatal(err)
	}
	if err := Raise(app, n, day); err != nil {
		t.Fatal(err)
	}
	if got := count(t, app, `SELECT count(*) FROM notices`); got != 0 {
		t.Errorf("a deleted notice came back")
	}
}

func TestRaiseSharesTheChangesFate(t *testing.T) {
	app := newApp(t)
	err := app.RunInTransaction(func(tx core.App) error {
		if err := Raise(tx, commune.Notice{To: "commune", Key: "k", Title: "Tin"}, day); err != nil {
			t.Fatal(err)
		}
		return errTest
	})
	if !errors.Is(err, errTest) {
		t.Fatal(err)
	}
	if n := count(t, app, `SELECT (SELECT count(*) FROM notices) + (SELECT count(*) FROM deliveries)`); n != 0 {
		t.Errorf("%d rows of a change that never was", n)
	}
}

func TestRaiseCutsLongWordsAndRefusesNamelessOnes(t *testing.T) {
	app := newApp(t)
	n := commune.Notice{To: "commune", Key: "k", Title: strings.Repeat("ệ", 300), Body: strings.Repeat("ệ", 5000)}
	if err := Raise(app, n, day); err != nil {
		t.Fatal(err)
	}
	r, err := app.FindRecordById("notices", ID(n.To, n.Key))
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Repeat("ệ", 199) + "…"; r.GetString("title") != want {
		t.Errorf("title is %q", r.GetString("title"))
	}
	for who, n := range map[string]commune.Notice{
		"no circle": {Key: "k", Title: "Tin"},
		"no key":    {To: "commune", Title: "Tin"},
		"no title":  {To: "commune", Key: "k2"},
	} {
		if Raise(app, n, day) == nil {
			t.Errorf("%s: raised", who)
		}
	}
	if got := count(t, app, `SELECT count(*) FROM deliveries`); got != 1 {
		t.Errorf("%d deliveries, want 1", got)
	}
}

func TestQuietHours(t *testing.T) {
	at := func(d, h, m int) time.Time { return time.Date(2026, 11, d, h, m, 0, 0, commune.Zone) }
	for who, c := range map[string]struct {
		at      time.Time
		morning int // day of November on whose morning it goes; 0: at once
	}{
		"an officer in the morning": {at(24, 9, 0), 0},
		"a minute before nine":      {at(24, 20, 59), 0},
		"nine in the evening":       {at(24, 21, 0), 25},
		"midnight":                  {at(25, 0, 0), 25},
		"a minute before six":       {at(25, 5, 59), 25},
		"six in the morning":        {at(25, 6, 0), 0},
		"the same, told in UTC":     {at(24, 23, 30).UTC(), 25},
		"the last evening of month": {at(30, 22, 0), 31},
	} {
		t.Run(who, func(t *testing.T) {
			got := afterQuiet(c.at, "key")
			if c.morning == 0 {
				if !got.Equal(c.at) {
					t.Errorf("held until %v", got)
				}
				return
			}
			from := at(c.morning, 6, 0)
			if got.Before(from) || got.Sub(from) >= morningSpread {
				t.Errorf("goes at %v, want soon after %v", got, from)
			}
		})
	}
	if a, b := afterQuiet(at(24, 22, 0), "a"), afterQuiet(at(24, 22, 0), "b"); a.Equal(b) {
		t.Error("the morning is not spread")
	}
}
