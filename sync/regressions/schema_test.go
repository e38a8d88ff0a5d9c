package regressions_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"langso/phone"
	"langso/sync/wire"
)

// schema changes a collection as the dashboard does.
func (s *scene) schema(coll string, change func(*core.FieldsList)) error {
	s.t.Helper()
	c, err := s.App.FindCollectionByNameOrId(coll)
	if err != nil {
		s.t.Fatal(err)
	}
	change(&c.Fields)
	return s.App.Save(c)
}

// The administrator dropped a field in the dashboard, and renamed another. Phones
// that had it were told only of differences, which cannot say that: Lan's showed
// the old value or the old name for ever, Tú's new phone did not. To hide a
// field is the third way to take it away.
func TestAFieldThatWentIsGoneFromPhones(t *testing.T) {
	for name, away := range map[string]func(*core.FieldsList){
		"hidden":  func(f *core.FieldsList) { f.GetByName("remark").SetHidden(true) },
		"dropped": func(f *core.FieldsList) { f.RemoveByName("remark") },
		"renamed": func(f *core.FieldsList) { f.GetByName("remark").SetName("comment") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			if err := s.schema("villages", func(f *core.FieldsList) { f.Add(&core.TextField{Name: "remark"}) }); err != nil {
				t.Fatal(err)
			}
			s.sql(`UPDATE villages SET remark = 'A'`)
			p := s.phone(lan)
			s.syncs(p)
			if had := s.villages(p)[village]["remark"]; had != "A" {
				t.Fatalf("the phone was to have the field: %v", had)
			}
			if err := s.schema("villages", away); err != nil {
				t.Fatal(err)
			}
			s.syncs(p)
			fresh := s.phone(tu)
			s.syncs(fresh)
			if got, want := s.villages(p), s.villages(fresh); !reflect.DeepEqual(got, want) {
				t.Errorf("the phone has %v, a new one %v", got, want)
			}
		})
	}
}

func (s *scene) villages(p *phone.Phone) map[string]phone.Values {
	s.t.Helper()
	held, err := p.Held("villages")
	if err != nil {
		s.t.Fatal(err)
	}
	fields := map[string]phone.Values{}
	for _, r := range held {
		fields[r.ID] = r.Fields
	}
	return fields
}

// The administrator renamed the field that keeps a product for adults. The rules of
// circles looked for the old name and found nothing, and from the next change on
// Lan's rice wine stood on the phone of Tú, who is eleven.
func TestAFieldOfTheRulesKeepsItsName(t *testing.T) {
	s := newScene(t)
	s.sells(3)
	s.sql(`UPDATE products SET adult = true, name = 'Rượu nếp'`)
	s.sql(`UPDATE persons SET born = '2015' WHERE id = '%s'`, tu)
	p := s.phone(tu)
	s.syncs(p)
	if err := s.schema("products", func(f *core.FieldsList) { f.GetByName("adult").SetName("grown") }); err == nil {
		t.Error("the rename was let through")
	}
	s.sql(`UPDATE products SET stock = 2`)
	s.syncs(p)
	if s.has(p, "products", product) {
		t.Error("a child sees what is for adults")
	}
}

// A field is added while phones run: nobody downloads anything for it, an edit
// that waits goes on, and what is filled in later comes as a difference.
func TestAnAddedFieldCostsNobodyAnything(t *testing.T) {
	s := newScene(t)
	s.announce()
	p := s.phone(lan)
	s.syncs(p)
	n, _ := s.creates(p, draftOf(lan, "đang chờ"))
	if err := s.schema("villages", func(f *core.FieldsList) { f.Add(&core.TextField{Name: "remark"}) }); err != nil {
		t.Fatal(err)
	}
	r := s.syncs(p)
	if s.verdict(r, n) != wire.Taken || r.Exchanges != 1 || r.Changed > 1 || r.Gone > 0 || r.Mismatches > 0 {
		t.Errorf("after the field was added: %+v, want one exchange that brings the draft alone", r)
	}
	s.sql(`UPDATE villages SET remark = 'A' WHERE id = '%s'`, village)
	r = s.syncs(p)
	if r.Changed != 1 || s.villages(p)[village]["remark"] != "A" {
		t.Errorf("after it was filled in: %+v, %v", r, s.villages(p)[village])
	}
}

// The first app ever made says only what it knew then, names a field and an
// action that are no more, and hands its queue in all the same.
func TestAnAppOfOldHandsInItsQueue(t *testing.T) {
	s := newScene(t)
	k := s.keyed(lan)
	lines, err := k.send(t.Context(), wire.Ask{V: 1, App: "web/0.0.1", Edits: []json.RawMessage{
		json.RawMessage(`{"n":1,"coll":"drafts","id":"draft0000000001","create":{"person":"` + lan + `","procedure":"procedure000001","colour":"đỏ"}}`),
		json.RawMessage(`{"n":2,"do":"market.barter","args":{"id":"x"}}`),
		json.RawMessage(`{"n":3,"coll":"beehives","id":"hive00000000001","create":{"bees":3}}`),
		json.RawMessage(`{"n":4,"coll":"drafts","id":"draft0000000001","change":{"note":"sau"},"after":[1]}`),
	}})
	if err != nil {
		t.Fatal(err)
	}
	for n := int64(1); n <= 4; n++ {
		if is := judged(lines, n); is != wire.Parked {
			t.Errorf("edit %d is %s, want parked", n, is)
		}
	}
	kept, err := s.App.FindAllRecords("parked_edits")
	if err != nil || len(kept) != 4 {
		t.Errorf("%d edits are kept, %v", len(kept), err)
	}
}
