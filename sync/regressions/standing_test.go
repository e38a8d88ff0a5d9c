package regressions_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"langso/phone"
)

// Lan's draft was moved to bà Bảy by mistake, back to Lan, and to bà Bảy again,
// all between two exchanges. The last entry looked to the server like one that
// Lan's phone had never had: it told nothing, and Lan kept a stranger's draft.
func TestARecordThatLeftTwiceIsGone(t *testing.T) {
	s := newScene(t)
	s.put("drafts", draft, draftOf(lan, "x"))
	p := s.phone(lan)
	s.syncs(p)
	for _, person := range []string{bay, lan, bay} {
		s.sql(`UPDATE drafts SET person = '%s'`, person)
	}
	s.syncs(p)
	if s.has(p, "drafts", draft) {
		t.Error("the draft is bà Bảy's and still on Lan's phone")
	}
}

// Lan's care for bà Bảy ended; her phone heard so, and the road broke before the
// answer's end. Then the care came back. Phone and server disagreed about what
// she stood in, and she never again got to the end of an answer.
func TestACareThatReturnsLetsThePhoneFinish(t *testing.T) {
	s := newScene(t)
	s.care()
	p, road, _ := s.phoneOnRoad()
	s.syncs(p)
	s.careEnds()
	s.syncsCutAfter(p, road, "standing")
	s.careReturns()
	meeting := s.announce()
	if r := s.syncs(p); !r.Complete {
		t.Errorf("the phone is not complete: %+v", r)
	}
	if !s.has(p, "announcements", meeting) {
		t.Error("the meeting of Lan's village is missing")
	}
}

// The same, and meanwhile Lan was given a duty as well. The server took her phone
// for one that had kept bà Bảy's records, and never sent them again.
func TestACareThatReturnsBringsItsRecords(t *testing.T) {
	s := newScene(t)
	s.care()
	p, road, _ := s.phoneOnRoad()
	s.syncs(p)
	if !s.has(p, "persons", bay) {
		t.Fatal("Lan was to know bà Bảy")
	}
	s.careEnds()
	s.syncsCutAfter(p, road, "standing")
	if s.has(p, "persons", bay) {
		t.Error("what is lost is to go at once, though the answer is cut")
	}
	s.careReturns()
	s.put("duties", "", phone.Values{"person": lan, "role": "broadcast"})
	s.syncs(p)
	if !s.has(p, "persons", bay) {
		t.Error("Lan cares for bà Bảy again and does not get her")
	}
}

// Lan's care for bà Bảy ended and began again, and the road broke after each was
// told. The phone named only the newest standing, which was that of its cursor: the
// server took it that nothing had happened, and only comparing brought bà Bảy back.
func TestLostAndBackOnABadRoad(t *testing.T) {
	for name, then := range map[string]func(s *scene, p *phone.Phone, road *road){
		"at once": func(*scene, *phone.Phone, *road) {},
		"and another duty begins": func(s *scene, p *phone.Phone, road *road) {
			s.put("duties", "", phone.Values{"person": lan, "role": "broadcast"})
			s.syncsCutAfter(p, road, "standing")
		},
		"and ends and begins again": func(s *scene, p *phone.Phone, road *road) {
			s.careEnds()
			s.syncsCutAfter(p, road, "standing")
			s.careReturns()
			s.syncsCutAfter(p, road, "standing")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.care()
			p, road, _ := s.phoneOnRoad()
			s.syncs(p)
			s.careEnds()
			s.syncsCutAfter(p, road, "standing")
			s.careReturns()
			s.syncsCutAfter(p, road, "standing")
			then(s, p, road)
			if r := s.syncs(p); r.Mismatches > 0 || !s.has(p, "persons", bay) {
				t.Errorf("Lan cares for bà Bảy again and does not get her by herself: %+v", r)
			}
			if r := s.syncs(p); r.Exchanges != 1 || r.Changed != 0 {
				t.Errorf("and then nothing new: %+v", r)
			}
		})
	}
}

// Lan helped at a stall for an hour; her phone heard of it, and the road broke.
// When the duty was over the server thought that she stood as before, told her
// no standing, and her phone put new records into the wrong circles.
func TestADutyOfAnHourMixesNoCircles(t *testing.T) {
	s := newScene(t)
	p, road, _ := s.phoneOnRoad()
	s.syncs(p)
	s.put("stalls", "stall0000000002", phone.Values{"name": "Hàng cá"})
	s.put("duties", "", phone.Values{"person": lan, "role": "clerk", "place": "stall0000000002"})
	s.syncsCutAfter(p, road, "standing")
	status, err := p.Status()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(status.Circles, "stall:stall0000000002") {
		t.Fatalf("Lan was to hear of her duty: %v", status.Circles)
	}
	s.sql(`UPDATE duties SET [[to]] = '2026-11-01'`)
	s.put("drafts", draft, draftOf(lan, "x"))
	s.put("stalls", "stall0000000001", phone.Values{"name": "Hàng vải"})
	meeting := s.announce()
	s.syncs(p)
	for _, want := range []struct{ coll, id, circle string }{
		{"drafts", draft, "person:" + lan},
		{"stalls", "stall0000000001", "market"},
		{"announcements", meeting, "village:" + village},
	} {
		got, ok, err := p.Show(want.coll, want.id)
		if err != nil || !ok {
			t.Errorf("%s is missing: %v", want.coll, err)
		} else if fmt.Sprint(got.Circles) != fmt.Sprint([]string{want.circle}) {
			t.Errorf("%s are in %v, want %s", want.coll, got.Circles, want.circle)
		}
	}
}

// Lan's draft was handed to bà Bảy while the server lost its memory of what
// standings had been. A standing that nobody remembers was taken for none at
// all: the server could not tell what Lan had lost, and said nothing.
func TestAForgottenStandingStartsAnew(t *testing.T) {
	s := newScene(t)
	s.put("drafts", draft, draftOf(lan, "x"))
	p := s.phone(lan)
	s.syncs(p)
	s.sql(`UPDATE drafts SET person = '%s'`, bay)
	s.sql(`DELETE FROM sync_standings`)
	s.Restart(t)
	s.syncs(p)
	if s.has(p, "drafts", draft) {
		t.Error("the draft is bà Bảy's and still on Lan's phone")
	}
	if !s.has(p, "persons", lan) {
		t.Error("Lan does not have herself")
	}
}

// Lan cares for bà Bảy and for Tư. On a bad road her phone heard that the one care
// had ended; then that it was back and the other had ended; then that all was as
// before. No standing that it was ever told is one without both: the server took
// it for a phone that had kept Tư's records, and only comparing brought them back.
func TestOneIsBackAndAnotherIsLost(t *testing.T) {
	const four = "tu4000000000000"
	s := newScene(t)
	s.person(four, "household000002")
	s.care()
	s.put("guardians", "guardian0000002", phone.Values{"person": four, "guardian": lan, "kind": "granted", "from": "2026-01-01"})
	p, road, _ := s.phoneOnRoad()
	s.syncs(p)
	ends := func(id, day string) { s.sql(`UPDATE guardians SET [[to]] = '%s' WHERE id = '%s'`, day, id) }
	for _, step := range []func(){
		func() { ends("guardian0000001", "2026-11-01") },
		func() { ends("guardian0000001", ""); ends("guardian0000002", "2026-11-01") },
		func() { ends("guardian0000002", "") },
	} {
		step()
		s.syncsCutAfter(p, road, "standing")
	}
	if r := s.syncs(p); r.Mismatches > 0 || !s.has(p, "persons", bay) || !s.has(p, "persons", four) {
		t.Errorf("Lan cares for both again and does not get them by itself: %+v", r)
	}
	if r := s.syncs(p); r.Exchanges != 1 || r.Changed != 0 {
		t.Errorf("and then nothing new: %+v", r)
	}
}

// Lan's new phone was being filled when her care for bà Bảy ended, and came back
// before the filling was done: what it had got of bà Bảy was gone again, and the
// server went on behind it.
func TestLostAndBackWhileAPhoneIsFilled(t *testing.T) {
	for name, first := range map[string]bool{"for the first time": true, "after a long absence": false} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			p, road, _ := s.phoneOnRoad()
			if first {
				s.care()
			} else {
				s.syncs(p)
				s.care()
			}
			s.put("health_entries", "entry0000000001", phone.Values{"person": bay, "kind": "measurement", "code": "weight", "data": map[string]any{"value": 50}, "occurred_on": "2026-11-01", "source": "measured"})
			for i := range 40 { // so that the answer has more than one chunk
				s.put("announcements", fmt.Sprintf("announce%07d", i), phone.Values{"title": "Họp thôn", "body": strings.Repeat("Tối nay họp. ", 100), "village": village, "from": "2026-11-24"})
			}
			s.syncsCutAfter(p, road, "changes")
			s.careEnds()
			s.syncsCutAfter(p, road, "standing")
			s.careReturns()
			if r := s.syncs(p); r.Mismatches > 0 || !s.has(p, "health_entries", "entry0000000001") {
				t.Errorf("Lan cares for bà Bảy again and does not get the entry by itself: %+v", r)
			}
		})
	}
}
