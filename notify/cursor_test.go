package notify

import (
	"fmt"
	"testing"

	"langso/commune"
)

// TestThePhoneAtTheCursorIsNoMore: the phone at which a page ended is taken away
// before the next is read. Nobody after it is forgotten.
func TestThePhoneAtTheCursorIsNoMore(t *testing.T) {
	app := newApp(t)
	villagers(t, app, "lan")
	sql := func(text string) {
		t.Helper()
		if _, err := app.NonconcurrentDB().NewQuery(text).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	sql(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
		INSERT INTO phones (id, person, label, public_key, transport, address, address_state, registered_at)
		SELECT printf('p%014d', i), (SELECT id FROM persons LIMIT 1), 'M', printf('key%d', i), 'fcm', printf('address%d', i), iif(i % 2, 'ok', 'suspect'), 1790000000 + i FROM n`)
	k := &clock{now: day}
	o := newOutbox(app, k, &fake{})
	o.setup()
	if _, err := o.open(); err != nil {
		t.Fatal(err)
	}
	j := &job{Circle: "commune", Class: commune.Needed}
	read := func(limit int) []target {
		t.Helper()
		var all chosen
		phones, err := page(app, j, o.roads(), heard{}, limit, k.Now(), &all)
		if err != nil {
			t.Fatal(err)
		}
		return phones
	}
	first := read(100)
	for i, p := range first {
		if p.ID != fmt.Sprintf("p%014d", i+1) || p.Registered != int64(1790000001+i) || p.Suspect != (i%2 == 1) {
			t.Fatalf("phone %d is read as %+v", i+1, p)
		}
	}
	last := first[len(first)-1]
	j.Lease = "w@" + last.place()
	sql(`DELETE FROM phones WHERE id = '` + last.ID + `'`)
	if rest := read(1000); len(rest) != 300 || rest[0].ID != fmt.Sprintf("p%014d", 101) {
		t.Errorf("%d phones after the one that is no more, want 300", len(rest))
	}
}
