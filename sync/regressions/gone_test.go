package regressions_test

import (
	"errors"
	"net/http"
	"testing"

	"langso/phone"
)

// Lan was taken out of the register by SQL, after a move that nobody recorded. Her
// phone was told to sign in again, could not, and kept the village's records for
// ever. It is told what a blocked phone is: what it still has is handed in for a
// person to look at, and it keeps nothing else.
func TestAPhoneWhoseNobodyIsKeepsNothing(t *testing.T) {
	for name, options := range map[string][]phone.Option{"binary": nil, "text": {phone.WithJSON()}} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			p, _ := s.speaks(options)
			if all, err := p.List("villages"); err != nil || len(all) == 0 {
				t.Fatalf("the test shows nothing: %v, %v", all, err)
			}
			e, _, err := p.Create("drafts", phone.Values{"person": lan, "procedure": procedure, "note": "giấy khai sinh của cháu"})
			if err != nil {
				t.Fatal(err)
			}
			s.sql(`DELETE FROM persons WHERE id = '%s'`, lan)

			var f *phone.Failure
			if _, err := p.Sync(t.Context()); !errors.As(err, &f) || f.Status != http.StatusForbidden || f.Code != "phone_blocked" || !f.Wipe || f.Say != "Máy này đã bị chặn. Xin liên hệ Ủy ban xã." {
				t.Fatalf("%+v, %v", f, err)
			}
			for _, coll := range []string{"villages", "households", "persons", "procedures"} {
				if all, err := p.List(coll); err != nil || len(all) > 0 {
					t.Errorf("the phone keeps %d of %s, %v", len(all), coll, err)
				}
			}
			if edits, err := p.Edits(); err != nil || len(edits) != 1 || edits[0].N != e || edits[0].State != "parked" {
				t.Errorf("the phone's edits: %+v, %v", edits, err)
			}
			parked, err := s.App.FindFirstRecordByData("parked_edits", "n", e)
			if err != nil || parked.GetString("code") != "phone_blocked" || parked.GetString("state") != "waiting" {
				t.Errorf("for a person to look at: %v, %v", parked, err)
			}
		})
	}
}
