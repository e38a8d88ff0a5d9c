package attach_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/phone"
	"langso/sync/attach"
)

const job = "job000000000001"

// Two mechanics share a job while neither has a network: times are added up, the
// last note stays and tells what it met, the price is asked about, and the job
// leaves the phone of who is taken off it.
func TestTwoMechanicsOnOneJob(t *testing.T) {
	w := newWorkshop(t)
	ann, annID := w.phone("ann")
	bob, bobID := w.phone("bob")
	eve, _ := w.phone("eve")
	_, err := ann.CreateAs("jobs", job, phone.Values{"bicycle": "red Gazelle", "minutes": 10, "price": 40, "mechanics": []string{annID, bobID}})
	w.must(err)
	w.sync(ann, bob, eve)
	if got := w.shown(bob, "jobs", job); got["bicycle"] != "red Gazelle" || w.shown(eve, "jobs", job) != nil {
		t.Fatalf("bob sees %v, eve %v", got, w.shown(eve, "jobs", job))
	}
	add := func(p *phone.Phone, minutes float64, note string, price int) {
		t.Helper()
		_, err := p.Add("jobs", job, map[string]float64{"minutes": minutes})
		w.must(err)
		_, err = p.Change("jobs", job, phone.Values{"note": note})
		w.must(err)
		_, err = p.Change("jobs", job, phone.Values{"price": price})
		w.must(err)
	}
	add(ann, 15, "new chain", 55)
	add(bob, 20, "brakes too", 70)
	r := w.sync(ann, bob)
	var is []string
	for _, v := range r.Verdicts {
		is = append(is, string(v.Is)+" "+v.Code)
	}
	if fmt.Sprint(is) != "[merged  merged  parked needs_person]" {
		t.Errorf("bob's edits are %q", is)
	}
	w.sync(ann, bob)
	waits, err := ann.List("parked_edits")
	w.must(err)
	if len(waits) != 1 || waits[0].Fields["maker"] != "bob" {
		t.Fatalf("ann is asked about %v", waits)
	}
	_, err = ann.Do(commune.SettleAction, map[string]any{"phone": waits[0].Fields["phone"], "n": waits[0].Fields["n"], "take": "mine"})
	w.must(err)
	w.sync(ann, bob)
	for name, p := range map[string]*phone.Phone{"ann": ann, "bob": bob} {
		if got := w.shown(p, "jobs", job); got["minutes"] != 45.0 || got["note"] != "brakes too" || got["price"] != 70.0 {
			t.Errorf("%s sees %v", name, got)
		}
	}
	// Bob is taken off while he is away.
	_, err = ann.Change("jobs", job, phone.Values{"mechanics": []string{annID}})
	w.must(err)
	w.sync(ann, bob)
	if left := w.shown(bob, "jobs", job); left != nil {
		t.Errorf("bob still holds %v", left)
	}
}

// A new phone gets what everybody has from a file, and only the rest from the exchange.
func TestANewPhoneBeginsFromAFile(t *testing.T) {
	w := newWorkshop(t)
	for i := range 120 {
		w.put("parts", fmt.Sprintf("part%011d", i), map[string]any{"name": fmt.Sprint("part ", i), "price": i})
	}
	w.must(w.Absorb())
	if made, err := w.Snapshots.Refresh(t.Context()); err != nil || !made {
		t.Fatalf("no file: %v", err)
	}
	w.put("parts", "part00000000003", map[string]any{"price": 999})
	ann, annID := w.phone("ann")
	w.put("jobs", job, map[string]any{"bicycle": "Batavus", "mechanics": []string{annID}})
	r := w.sync(ann)
	if r.Loaded != 120 || r.Changed != 4 { // the part, the job, and what each was raised by
		t.Logf("loaded %d, changed %d", r.Loaded, r.Changed)
	}
	if r.Loaded != 120 || w.shown(ann, "parts", "part00000000003")["price"] != 999.0 || w.shown(ann, "jobs", job) == nil {
		t.Errorf("loaded %d records", r.Loaded)
	}
	if all, err := ann.List("parts"); err != nil || len(all) != 120 {
		t.Errorf("%d parts, %v", len(all), err)
	}
}

// What went is forgotten in time; a phone that was away for longer compares.
func TestWhatWentIsForgotten(t *testing.T) {
	w := newWorkshop(t)
	ann, annID := w.phone("ann")
	w.put("jobs", job, map[string]any{"bicycle": "Batavus", "mechanics": []string{annID}})
	kept := w.put("jobs", "job000000000002", map[string]any{"bicycle": "Sparta", "mechanics": []string{annID}})
	w.sync(ann)
	r, err := w.App.FindRecordById("jobs", job)
	w.must(err)
	w.must(w.App.Delete(r))
	traces := func() (n int) {
		t.Helper()
		w.must(w.App.DB().NewQuery(`SELECT (SELECT count(*) FROM journal_records WHERE gone > 0) + (SELECT count(*) FROM journal_entries WHERE out = 1)`).Row(&n))
		return n
	}
	w.must(w.Prune())
	if traces() == 0 {
		t.Fatal("it is forgotten before anybody knows")
	}
	for range 5 { // nobody is waited for after a season
		w.clock.Add(40 * 24 * time.Hour)
		w.must(w.Prune())
	}
	if n := traces(); n != 0 {
		t.Errorf("%d traces are left", n)
	}
	w.sync(ann)
	if w.shown(ann, "jobs", job) != nil || w.shown(ann, "jobs", kept.Id) == nil {
		t.Error("after half a year away the phone is not right")
	}
}

// Whoever writes is known to the declarations: on a phone, over the app's own API,
// in the dashboard.
func TestWhoWrites(t *testing.T) {
	w := newWorkshop(t)
	var by []string
	w.raise = func(all []commune.Notice) {
		for _, n := range all {
			by = append(by, n.Kind)
		}
	}
	ann, annID := w.phone("ann")
	_, annToken := w.account("ann2")
	_, boss := w.superuser()
	var out struct {
		Message string
		Data    map[string]map[string]any
	}
	for who, c := range map[string]struct {
		write func() int
		by    string
	}{
		"the app itself": {func() int {
			w.put("jobs", job, map[string]any{"bicycle": "Batavus", "mechanics": []string{annID}})
			return http.StatusOK
		}, ""},
		"a phone": {func() int {
			_, err := ann.CreateAs("jobs", "job000000000009", phone.Values{"bicycle": "Union", "mechanics": []string{annID}})
			w.must(err)
			w.sync(ann)
			return http.StatusOK
		}, annID},
		"the dashboard": {func() int {
			return w.api("POST", "/api/collections/jobs/records", boss, map[string]any{"id": "job000000000008", "bicycle": "Cortina"}, nil)
		}, "admin"},
	} {
		by = nil
		if status := c.write(); status != http.StatusOK || len(by) != 1 || by[0] != c.by {
			t.Errorf("%s: %d, by %q, want %q", who, status, by, c.by)
		}
	}
	ann2, err := w.App.FindAuthRecordByEmail("mechanics", "ann2@workshop.test")
	w.must(err)
	w.put("jobs", job, map[string]any{"bicycle": "Batavus", "mechanics": []string{annID, ann2.Id}})
	by = nil
	if status := w.api("PATCH", "/api/collections/jobs/records/"+job, annToken, map[string]any{"note": "over the API"}, nil); status != http.StatusOK || len(by) != 1 || by[0] != ann2.Id {
		t.Errorf("over the API: %d by %q", status, by)
	}
	if status := w.api("PATCH", "/api/collections/jobs/records/"+job, boss, map[string]any{"bicycle": ""}, &out); status != http.StatusBadRequest || out.Message != "Thiếu tên xe." || out.Data["refused"]["code"] != "no_bicycle" {
		t.Errorf("a refusal over the API: %d %+v", status, out)
	}
	by = nil
	if status := w.api("DELETE", "/api/collections/jobs/records/"+job, boss, nil, nil); status != http.StatusNoContent || len(by) != 1 || by[0] != "admin" {
		t.Errorf("a deletion in the dashboard: %d by %q", status, by)
	}
}

// A phone ends with its account, when it signs out, and when it is blocked. One
// without an account, as a blocked one, hands in its queue and keeps nothing.
func TestPhonesEnd(t *testing.T) {
	w := newWorkshop(t)
	code := func(p *phone.Phone) string {
		t.Helper()
		_, err := p.Sync(t.Context())
		var f *phone.Failure
		if !errors.As(err, &f) {
			return fmt.Sprint(err)
		}
		return f.Code
	}
	held := func(name string) (*phone.Phone, string) {
		t.Helper()
		p, id := w.phone(name)
		_, err := p.CreateAs("jobs", "job"+(name + "000000000000")[:12], phone.Values{"bicycle": "Union", "mechanics": []string{id}})
		w.must(err)
		w.sync(p)
		return p, id
	}
	for who, end := range map[string]func(id string){
		"gone": func(id string) {
			r, err := w.App.FindRecordById("mechanics", id)
			w.must(err)
			w.must(w.App.Delete(r))
		},
		"erased": func(id string) { // by SQL
			_, err := w.App.NonconcurrentDB().NewQuery(`DELETE FROM mechanics WHERE id = '` + id + `'`).Execute()
			w.must(err)
		},
	} {
		p, id := held(who)
		_, err := p.CreateAs("jobs", "more"+(who + "00000000000")[:11], phone.Values{"bicycle": "Gazelle", "mechanics": []string{id}})
		w.must(err)
		self, _, err := p.Self()
		w.must(err)
		end(id)
		if got := code(p); got != "phone_blocked" {
			t.Errorf("%s: %s", who, got)
		}
		if all, err := p.Held("jobs"); err != nil || len(all) != 0 {
			t.Errorf("%s, it holds %v, %v", who, all, err)
		}
		if parked, err := w.App.FindFirstRecordByData("parked_edits", "phone", self); err != nil || parked.GetString("code") != "phone_blocked" {
			t.Errorf("%s, what it handed in: %v, %v", who, parked, err)
		}
	}

	out, _ := held("left")
	w.must(out.SignOut(t.Context(), false))
	if all, err := out.List("jobs"); err != nil || len(all) != 0 {
		t.Errorf("after signing out %v, %v", all, err)
	}

	lostID, lostToken := w.account("lost")
	lost := w.unbound("lost")
	w.must(lost.Bind(t.Context(), lostToken))
	_, err := lost.CreateAs("jobs", "joblost00000001", phone.Values{"bicycle": "Union", "mechanics": []string{lostID}})
	w.must(err)
	w.sync(lost)
	_, err = lost.CreateAs("jobs", "joblost00000002", phone.Values{"bicycle": "Gazelle", "mechanics": []string{lostID}})
	w.must(err)
	self, _, err := lost.Self()
	w.must(err)
	w.put("phones", self, map[string]any{"blocked": true})
	if got := code(lost); got != "phone_blocked" {
		t.Errorf("blocked: %s", got)
	}
	if all, err := lost.Held("jobs"); err != nil || len(all) != 0 {
		t.Errorf("blocked, it holds %v, %v", all, err)
	}
	if parked, err := w.App.FindFirstRecordByData("parked_edits", "phone", self); err != nil || parked.GetString("code") != "phone_blocked" {
		t.Errorf("what it handed in: %v, %v", parked, err)
	}

	if err := lost.Bind(t.Context(), lostToken); err == nil || !strings.Contains(err.Error(), "phone_blocked") {
		t.Errorf("a blocked phone signs in again: %v", err)
	}

	// A key is one person's, and a token must be of the app's own people.
	ann, _ := held("anna")
	_, other := w.account("other")
	if err := ann.Bind(t.Context(), other); err == nil || !strings.Contains(err.Error(), "bad_key") {
		t.Errorf("another person's key: %v", err)
	}
	_, boss := w.superuser()
	for who, token := range map[string]string{"nobody": "", "an administrator": boss, "a forger": "x.y.z"} {
		if err := w.unbound("x"+who).Bind(t.Context(), token); err == nil {
			t.Errorf("%s has a phone", who)
		}
	}
}

// A neighbour's phone carries sealed work, photos go up and down, and who listens
// hears.
func TestTheOtherRoads(t *testing.T) {
	w := newWorkshop(t)
	ann, annID := w.phone("ann")
	bob, bobID := w.phone("bob")
	eve, _ := w.phone("eve")
	w.sync(ann, bob, eve)

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	heard, err := bob.Hints(ctx)
	w.must(err)

	var picture bytes.Buffer
	img := image.NewRGBA(image.Rect(0, 0, 8, 8))
	img.Set(3, 3, color.RGBA{200, 30, 30, 255})
	w.must(png.Encode(&picture, img))
	photo, err := ann.AddFileBytes(picture.Bytes())
	w.must(err)
	_, err = ann.CreateAs("jobs", job, phone.Values{"bicycle": "Union", "photo": photo, "mechanics": []string{annID, bobID}})
	w.must(err)

	packed, err := ann.Pack()
	w.must(err)
	_, err = eve.Carry(packed.File)
	w.must(err)
	if d, err := eve.Deliver(t.Context()); err != nil {
		t.Fatalf("delivered %+v, %v", d, err)
	}
	answers, _, err := eve.Answers()
	w.must(err)
	if _, err := ann.Unpack(answers); err != nil {
		t.Fatal(err)
	}
	if status, err := ann.Status(); err != nil || status.Waiting != 0 {
		t.Errorf("ann's queue: %+v, %v", status, err)
	}
	select {
	case <-heard:
	case <-time.After(time.Minute):
		t.Error("bob heard nothing")
	}

	if sent, err := ann.SendFiles(t.Context()); err != nil {
		t.Errorf("%+v, %v", sent, err)
	}
	w.sync(bob)
	path, err := bob.File(t.Context(), photo, "")
	w.must(err)
	if raw, err := os.ReadFile(path); err != nil || len(raw) == 0 {
		t.Errorf("bob's photo: %v", err)
	}
	if _, err := eve.File(t.Context(), photo, ""); err == nil {
		t.Error("eve has a photo of a job that is not hers")
	}
}

// A database that is older than the mark beside it is noticed when the app starts,
// and nothing is lost.
func TestARestoredBackup(t *testing.T) {
	w := newWorkshop(t)
	ann, annID := w.phone("ann")
	w.sync(ann)
	w.stop()
	backup := filepath.Join(t.TempDir(), "backup")
	w.must(os.CopyFS(backup, os.DirFS(w.dir)))
	w.start()
	_, err := ann.CreateAs("jobs", job, phone.Values{"bicycle": "Union", "mechanics": []string{annID}})
	w.must(err)
	w.sync(ann)
	before, err := w.Journal.Head()
	w.must(err)
	w.stop()
	w.must(os.RemoveAll(w.dir))
	w.must(os.CopyFS(w.dir, os.DirFS(backup)))
	w.start()
	if after, err := w.Journal.Head(); err != nil || after.Epoch == before.Epoch || after.Seq <= before.Seq {
		t.Fatalf("the history goes on at %v, %v", after, err)
	}
	w.sync(ann)
	if r, err := w.App.FindRecordById("jobs", job); err != nil || r.GetString("bicycle") != "Union" {
		t.Errorf("the job is lost: %v", err)
	}
}

// A collection of the app's own under a name that sync needs is told, not changed;
// and so is what is declared and not there.
func TestNamesThatClash(t *testing.T) {
	for name, o := range map[string]attach.Options{
		"phones":     {}, // as a shop's that sells some
		"files":      {Collections: []commune.Collection{{Name: "jobs", Files: []string{"photo"}}}},
		"visitors":   {Auth: "visitors"},
		"guestbooks": {Collections: []commune.Collection{{Name: "guestbooks", Raise: func(*commune.Case) ([]commune.Notice, error) { return nil, nil }}}},
	} {
		app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir(), DBConnect: attach.Connect})
		t.Cleanup(func() { _ = app.ResetBootstrapState() })
		for _, err := range []error{app.Bootstrap(), app.RunSystemMigrations()} {
			if err != nil {
				t.Fatal(err)
			}
		}
		c := core.NewBaseCollection(name)
		c.Fields.Add(&core.TextField{Name: "number"})
		if err := app.Save(c); err != nil {
			t.Fatal(err)
		}
		if err := attach.To(app, o).Open(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
