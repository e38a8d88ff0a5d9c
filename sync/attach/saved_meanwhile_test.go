package attach_test

import (
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"langso/phone"
)

// TestAFieldThatIsSavedMeanwhile: an edit names a field that the administrator
// adds just when it was judged. It must not wait for the next time that somebody
// changes a collection.
func TestAFieldThatIsSavedMeanwhile(t *testing.T) {
	w := newWorkshop(t)
	ann, annID := w.phone("ann")
	_, err := ann.CreateAs("jobs", job, phone.Values{"bicycle": "Union", "mechanics": []string{annID}})
	w.must(err)
	w.sync(ann)
	for _, change := range []phone.Values{{"color": "red"}, {"note": "now"}} {
		_, err = ann.Change("jobs", job, change)
		w.must(err)
	}
	added := false
	w.App.OnRecordAfterUpdateSuccess("jobs").BindFunc(func(e *core.RecordEvent) error {
		if !added && e.Record.GetString("note") == "now" {
			added = true
			jobs, err := w.App.FindCollectionByNameOrId("jobs")
			w.must(err)
			jobs.Fields.Add(&core.TextField{Name: "color"})
			w.must(w.App.Save(jobs))
		}
		return e.Next()
	})
	for range 3 {
		w.sync(ann)
	}
	r, err := w.App.FindRecordById("jobs", job)
	w.must(err)
	if !added || r.GetString("color") != "red" {
		t.Errorf("the field was added: %v; the edit that named it is done: %q", added, r.GetString("color"))
	}
}
