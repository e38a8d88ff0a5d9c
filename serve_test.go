package main

import (
	"context"
	"errors"
	"testing"

	"langso/demo"
	"langso/villagetest"
)

// TestDemoKeepsItsHandsOff: --demo refuses a folder that holds a real commune,
// fills an empty one, and leaves a filled one as people left it.
func TestDemoKeepsItsHandsOff(t *testing.T) {
	real := villagetest.New(t, domains)
	real.Put(t, "villages", "", map[string]any{"name": "Thôn thật"})
	if _, err := loadDemo(context.Background(), real.Commune, 20); err == nil {
		t.Error("the demo went into a folder with data")
	}
	if n, err := real.App.CountRecords("villages"); err != nil || n != 1 {
		t.Errorf("afterwards there are %d villages (%v)", n, err)
	}

	empty := villagetest.New(t, domains)
	cast, err := loadDemo(context.Background(), empty.Commune, 40)
	if err != nil || len(cast) < 5 {
		t.Fatalf("the demo gave %d people to try (%v)", len(cast), err)
	}
	p := empty.Phone(t, cast[0].Person, nil)
	if report, err := p.Sync(context.Background()); err != nil || report.Changed < 2000 || report.Exchanges != 1 {
		t.Errorf("her first sync brought %d records in %d requests (%v)", report.Changed, report.Exchanges, err)
	}
	person, err := empty.App.FindRecordById("persons", cast[0].Person)
	if err != nil {
		t.Fatal(err)
	}
	person.Set("name", "Tên mới")
	if err := empty.App.Save(person); err != nil {
		t.Fatal(err)
	}
	if _, err := loadDemo(context.Background(), empty.Commune, 40); err != nil {
		t.Fatal(err)
	}
	if again, err := empty.App.FindRecordById("persons", cast[0].Person); err != nil || again.GetString("name") != "Tên mới" {
		t.Errorf("the second start undid what people did: %v (%v)", again, err)
	}
	if _, err := demo.Holds(empty.App); err != nil || errors.Is(err, demo.ErrOther) {
		t.Error(err)
	}
}
