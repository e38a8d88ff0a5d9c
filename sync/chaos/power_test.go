package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"langso/commune"
	"langso/commune/broadcast"
	"langso/commune/health"
	"langso/commune/market"
	"langso/commune/people"
	"langso/commune/publicservice"
	"langso/phone"
	"langso/villagetest"
)

func domains() []commune.Domain {
	return []commune.Domain{people.Domain, health.Domain, publicservice.Domain, market.Domain, broadcast.Domain}
}

const (
	procedure = "procedure000001"
	product   = "product00000001"
)

func person(i int) string { return fmt.Sprintf("person%09d", i) }

// village is a commune with some people and one product, whose stock is a sum.
func village(t *testing.T, dir string, people int) *villagetest.Server {
	t.Helper()
	s := villagetest.New(t, domains())
	if dir != "" {
		f := s.Backup(t)
		s.Stop()
		if err := f.Write(dir); err != nil {
			t.Fatal(err)
		}
		s = villagetest.At(t, dir, domains())
	}
	s.Put(t, "villages", "village00000001", map[string]any{"name": "Thôn"})
	s.Put(t, "households", "household000001", map[string]any{"name": "Hộ", "village": "village00000001"})
	s.Put(t, "procedures", procedure, map[string]any{"name": "Khai sinh", "code": "1", "active": true})
	for i := range people {
		s.Put(t, "persons", person(i), map[string]any{"name": "Người", "household": "household000001", "status": "active"})
	}
	stall := s.Put(t, "stalls", "", map[string]any{"name": "Gian", "owner": person(0)})
	for i := range people {
		s.Put(t, "duties", "", map[string]any{"person": person(i), "role": "seller", "place": stall})
	}
	s.Put(t, "products", product, map[string]any{"stall": stall, "name": "Vải", "stock": 1_000_000, "price": 1000})
	return s
}

// draft is a note as a phone writes it.
func draft(who, note string) phone.Values {
	return phone.Values{"person": who, "procedure": procedure, "note": note}
}

// TestPowerCutOfTheServer: the computer in the commune's office loses power again
// and again, at any write; whatever a phone was told is taken is there
// afterwards, before any phone sends it again.
func TestPowerCutOfTheServer(t *testing.T) {
	install()
	if lost := cuts(t, 40, ""); lost > 0 {
		t.Errorf("%d edits that were told taken are lost", lost)
	}
}

// TestPowerCutFindsLostWrites: the same with a database that syncs only now and
// then loses edits, and this test sees it.
func TestPowerCutFindsLostWrites(t *testing.T) {
	install()
	if lost := cuts(t, 40, `PRAGMA synchronous = NORMAL`); lost == 0 {
		t.Error("without syncing each commit nothing was lost: the disk does not lose what it should")
	}
}

// cuts plays power cuts and counts edits that were told taken and are gone.
func cuts(t *testing.T, times int, pragma string) (lost int) {
	rnd := rand.New(rand.NewPCG(1, 2))
	dir := filepath.Join(t.TempDir(), "data")
	s := village(t, dir, 3)
	var phones []*phone.Phone
	for i := range 3 {
		phones = append(phones, s.Phone(t, person(i), &villagetest.Network{Fault: func() villagetest.Fault {
			return villagetest.Fault{Lose: rnd.IntN(5) == 0}
		}}))
	}
	if err := s.Absorb(); err != nil {
		t.Fatal(err)
	}
	taken := map[string]bool{}
	for range times {
		if pragma != "" {
			if _, err := s.App.NonconcurrentDB().NewQuery(pragma).Execute(); err != nil {
				t.Fatal(err)
			}
		}
		for range 1 + rnd.IntN(4) {
			k := rnd.IntN(3)
			if _, err := phones[k].Add("products", product, map[string]float64{"stock": -1}); err != nil {
				t.Fatal(err)
			}
			if _, _, err := phones[k].Create("drafts", draft(person(k), "lời")); err != nil {
				t.Fatal(err)
			}
			if _, err := phones[k].Sync(context.Background()); err != nil && !errors.Is(err, phone.ErrNoServer) {
				t.Fatal(err)
			}
		}
		s.Crash(t, theDisk.cut(dir, rnd))
		for _, p := range phones {
			edits, err := p.Edits("taken", "merged")
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range edits {
				if e.Create != nil {
					taken[e.ID] = true
				}
			}
		}
		for id := range taken {
			if _, err := s.App.FindRecordById("drafts", id); err != nil {
				lost++
				delete(taken, id)
			}
		}
	}
	if pragma != "" {
		return lost
	}
	sold := 0
	for _, p := range phones {
		for range 20 {
			if r, err := p.Sync(context.Background()); err == nil && r.Complete {
				break
			}
		}
		edits, err := p.Edits("taken", "merged")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range edits {
			if e.Add != nil {
				sold++
			}
		}
	}
	r, err := s.App.FindRecordById("products", product)
	if err != nil {
		t.Fatal(err)
	}
	if got := 1_000_000 - r.GetInt("stock"); got != sold {
		t.Errorf("%d pieces left the stock, %d were told sold", got, sold)
	}
	return lost
}

// TestPowerCutOfAPhone: the battery falls out; every edit that the person was
// told is stored is there, with what the server had said of it.
func TestPowerCutOfAPhone(t *testing.T) {
	install()
	rnd := rand.New(rand.NewPCG(3, 4))
	s := village(t, "", 1)
	dir := filepath.Join(t.TempDir(), "phone")
	p := s.PhoneAt(t, dir, person(0), nil)
	stored, told := map[string]bool{}, map[string]bool{}
	for range 60 {
		for range rnd.IntN(3) {
			_, id, err := p.Create("drafts", draft(person(0), "lời"))
			if err != nil {
				t.Fatal(err)
			}
			stored[id] = true
		}
		if rnd.IntN(2) == 0 {
			if _, err := p.Sync(context.Background()); err != nil {
				t.Fatal(err)
			}
			taken, err := p.Edits("taken")
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range taken {
				told[e.ID] = true
			}
		}
		left := theDisk.cut(dir, rnd)
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		if err := left.Write(dir); err != nil {
			t.Fatal(err)
		}
		p = s.PhoneAt(t, dir, person(0), nil)
		edits, err := p.Edits()
		if err != nil {
			t.Fatal(err)
		}
		have := map[string]string{}
		for _, e := range edits {
			have[e.ID] = e.State
		}
		for id := range stored {
			if have[id] == "" || told[id] && have[id] == "waiting" {
				t.Fatalf("edit of %s was stored (told %v) and is %q", id, told[id], have[id])
			}
		}
	}
}

// TestAFullDisk: the disk of the server, then that of the phone, has no room;
// everybody is told so, and when there is room again nothing is missing.
func TestAFullDisk(t *testing.T) {
	install()
	dir := filepath.Join(t.TempDir(), "data")
	s := village(t, dir, 1)
	own := filepath.Join(t.TempDir(), "phone")
	p := s.PhoneAt(t, own, person(0), nil)
	if _, err := p.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	_, id, err := p.Create("drafts", draft(person(0), "lời"))
	if err != nil {
		t.Fatal(err)
	}
	theDisk.room(dir, false)
	var refused *phone.Failure
	if _, err := p.Sync(context.Background()); !errors.As(err, &refused) || refused.Code != "disk_full" {
		t.Errorf("the full server says %v", err)
	}
	theDisk.room(dir, true)
	theDisk.room(own, false)
	if _, _, err := p.Create("drafts", draft(person(0), "không còn chỗ")); err == nil {
		t.Error("an edit was told stored on a full phone")
	}
	if _, err := p.Sync(context.Background()); err == nil {
		t.Error("a full phone says that it synced")
	}
	theDisk.room(own, true)
	s.Clock.Add(time.Minute)
	if _, err := p.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	edits, err := p.Edits()
	if err != nil || len(edits) != 1 || edits[0].State != "taken" {
		t.Errorf("the edits are %+v (%v)", edits, err)
	}
	if _, err := s.App.FindRecordById("drafts", id); err != nil {
		t.Error(err)
	}
}
