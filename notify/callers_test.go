package notify

import (
	"fmt"
	"testing"
	"time"

	"langso/commune"
)

// TestNobodyCallsAllEvening: a neighbour's hundredth order of an hour is in the
// seller's inbox and rings no more.
func TestNobodyCallsAllEvening(t *testing.T) {
	o := &Outbox{}
	rings := func(by, to string, class commune.Class, now time.Time) bool {
		return o.Temper(by, commune.Notice{To: commune.Circle(to), Class: class}, now).Class.Shown()
	}
	for who, c := range map[string]struct {
		by    string
		to    func(i int) string
		class commune.Class
		calls int
		want  int
	}{
		"a neighbour, one seller":       {"lan", func(int) string { return "stall:hoa" }, commune.Needed, 100, callsToOne},
		"an officer, many people":       {"canbo", func(i int) string { return fmt.Sprint("person:p", i) }, commune.Needed, 100, 100},
		"a program that went mad":       {"mad", func(i int) string { return fmt.Sprint("person:p", i) }, commune.Needed, 1000, callsToAll},
		"to oneself":                    {"minh", func(int) string { return "person:minh" }, commune.Needed, 50, 50},
		"the server":                    {"", func(int) string { return "person:minh" }, commune.Needed, 500, 500},
		"a leader in a flood":           {"ha", func(int) string { return "commune" }, commune.Emergency, 50, 50},
		"news, which never rang at all": {"tin", func(int) string { return "commune" }, commune.Information, 50, 0},
	} {
		rang := 0
		for i := range c.calls {
			if rings(c.by, c.to(i), c.class, day) {
				rang++
			}
		}
		if rang != c.want {
			t.Errorf("%s: rang %d of %d times, want %d", who, rang, c.calls, c.want)
		}
	}
	if !rings("lan", "stall:hoa", commune.Needed, day.Add(time.Hour)) {
		t.Error("an hour later the neighbour is not heard")
	}
}

// TestTheTenthPatientInDangerRingsToo: what a domain calls urgent is never told
// quietly, however many there are.
func TestTheTenthPatientInDangerRingsToo(t *testing.T) {
	o := &Outbox{}
	for i := range 2 * callsToAll {
		n := o.Temper("nurse", commune.Notice{To: "station:s1", Kind: "health_danger", Urgent: true}, day)
		if !n.Urgent || !n.Class.Or(n.Urgent).Shown() {
			t.Fatalf("patient %d in danger became %+v", i+1, n)
		}
	}
}
