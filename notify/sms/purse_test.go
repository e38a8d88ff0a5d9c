package sms

import (
	"fmt"
	"testing"
	"time"

	"langso/apptest"
	"langso/commune"
	"langso/notify"
)

// TestNobodySpendsTheOthersShare: codes and notices have one budget and each its
// part of it, whatever happens to the other's.
func TestNobodySpendsTheOthersShare(t *testing.T) {
	at := noon
	p := &Purse{App: apptest.New(t), Budget: 30, Codes: 10, Now: func() time.Time { return at }}
	g := &taker{}
	road, code := &Sender{Purse: p, Gateway: g}, Codes(g, p)
	number := func(i int) string { return fmt.Sprintf("+849%08d", i) }
	// A stranger asks for codes to one number, then to a thousand.
	for range 20 {
		_ = code.Send(t.Context(), number(0), "123456")
	}
	if len(g.sent) != 5 {
		t.Errorf("one number spent %d of 10", len(g.sent))
	}
	if road.Alarm() != "" {
		t.Error("an alarm at half")
	}
	for i := range 1000 {
		_ = code.Send(t.Context(), number(i), "123456")
	}
	if full, ok := code.(*CodeGateway); len(g.sent) != 10 || !ok || !full.Spent() {
		t.Errorf("%d codes went of 10", len(g.sent))
	}
	if road.Alarm() == "" {
		t.Error("nobody is told that the codes are spent")
	}
	// Notices have all of theirs, and not more.
	g.sent = nil
	for i := range 50 {
		_ = road.Send(t.Context(), notify.Delivery{Address: number(i), Class: commune.Needed, Text: notify.TextFor(commune.Needed, "")})
	}
	if len(g.sent) != 20 {
		t.Errorf("%d texts went of 20", len(g.sent))
	}
	if err := road.Send(t.Context(), notify.Delivery{Address: number(1), Class: commune.Emergency, Text: "x"}); err != nil {
		t.Errorf("an emergency was held: %v", err)
	}
	// The other way about: after a day of storm, people still sign in.
	at, g.sent = at.AddDate(0, 0, 1), nil
	for i := range 50 {
		_ = road.Send(t.Context(), notify.Delivery{Address: number(i), Class: commune.Emergency, Text: "x"})
	}
	if err := code.Send(t.Context(), number(3), "123456"); err != nil || road.Alarm() != "" {
		t.Errorf("no way in after a storm: %v, %q", err, road.Alarm())
	}
}

// TestSentencesFit: each class has one, which is one part with the longest address.
func TestSentencesFit(t *testing.T) {
	t.Setenv("LANGSO_SMS_LINK", "https://xa-phuc-hoa.example.vn/a/12345678")
	if _, err := LinkFromEnv(); err == nil {
		t.Error("an address of 41 characters is taken")
	}
	t.Setenv("LANGSO_SMS_LINK", "https://xa-phuc-hoa.example.vn/a/1234567")
	link, err := LinkFromEnv()
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	for _, class := range []commune.Class{commune.Emergency, commune.Needed} {
		text := notify.TextFor(class, link)
		said[text] = true
		if Parts(text) != 1 || Fold(text) != text {
			t.Errorf("%q is %d parts", text, Parts(text))
		}
	}
	if len(said) != 2 {
		t.Error("an emergency reads like any other")
	}
	for _, bad := range []string{"xã.vn", "a b", "xa.vn/ệ"} {
		t.Setenv("LANGSO_SMS_LINK", bad)
		if _, err := LinkFromEnv(); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
