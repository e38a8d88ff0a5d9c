package regressions_test

import (
	"testing"
	"time"
)

// A JSON field held 0.0, which is a zero for phones and was none for the server.
// By content they never agreed, and compared everything again at each meeting.
func TestAZeroIsAZeroHoweverItIsWritten(t *testing.T) {
	for _, value := range []string{"0.0", "-0", " false", "0e3", `"" `, "[ ]"} {
		t.Run(value, func(t *testing.T) {
			s := newScene(t)
			s.put("drafts", draft, draftOf(lan, "x"))
			s.sql(`UPDATE drafts SET content = '%s'`, value)
			p := s.phone(lan)
			s.syncs(p)
			s.Clock.Add(8 * 24 * time.Hour)
			if r := s.syncs(p); r.Mismatches > 0 {
				t.Errorf("they do not agree: %+v", r)
			}
		})
	}
}
