package attach_test

import (
	"errors"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"langso/phone"
)

// TestAPhoneOfAnOlderProgram is known still: it was in a table of its own then.
func TestAPhoneOfAnOlderProgram(t *testing.T) {
	w := newWorkshop(t)
	ann, annID := w.phone("ann")
	_, err := ann.CreateAs("jobs", job, phone.Values{"bicycle": "Union", "mechanics": []string{annID}})
	w.must(err)
	w.sync(ann)
	for _, q := range []string{`CREATE TABLE attach_phones (id TEXT PRIMARY KEY, person TEXT NOT NULL, public_key TEXT NOT NULL UNIQUE) WITHOUT ROWID`,
		`INSERT INTO attach_phones SELECT id, person, public_key FROM phones`, `DELETE FROM phones`} {
		_, err := w.App.NonconcurrentDB().NewQuery(q).Execute()
		w.must(err)
	}
	w.stop()
	w.start()
	_, err = ann.Change("jobs", job, phone.Values{"bicycle": "Gazelle"})
	w.must(err)
	w.sync(ann)
	r, err := w.App.FindRecordById("jobs", job)
	w.must(err)
	if r.GetString("bicycle") != "Gazelle" || w.App.HasTable("attach_phones") {
		t.Errorf("after the upgrade: %q, the old table is there: %v", r.GetString("bicycle"), w.App.HasTable("attach_phones"))
	}
}

// A program in which a phone ended with its account made the row go with it; then
// the phone was told to bind anew, and kept all it had.
func TestPhonesOutliveTheirAccountAfterAnUpgrade(t *testing.T) {
	w := newWorkshop(t)
	ann, annID := w.phone("ann")
	w.sync(ann)
	c := collection(t, w, "phones")
	person := c.Fields.GetByName("person").(*core.RelationField)
	person.CascadeDelete, person.Required = true, true
	w.must(w.App.Save(c))
	w.stop()
	w.start()
	r, err := w.App.FindRecordById("mechanics", annID)
	w.must(err)
	w.must(w.App.Delete(r))
	var f *phone.Failure
	if _, err := ann.Sync(t.Context()); !errors.As(err, &f) || f.Code != "phone_blocked" || !f.Wipe {
		t.Errorf("%v", err)
	}
}
