package hooks_test

import (
	"testing"
	"time"

	"langso/commune"
	"langso/hooks"
	"langso/notify"
)

// TestChangesOfOthersNudge: what somebody else wrote of a person leaves word for
// the person's phones, once however often; their own edit leaves none.
func TestChangesOfOthersNudge(t *testing.T) {
	d := newDesk(t, func(o *hooks.Options) { o.Outbox = &notify.Outbox{Now: o.Now} })
	lan, _, err := d.lan.Self()
	if err != nil {
		t.Fatal(err)
	}
	person := field(t, d, "phones", lan, "person")
	waiting := func() (n int) {
		t.Helper()
		if err := d.App.DB().NewQuery(`SELECT count(*) FROM deliveries WHERE key = 'data:person:` + person + `' AND state = 'waiting'`).Row(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if waiting() != 0 {
		t.Fatal("word is left before anything happened")
	}
	d.Put(t, "announcements", "announcement001", map[string]any{"title": "Họp thôn"}) // the commune's: too many phones for a change
	if waiting() != 0 {
		t.Error("a change for everybody woke everybody")
	}
	for _, status := range []string{"moved", "active", "moved"} {
		r, err := d.App.FindRecordById("persons", person)
		if err != nil {
			t.Fatal(err)
		}
		r.Set("status", status)
		nurse := commune.WithAuthor(t.Context(), commune.Author{Person: "nurse0000000000"}, d.Clock.Now())
		if err := d.App.SaveWithContext(nurse, r); err != nil {
			t.Fatal(err)
		}
	}
	if waiting() != 1 {
		t.Errorf("%d deliveries wait, want 1", waiting())
	}
}

// TestCursorIsTheReceipt: a phone that asked with a cursor past the notice has it,
// and the outbox knows so without a further packet.
func TestCursorIsTheReceipt(t *testing.T) {
	d := newDesk(t, func(o *hooks.Options) { o.Outbox = &notify.Outbox{Now: o.Now} })
	id, _, err := d.lan.Self()
	if err != nil {
		t.Fatal(err)
	}
	d.Put(t, "announcements", "announcement001", map[string]any{"title": "Bão", "urgent": true})
	notice := notify.ID("commune", "announcement:announcement001")
	has := func() bool {
		t.Helper()
		seq, epoch, err := d.Outbox.Heard(d.App, notice)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Outbox.Settle(); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := d.App.DB().NewQuery(`SELECT count(*) FROM phones WHERE id = '` + id + `' AND cursor_epoch = {:epoch} AND cursor >= {:seq}`).
			Bind(map[string]any{"epoch": epoch, "seq": seq}).Row(&n); err != nil {
			t.Fatal(err)
		}
		return seq > 0 && n == 1
	}
	if err := d.Absorb(); err != nil {
		t.Fatal(err)
	}
	if has() {
		t.Fatal("a phone has what it was not told")
	}
	d.sync() // the answer brings it; that it arrived is known by the next ask
	d.Clock.Add(time.Minute)
	d.sync()
	if !has() {
		t.Error("the cursor has passed the notice and nobody knows")
	}
}

func field(t *testing.T, d *desk, coll, id, name string) string {
	t.Helper()
	r, err := d.App.FindRecordById(coll, id)
	if err != nil {
		t.Fatal(err)
	}
	return r.GetString(name)
}
