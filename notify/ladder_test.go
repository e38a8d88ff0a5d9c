package notify

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// texter is a fake road of texts.
type texter struct{ fake }

func (*texter) Name() string { return textRoad }

// numbers returns how often each number was texted.
func (f *texter) numbers() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[string]int{}
	for _, d := range f.woken {
		out[d.Address]++
	}
	return out
}

// street is a household with people who have numbers and no phone with the app.
func street(t testing.TB, app core.App) {
	villagers(t, app, "lan", "minh", "bo", "be", "xa")
	for name, fields := range map[string]map[string]any{
		"lan":  {"phone_number": "+84912000001"},
		"minh": {"phone_number": "+84912000002"},
		"bo":   {"phone_number": "+84912000002"}, // shares Minh's
		"xa":   {"phone_number": "+84912000003", "status": "moved"},
	} {
		change(t, app, "persons", name, fields)
	}
}

func change(t testing.TB, app core.App, coll, name string, fields map[string]any) {
	t.Helper()
	r, err := app.FindRecordById(coll, id(name))
	if err != nil {
		t.Fatal(err)
	}
	r.Load(fields)
	if err := app.Save(r); err != nil {
		t.Fatal(err)
	}
}

func tell(t testing.TB, app core.App, to, key string, class commune.Class, now time.Time) string {
	t.Helper()
	if err := Raise(app, commune.Notice{To: commune.Circle(to), Key: key, Kind: "test", Title: "Tin", Class: class}, now); err != nil {
		t.Fatal(err)
	}
	return ID(commune.Circle(to), key)
}

func TestLadder(t *testing.T) {
	for who, c := range map[string]struct {
		class   commune.Class
		agree   []string // to texts
		read    string   // reads the notice before the text is due
		after   time.Duration
		texts   map[string]int
		errands string // names on the errand; "" for none
	}{
		"an emergency texts whoever has a number, a number once": {class: commune.Emergency, after: 11 * time.Minute, texts: map[string]int{"+84912000001": 1, "+84912000002": 1}},
		"not before its time":                  {class: commune.Emergency, after: 9 * time.Minute},
		"what is to be done, who agreed":       {class: commune.Needed, agree: []string{"lan"}, after: 4*time.Hour + time.Minute, texts: map[string]int{"+84912000001": 1}},
		"what is to be done, nobody agreed":    {class: commune.Needed, after: 5 * time.Hour},
		"who has read it is left alone":        {class: commune.Emergency, read: "lan", after: 11 * time.Minute, texts: map[string]int{"+84912000002": 1}},
		"news never climbs":                    {class: commune.Information, agree: []string{"lan"}, after: 72 * time.Hour},
		"then the village head is asked to go": {class: commune.Emergency, read: "lan", after: 31 * time.Minute, texts: map[string]int{"+84912000002": 1}, errands: "be, bo, minh"},
		"a day later for what is to be done":   {class: commune.Needed, after: 25 * time.Hour, errands: "be, bo, lan, minh"},
	} {
		t.Run(who, func(t *testing.T) {
			app := newApp(t)
			street(t, app)
			for _, p := range c.agree {
				add(t, app, "notice_choices", p, map[string]any{"person": id(p), "sms": true})
			}
			k := &clock{now: day}
			sms := &texter{}
			o := &Outbox{App: app, Senders: []Sender{&fake{}, sms}, Now: k.Now, Rand: func(n time.Duration) time.Duration { return n - 1 }}
			notice := tell(t, app, "household:"+id("ho1"), "k", c.class, day)
			if c.read != "" {
				add(t, app, "notice_marks", "mark", map[string]any{"person": id(c.read), "notice": notice, "read_at": "x"})
			}
			for at := time.Duration(0); at <= c.after; at += c.after / 8 {
				k.mu.Lock()
				k.now = day.Add(at)
				k.mu.Unlock()
				pass(t, o)
				pass(t, o) // a second look changes nothing
			}
			if got := sms.numbers(); fmt.Sprint(got) != fmt.Sprint(c.texts) && len(got)+len(c.texts) > 0 {
				t.Errorf("texted %v, want %v", got, c.texts)
			}
			for _, d := range sms.woken {
				if d.Text != TextFor(d.Class, o.Link) || d.Key == "" || d.Phone != "" {
					t.Errorf("the text is %+v", d)
				}
			}
			names := ""
			if r, err := app.FindFirstRecordByFilter("errands", "state = 'open'"); err == nil {
				names = r.GetString("names")
			}
			if names != c.errands {
				t.Errorf("errand for %q, want %q", names, c.errands)
			}
		})
	}
}

// TestReceiptCallsTheTextOff: a phone's cursor passes the notice after the text
// was written down and before it is sent.
func TestReceiptCallsTheTextOff(t *testing.T) {
	app := newApp(t)
	street(t, app)
	phone(t, app, "lan1", "lan")
	k := &clock{now: day}
	sms := &texter{}
	sms.answer = func(Delivery) error { return &Later{After: 5 * time.Minute, Why: "modem"} }
	o := &Outbox{App: app, Senders: []Sender{&fake{}, sms}, Now: k.Now, Rand: func(n time.Duration) time.Duration { return n - 1 },
		Heard: func(core.App, string) (int64, string, error) { return 7, "e1", nil }}
	tell(t, app, "person:"+id("lan"), "k", commune.Emergency, day)
	k.add(11 * time.Minute)
	pass(t, o)
	if n := len(sms.numbers()); n != 1 {
		t.Fatalf("texted %d numbers", n)
	}
	change(t, app, "phones", "lan1", map[string]any{"cursor": 6, "cursor_epoch": "e1"})
	k.add(6 * time.Minute)
	pass(t, o)
	if n := sms.numbers()["+84912000001"]; n != 2 {
		t.Fatalf("a cursor short of the notice called it off: tried %d times", n)
	}
	change(t, app, "phones", "lan1", map[string]any{"cursor": 7, "cursor_epoch": "e1"})
	k.add(20 * time.Minute)
	pass(t, o)
	k.add(time.Hour)
	pass(t, o)
	if n := sms.numbers()["+84912000001"]; n != 2 {
		t.Errorf("tried %d times after the phone had it", n)
	}
	if r, err := app.FindFirstRecordByFilter("notice_rungs", "rung = 'sms'"); err != nil || r.GetString("state") != "cancelled" {
		t.Errorf("the rung is %v %v", r, err)
	}
	if n := count(t, app, `SELECT count(*) FROM errands`); n != 0 {
		t.Errorf("%d errands for somebody who has it", n)
	}
}

// TestNobodyIsTextedTwice: a text that may have gone is not repeated, whether the
// gateway's answer was lost or the server was; the errand finds the person.
func TestNobodyIsTextedTwice(t *testing.T) {
	for who, answer := range map[string]func(stop func()) func(Delivery) error{
		"the answer was lost": func(func()) func(Delivery) error {
			return func(Delivery) error { return &Later{Why: "reset", Unsure: true} }
		},
		"the server was killed": func(stop func()) func(Delivery) error {
			return func(Delivery) error { stop(); select {} }
		},
	} {
		t.Run(who, func(t *testing.T) {
			app := newApp(t)
			street(t, app)
			k := &clock{now: day}
			died := make(chan struct{})
			sms := &texter{}
			sms.answer = answer(func() { close(died) })
			o := &Outbox{App: app, Senders: []Sender{sms}, Now: k.Now}
			tell(t, app, "person:"+id("lan"), "k", commune.Emergency, day)
			k.add(11 * time.Minute)
			done := make(chan struct{})
			go func() { defer close(done); _ = o.Pass(t.Context()) }()
			select {
			case <-died:
			case <-done:
			}
			well := &texter{}
			next := &Outbox{App: app, Senders: []Sender{well}, Now: k.Now}
			for range 60 {
				k.add(time.Minute)
				pass(t, next)
			}
			if n := len(well.numbers()); n != 0 {
				t.Errorf("texted again: %v", well.numbers())
			}
			if r, err := app.FindFirstRecordByFilter("notice_rungs", "rung = 'sms'"); err != nil || r.GetString("state") != "unsure" {
				t.Errorf("the rung is %v %v", r, err)
			}
			if n := count(t, app, `SELECT count(*) FROM errands WHERE state = 'open'`); n != 1 {
				t.Errorf("%d errands, want 1", n)
			}
		})
	}
}

// TestVillageHeadIsNotSentToEverybody: beyond twenty households one errand
// stands for the rest.
func TestVillageHeadIsNotSentToEverybody(t *testing.T) {
	app := newApp(t)
	villagers(t, app, "lan")
	for i := range mostErrands + 15 {
		ho, p := fmt.Sprintf("h%dx", i), fmt.Sprintf("p%dx", i)
		add(t, app, "households", ho, map[string]any{"name": ho, "village": id("dong")})
		add(t, app, "persons", p, map[string]any{"name": p, "household": id(ho), "village": id("dong")})
	}
	k := &clock{now: day}
	o := &Outbox{App: app, Senders: []Sender{&fake{}}, Now: k.Now}
	tell(t, app, "village:"+id("dong"), "k", commune.Emergency, day)
	k.add(31 * time.Minute)
	pass(t, o)
	if n := count(t, app, `SELECT count(*) FROM errands`); n != mostErrands+1 {
		t.Errorf("%d errands, want %d", n, mostErrands+1)
	}
}

// TestErrandClosesWhenHeard: the person syncs before anybody came by.
func TestErrandClosesWhenHeard(t *testing.T) {
	app := newApp(t)
	street(t, app)
	k := &clock{now: day}
	o := &Outbox{App: app, Senders: []Sender{&fake{}}, Now: k.Now}
	notice := tell(t, app, "person:"+id("lan"), "k", commune.Emergency, day)
	k.add(31 * time.Minute)
	pass(t, o)
	o.setup()
	if err := o.closeErrands(); err != nil {
		t.Fatal(err)
	}
	if n := count(t, app, `SELECT count(*) FROM errands WHERE state = 'open'`); n != 1 {
		t.Fatalf("%d open errands, want 1", n)
	}
	add(t, app, "notice_marks", "mark", map[string]any{"person": id("lan"), "notice": notice, "read_at": "x"})
	if err := o.closeErrands(); err != nil {
		t.Fatal(err)
	}
	if n := count(t, app, `SELECT count(*) FROM errands WHERE state = 'received'`); n != 1 {
		t.Errorf("%d received, want 1", n)
	}
}

// TestWrongGatewaySettingsLoseNoText: they wait until somebody repairs them.
func TestWrongGatewaySettingsLoseNoText(t *testing.T) {
	app := newApp(t)
	street(t, app)
	k := &clock{now: day}
	wrong := true
	sms := &texter{}
	sms.answer = func(Delivery) error {
		if wrong {
			return &Config{"401"}
		}
		return nil
	}
	o := &Outbox{App: app, Senders: []Sender{sms}, Now: k.Now, Rand: func(n time.Duration) time.Duration { return n - 1 }}
	tell(t, app, "household:"+id("ho1"), "k", commune.Emergency, day)
	k.add(11 * time.Minute)
	for range 10 {
		pass(t, o)
		k.add(time.Minute)
	}
	if n := len(sms.woken); n > 1 {
		t.Errorf("tried %d times in ten minutes", n)
	}
	wrong = false
	k.add(configRest)
	pass(t, o)
	pass(t, o)
	k.add(time.Minute)
	pass(t, o)
	if got := sms.numbers(); len(got) != 2 {
		t.Errorf("after the repair texted %v", got)
	}
}

func TestRefusedTextIsToldToOfficers(t *testing.T) {
	app := newApp(t)
	street(t, app)
	k := &clock{now: day}
	sms := &texter{}
	sms.answer = func(d Delivery) error { return errors.New("no such number " + d.Address) }
	o := &Outbox{App: app, Senders: []Sender{sms}, Now: k.Now}
	tell(t, app, "person:"+id("lan"), "k", commune.Emergency, day)
	k.add(11 * time.Minute)
	pass(t, o)
	r, err := app.FindFirstRecordByFilter("notice_rungs", "rung = 'sms'")
	if err != nil || r.GetString("state") != "failed" || r.GetString("why") != "no such number …" {
		t.Errorf("the rung is %v %v", r, err)
	}
}
