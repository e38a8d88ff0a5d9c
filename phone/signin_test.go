package phone

import (
	"testing"
)

// TestASharedPhone: Lan leaves an edit unsent, Tư signs in on the same phone, and
// later Lan again. Her edit is never sent as his, and never lost.
func TestASharedPhone(t *testing.T) {
	p, err := Open(t.TempDir(), "http://x")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	adopt := func(id, person string) {
		t.Helper()
		if err := p.Adopt(id, person); err != nil {
			t.Fatal(err)
		}
	}
	waits := func(who string, want ...string) {
		t.Helper()
		edits, err := p.Edits("waiting")
		if err != nil {
			t.Fatal(err)
		}
		if len(edits) != len(want) {
			t.Fatalf("%d edits of %s wait, want %d", len(edits), who, len(want))
		}
		for i, e := range edits {
			if e.ID != want[i] || e.N != int64(i+1) {
				t.Errorf("edit %d of %s is %d %s, want %s", i+1, who, e.N, e.ID, want[i])
			}
		}
	}
	create := func(id string) {
		t.Helper()
		if _, err := p.CreateAs("drafts", id, Values{"note": id}); err != nil {
			t.Fatal(err)
		}
	}
	adopt("phone1", "lan")
	create("lan1")
	create("lan2")
	adopt("phone2", "tu")
	waits("Tư")
	create("tu1")
	waits("Tư", "tu1")
	adopt("phone3", "lan")
	waits("Lan", "lan1", "lan2")
	create("lan3")
	waits("Lan", "lan1", "lan2", "lan3")
	adopt("phone4", "tu")
	waits("Tư", "tu1")
	adopt("phone5", "lan")
	adopt("phone6", "lan") // signed in again: the same person's edits go along
	waits("Lan", "lan1", "lan2", "lan3")
}
