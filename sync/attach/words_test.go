package attach_test

import (
	"errors"
	"testing"

	"langso/phone"
)

// A workshop has no town hall: what sync says by itself names nobody, or whom the
// app names, by every road on which it is said.
func TestAnAppHasItsOwnWords(t *testing.T) {
	for name, c := range map[string]struct{ words, want map[string]string }{
		"an app without words": {nil, map[string]string{
			"phone_blocked": "Máy này đã bị chặn. Xin liên hệ người quản lý.",
			"needs_person":  "Có hai giá trị khác nhau, người phụ trách sẽ xem và chọn.",
		}},
		"an app with words": {map[string]string{"phone_blocked": "Ask at the counter.", "needs_person": "Ask Bob."}, map[string]string{
			"phone_blocked": "Ask at the counter.",
			"needs_person":  "Ask Bob.",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorkshop(t)
			w.stop()
			w.words = c.words
			w.start()
			ann, annID := w.phone("ann")
			bob, bobID := w.phone("bob")
			_, err := ann.CreateAs("jobs", job, phone.Values{"bicycle": "Union", "price": 10, "mechanics": []string{annID, bobID}})
			w.must(err)
			w.sync(ann, bob)
			_, err = bob.Change("jobs", job, phone.Values{"price": 20})
			w.must(err)
			_, err = ann.Change("jobs", job, phone.Values{"price": 30})
			w.must(err)
			w.sync(bob, ann)
			parked, err := ann.Edits("parked")
			w.must(err)
			if len(parked) != 1 || parked[0].Verdict.Code != "needs_person" || parked[0].Verdict.Say != c.want["needs_person"] {
				t.Errorf("parked: %+v", parked)
			}
			self, _, err := ann.Self()
			w.must(err)
			w.put("phones", self, map[string]any{"blocked": true})
			var f *phone.Failure
			if _, err := ann.Sync(t.Context()); !errors.As(err, &f) || f.Code != "phone_blocked" || f.Say != c.want["phone_blocked"] || !f.Wipe {
				t.Errorf("blocked: %+v, %v", f, err)
			}
		})
	}
}
