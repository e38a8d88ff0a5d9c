package attach_test

import (
	"slices"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/phone"
	"langso/sync/attach"
)

// A phone's app is newer than the server. What the server does not know yet waits,
// word for word, and is done by itself when the server has caught up: by an
// administrator's new field, by a newer program. Meanwhile it is not sent again.
func TestAServerThatCatchesUp(t *testing.T) {
	w := newWorkshop(t)
	ann, annID := w.phone("ann")
	_, err := ann.CreateAs("jobs", job, phone.Values{"bicycle": "Union", "mechanics": []string{annID}})
	w.must(err)
	w.sync(ann)
	_, err = ann.Change("jobs", job, phone.Values{"color": "red"})
	w.must(err)
	_, err = ann.CreateAs("invoices", "invoice00000001", phone.Values{"total": 80, "mechanics": []string{annID}})
	w.must(err)
	_, err = ann.Change("invoices", "invoice00000001", phone.Values{"total": 85})
	w.must(err)
	parked := func() (codes []string) {
		t.Helper()
		all, err := ann.Edits("parked")
		w.must(err)
		for _, e := range all {
			codes = append(codes, e.Verdict.Code)
		}
		return codes
	}
	w.sync(ann)
	if got := parked(); !slices.Equal(got, []string{"unknown_field", "unknown_collection", "waits_for"}) {
		t.Fatalf("parked is %v", got)
	}
	for range 2 {
		if r := w.sync(ann); r.Sent != 0 || r.Exchanges != 1 {
			t.Errorf("nothing changed, and %+v", r)
		}
	}

	// An administrator makes the field.
	jobs, err := w.App.FindCollectionByNameOrId("jobs")
	w.must(err)
	jobs.Fields.Add(&core.TextField{Name: "color"})
	w.must(w.App.Save(jobs))
	w.sync(ann)
	if r, err := w.App.FindRecordById("jobs", job); err != nil || r.GetString("color") != "red" {
		t.Errorf("the job is %v, %v", r, err)
	}
	if got := parked(); !slices.Equal(got, []string{"unknown_collection", "waits_for"}) {
		t.Errorf("then parked is %v", got)
	}
	if r := w.sync(ann); r.Sent != 0 {
		t.Errorf("what is still unknown is sent again: %+v", r)
	}

	// A newer program.
	w.stop()
	assigned := commune.Circles{attach.User("mechanics")}
	w.more = []commune.Collection{{Name: "invoices", Read: assigned, Write: assigned}}
	w.start()
	invoices := core.NewBaseCollection("invoices")
	invoices.Fields.Add(&core.NumberField{Name: "total"}, &core.RelationField{Name: "mechanics", CollectionId: collection(t, w, "mechanics").Id, MaxSelect: 9})
	w.must(w.App.Save(invoices))
	w.sync(ann)
	if r, err := w.App.FindRecordById("invoices", "invoice00000001"); err != nil || r.GetInt("total") != 85 {
		t.Errorf("the invoice is %v, %v", r, err)
	}
	if got := w.shown(ann, "invoices", "invoice00000001"); got["total"] != 85.0 || len(parked()) != 0 {
		t.Errorf("ann sees %v, parked is %v", got, parked())
	}
	left, err := w.App.FindRecordsByFilter("parked_edits", "state = 'waiting'", "", 0, 0)
	w.must(err)
	if len(left) != 0 {
		t.Errorf("%d edits wait for a person who has nothing to do", len(left))
	}
}

func collection(t *testing.T, w *workshop, name string) *core.Collection {
	t.Helper()
	c, err := w.App.FindCollectionByNameOrId(name)
	w.must(err)
	return c
}
