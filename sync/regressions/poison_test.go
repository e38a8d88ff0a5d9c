package regressions_test

import (
	"fmt"
	"testing"
)

// A value that no phone can read, a number beyond all numbers or lists in lists
// without end, was written in the dashboard. Every native phone in the circle
// took the answer for a damaged one, for ever, and heard nothing more at all.
func TestOneValueStopsNoPhone(t *testing.T) {
	deep := make([]byte, 0, 600)
	for range 200 {
		deep = append(deep, '[')
	}
	for range 200 {
		deep = append(deep, ']')
	}
	for name, value := range map[string]string{"a number beyond all": `{"a":1e400}`, "both": `{"a":1e4,"b":` + string(deep) + `}`, "lists in lists": `{"a":` + string(deep) + `}`} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.put("drafts", draft, draftOf(lan, "x"))
			p := s.phone(lan)
			s.syncs(p)
			s.sql(`UPDATE drafts SET content = '%s', note = 'mới' WHERE id = '%s'`, value, draft)
			r := s.syncs(p)
			got, _, err := p.Show("drafts", draft)
			if err != nil || !r.Complete || fmt.Sprint(got.Fields["note"]) != "mới" {
				t.Errorf("the phone has %v (%v, %+v)", got.Fields, err, r)
			}
		})
	}
}
