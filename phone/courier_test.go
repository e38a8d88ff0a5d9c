package phone_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"langso/commune"
	"langso/commune/health"
	"langso/commune/market"
	"langso/commune/people"
	"langso/commune/publicservice"
	"langso/phone"
	"langso/sync/courier"
	"langso/villagetest"
)

// village is a commune where seller Lan has no network, and Bảy and Tú pass by.
type village struct {
	*villagetest.Server
	t   *testing.T
	lan *phone.Phone
	off *villagetest.Fault // what befalls Lan's requests
}

const (
	product = "product00000001"
	stall   = "stall0000000001"
	marker  = "Thuốc huyết áp của bà Lan"
)

func newVillage(t *testing.T) *village {
	t.Helper()
	v := &village{t: t, off: &villagetest.Fault{}}
	v.Server = villagetest.New(t, []commune.Domain{people.Domain, health.Domain, publicservice.Domain, market.Domain})
	v.Put(t, "villages", "village00000001", map[string]any{"name": "Thôn Thượng"})
	for _, who := range []string{"lan", "bay", "tu"} {
		house := "household000" + strings.Repeat("0", 3-len(who)) + who
		v.Put(t, "households", house, map[string]any{"name": who, "village": "village00000001"})
		v.Put(t, "persons", personOf(who), map[string]any{"name": who, "household": house, "status": "active"})
	}
	v.Put(t, "procedures", "procedure000001", map[string]any{"name": "Khai sinh", "code": "1", "active": true})
	v.Put(t, "stalls", stall, map[string]any{"name": "Gian hàng", "owner": personOf("lan"), "village": "village00000001"})
	v.Put(t, "duties", "", map[string]any{"person": personOf("lan"), "role": "seller", "place": stall})
	v.Put(t, "products", product, map[string]any{"stall": stall, "name": "Vải thiều", "unit": "kg", "price": 45000, "stock": 100})
	v.lan = v.Phone(t, personOf("lan"), &villagetest.Network{Fault: func() villagetest.Fault { return *v.off }})
	if err := v.lan.Greet(context.Background()); err != nil {
		t.Fatal(err)
	}
	v.syncs(v.lan)
	v.off.Drop = true
	return v
}

func personOf(who string) string { return who + strings.Repeat("0", 15-len(who)) }

func (v *village) syncs(p *phone.Phone) phone.Report {
	v.t.Helper()
	r, err := p.Sync(context.Background())
	if err != nil {
		v.t.Fatal(err)
	}
	return r
}

func (v *village) carrier(who string) *phone.Phone {
	return v.Phone(v.t, personOf(who), nil)
}

// writes lets Lan write a draft with a marker, and sell some fruit.
func (v *village) writes(id string) {
	v.t.Helper()
	if _, err := v.lan.CreateAs("drafts", id, phone.Values{"person": personOf("lan"), "procedure": "procedure000001", "note": marker}); err != nil {
		v.t.Fatal(err)
	}
	if _, err := v.lan.Add("products", product, map[string]float64{"stock": -2}); err != nil {
		v.t.Fatal(err)
	}
}

func (v *village) pack() []byte {
	v.t.Helper()
	packed, err := v.lan.Pack()
	if err != nil {
		v.t.Fatal(err)
	}
	return packed.File
}

// brings carries a file to the server and returns the answers.
func (v *village) brings(p *phone.Phone, file []byte) []byte {
	v.t.Helper()
	if _, err := p.Carry(file); err != nil {
		v.t.Fatal(err)
	}
	if _, err := p.Deliver(context.Background()); err != nil {
		v.t.Fatal(err)
	}
	answers, _, err := p.Answers()
	if err != nil {
		v.t.Fatal(err)
	}
	return answers
}

func (v *village) unpacks(file []byte) phone.Unpacked {
	v.t.Helper()
	got, err := v.lan.Unpack(file)
	if err != nil {
		v.t.Fatal(err)
	}
	return got
}

func (v *village) stock() int {
	v.t.Helper()
	r, err := v.App.FindRecordById("products", product)
	if err != nil {
		v.t.Fatal(err)
	}
	return r.GetInt("stock")
}

func (v *village) wants(what string, got, want any) {
	v.t.Helper()
	if got != want {
		v.t.Errorf("%s: %v, not %v", what, got, want)
	}
}

func (v *village) waiting() int {
	v.t.Helper()
	s, err := v.lan.Status()
	if err != nil {
		v.t.Fatal(err)
	}
	return s.Waiting
}

func TestANeighbourDelivers(t *testing.T) {
	v := newVillage(t)
	v.writes("draft0000000001")
	v.Put(t, "procedures", "procedure000002", map[string]any{"name": "Mới", "code": "2", "active": true})
	dir := filepath.Join(t.TempDir(), "bay")
	bay := v.PhoneAt(t, dir, personOf("bay"), nil)
	answers := v.brings(bay, v.pack())
	v.wants("stock on the server", v.stock(), 98)

	// What Bảy's phone holds says nothing.
	if err := bay.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"phone.db", "phone.db-wal"} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		lan, _, _ := v.lan.Self()
		for _, word := range []string{marker, "draft0000000001", lan, personOf("lan")} {
			if bytes.Contains(raw, []byte(word)) {
				t.Errorf("%s of who carries holds %q", name, word)
			}
		}
	}

	got := v.unpacks(answers)
	v.wants("answers", got.Answers, 1)
	v.wants("late", got.Late, 0)
	v.wants("complete", got.Complete, true)
	v.wants("waiting", v.waiting(), 0)
	if _, found, _ := v.lan.Show("procedures", "procedure000002"); !found {
		t.Error("what was new did not come along")
	}
	r, _, err := v.lan.Show("products", product)
	if err != nil || r.Fields["stock"] != 98.0 {
		t.Errorf("Lan sees %v", r.Fields["stock"])
	}
	// Home again, the direct road has nothing left to say.
	v.off.Drop = false
	if r := v.syncs(v.lan); r.Sent != 0 || r.Changed != 0 || r.Mismatches != 0 {
		t.Errorf("%+v", r)
	}
	v.wants("an answer that was taken", v.unpacks(answers).Others, 1)
}

func TestByTwoCarriersAndDirectlyIsOnce(t *testing.T) {
	v := newVillage(t)
	v.writes("draft0000000001")
	first := v.pack()
	v.writes("draft0000000002")
	second := v.pack()
	v.off.Drop = false
	bay, tu := v.carrier("bay"), v.carrier("tu")
	var work sync.WaitGroup
	var byBay, byTu []byte
	for _, f := range []func(){
		func() { byBay = v.brings(bay, append(bytes.Clone(first), second...)) },
		func() { byTu = v.brings(tu, append(bytes.Clone(second), first...)) },
		func() {
			if _, err := v.lan.Sync(context.Background()); err != nil {
				t.Error(err)
			}
		},
	} {
		work.Go(f)
	}
	work.Wait()
	v.wants("stock on the server", v.stock(), 96)
	v.unpacks(byTu)
	v.unpacks(byBay)
	v.syncs(v.lan)
	v.wants("stock on the server", v.stock(), 96)
	v.wants("waiting", v.waiting(), 0)
	edits, err := v.lan.Edits()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range edits {
		v.wants("edit", e.State, "taken")
	}
	if r := v.syncs(v.lan); r.Mismatches != 0 || r.Sent != 0 {
		t.Errorf("%+v", r)
	}
}

// An answer that comes after newer news: only verdicts of edits that still wait
// count; nothing goes back in time.
func TestALateAnswerTakesOnlyVerdicts(t *testing.T) {
	v := newVillage(t)
	v.writes("draft0000000001")
	old := v.pack()
	answers := v.brings(v.carrier("bay"), old)
	v.off.Drop = false
	v.syncs(v.lan)
	v.writes("draft0000000002")
	v.syncs(v.lan)
	if _, err := v.lan.CreateAs("drafts", "draft0000000003", phone.Values{"person": "nobody"}); err != nil {
		t.Fatal(err)
	}
	before, err := v.lan.Edits()
	if err != nil {
		t.Fatal(err)
	}
	got := v.unpacks(answers)
	v.wants("late", got.Late, 1)
	v.wants("verdicts", len(got.Verdicts), 0)
	v.wants("changed", got.Changed, 0)
	after, err := v.lan.Edits()
	if err != nil || len(after) != len(before) {
		t.Fatal(len(after), err)
	}
	for i := range after {
		v.wants("edit", after[i].State, before[i].State)
	}
	v.wants("requests", v.syncs(v.lan).Mismatches, 0)
}

// A bundle may only ask for news: what it brings home late is older than what is there.
func TestLateNewsGoesNowhere(t *testing.T) {
	v := newVillage(t)
	answers := v.brings(v.carrier("bay"), v.pack())
	v.Put(t, "procedures", "procedure000002", map[string]any{"name": "Mới", "code": "2", "active": true})
	v.off.Drop = false
	v.syncs(v.lan)
	v.wants("late", v.unpacks(answers).Late, 1)
	r := v.syncs(v.lan)
	v.wants("records that came again", r.Changed+r.Mismatches, 0)
}

// Two bundles under way: the answer to the second counts whole, the one to the
// first then says nothing new; and the other way round its verdicts still count.
func TestTwoBundlesComeHomeInAnyOrder(t *testing.T) {
	for name, backward := range map[string]bool{"as they left": false, "the second first": true} {
		t.Run(name, func(t *testing.T) {
			v := newVillage(t)
			v.writes("draft0000000001")
			first := v.pack()
			v.writes("draft0000000002")
			second := v.pack()
			files := [][]byte{v.brings(v.carrier("bay"), first), v.brings(v.carrier("tu"), second)}
			if backward {
				files[0], files[1] = files[1], files[0]
			}
			for i, f := range files {
				got := v.unpacks(f)
				v.wants("answers", got.Answers, 1)
				v.wants("late", got.Late, i)
			}
			v.wants("waiting", v.waiting(), 0)
			v.off.Drop = false
			r := v.syncs(v.lan)
			v.wants("sent", r.Sent, 0)
			v.wants("mismatches", r.Mismatches, 0)
			v.wants("stock", v.stock(), 96)
		})
	}
}

func TestTamperedBundlesDoNothing(t *testing.T) {
	v := newVillage(t)
	v.writes("draft0000000001")
	file := v.pack()
	for i := 0; i < len(file); i += 7 {
		v.Clock.Add(time.Minute) // as an attacker has time
		damaged := bytes.Clone(file)
		damaged[i] ^= 0x40
		w := v.Do(http.MethodPost, courier.Path, string(damaged), nil)
		all, err := courier.Parse(w.Body.Bytes(), 20)
		refused := w.Code == http.StatusBadRequest && strings.Contains(w.Body.String(), "bad_bundle") ||
			err == nil && len(all) == 1 && all[0].Kind == courier.Refused &&
				(bytes.Contains(all[0].Box, []byte("bad_bundle")) || bytes.Contains(all[0].Box, []byte("other_server")))
		if !refused {
			t.Fatalf("byte %d: %d %q", i, w.Code, w.Body)
		}
	}
	v.wants("stock", v.stock(), 100)
	answers := v.brings(v.carrier("bay"), file)
	for i := range 40 {
		damaged := bytes.Clone(answers)
		damaged[len(damaged)-1-i*5] ^= 1
		if got, err := v.lan.Unpack(damaged); err == nil {
			v.wants("answers", got.Answers, 0)
			v.wants("damaged", got.Damaged, 1)
		}
	}
	v.wants("answers", v.unpacks(answers).Answers, 1)
}

func TestAnotherCommunesServer(t *testing.T) {
	v, other := newVillage(t), newVillage(t)
	v.writes("draft0000000001")
	v.unpacksRefused(other.brings(other.carrier("bay"), v.pack()), "other_server")
	v.wants("waiting", v.waiting(), 2)
}

func (v *village) unpacksRefused(file []byte, code string) phone.Unpacked {
	v.t.Helper()
	got := v.unpacks(file)
	if len(got.Refused) != 1 || got.Refused[0].Code != code {
		v.t.Errorf("refused: %+v, not %s", got.Refused, code)
	}
	return got
}

// A blocked phone learns only that; who carries it does not even learn that.
func TestABlockedPhone(t *testing.T) {
	v := newVillage(t)
	v.writes("draft0000000001")
	file := v.pack()
	id, _, err := v.lan.Self()
	if err != nil {
		t.Fatal(err)
	}
	r, err := v.App.FindRecordById("phones", id)
	if err != nil {
		t.Fatal(err)
	}
	r.Set("blocked", true)
	if err := v.App.Save(r); err != nil {
		t.Fatal(err)
	}
	answers := v.brings(v.carrier("bay"), file)
	if bytes.Contains(answers, []byte("blocked")) || answers[4] != byte(courier.Answer) {
		t.Error("who carries it learns that the phone is blocked")
	}
	v.unpacksRefused(answers, "phone_blocked")
	if all, err := v.lan.List("procedures"); err != nil || len(all) != 0 {
		t.Errorf("the phone still holds %d records: %v", len(all), err)
	}
	v.wants("waiting", v.waiting(), 0) // handed in, for a person to look at

	// Unblocked and heard of directly, the old answer wipes nothing.
	r.Set("blocked", false)
	if err := v.App.Save(r); err != nil {
		t.Fatal(err)
	}
	v.off.Drop = false
	v.syncs(v.lan)
	v.unpacks(answers)
	if all, err := v.lan.List("procedures"); err != nil || len(all) != 1 {
		t.Errorf("an old answer wiped the phone: %d %v", len(all), err)
	}
}

// A phone that was restored is another history: verdicts of the old one are not
// believed, the edits are sent again, and known.
func TestVerdictsOfAnotherHistory(t *testing.T) {
	v := newVillage(t)
	v.writes("draft0000000001")
	answers := v.brings(v.carrier("bay"), v.pack())
	// The server goes back behind that: its numbers and the epoch change.
	for _, sql := range []string{`UPDATE journal_meta SET epoch = 'other'`, `DELETE FROM sync_verdicts`, `UPDATE sync_phones SET acked = 0`,
		`UPDATE products SET stock = 100`, `DELETE FROM drafts`} {
		if _, err := v.App.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	v.Restart(t)
	v.writes("draft0000000002")
	late := v.pack()
	v.off.Drop = false
	v.syncs(v.lan)
	v.wants("stock", v.stock(), 96)
	v.unpacks(answers)
	v.unpacks(v.brings(v.carrier("tu"), late))
	v.syncs(v.lan)
	v.wants("stock", v.stock(), 96)
	v.wants("waiting", v.waiting(), 0)
}

func TestWhatACarrierKeeps(t *testing.T) {
	v := newVillage(t)
	bay := v.carrier("bay")
	v.writes("draft0000000001")
	file := v.pack()
	for range 3 {
		if n, err := bay.Carry(file); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	waiting, _, err := bay.Carried()
	if err != nil {
		t.Fatal(err)
	}
	v.wants("the same file three times", waiting, 1)
	for range courier.MaxCarried - 1 {
		if _, err := bay.Carry(v.pack()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := bay.Carry(v.pack()); !errors.Is(err, phone.ErrFull) {
		t.Errorf("the 21st: %v", err)
	}
	if _, err := bay.Carry([]byte("a photo")); !errors.Is(err, courier.ErrFile) {
		t.Errorf("a photo: %v", err)
	}
	v.Clock.Add(8 * 24 * time.Hour)
	if waiting, _, err = bay.Carried(); err != nil || waiting != 0 {
		t.Errorf("after 8 days %d are kept: %v", waiting, err)
	}
	answers := v.brings(bay, file)
	v.Clock.Add(31 * 24 * time.Hour)
	got := v.unpacks(answers)
	v.wants("after a month", got.Others, 1)
}

// The times that a person wrote at stay what they were, however long the bundle
// was carried.
func TestCarriedForThreeDays(t *testing.T) {
	v := newVillage(t)
	if _, err := v.lan.CreateAs("health_entries", "entry0000000001", phone.Values{"person": personOf("lan"), "kind": "measurement", "code": "bp",
		"data": map[string]any{"systolic": 130, "diastolic": 80}}); err != nil {
		t.Fatal(err)
	}
	file := v.pack()
	v.Clock.Add(3 * 24 * time.Hour)
	got := v.unpacks(v.brings(v.carrier("bay"), file))
	if len(got.Verdicts) != 1 || got.Verdicts[0].Is != "taken" {
		t.Fatalf("%+v", got.Verdicts)
	}
	r, err := v.App.FindRecordById("health_entries", "entry0000000001")
	if err != nil {
		t.Fatal(err)
	}
	v.wants("measured on", r.GetString("occurred_on"), "2026-11-24")
}

// A queue that one bundle cannot hold goes in several, in one file.
func TestALongQueue(t *testing.T) {
	v := newVillage(t)
	noise := strings.Builder{}
	x := uint32(1)
	for noise.Len() < 12_000 {
		x = x*1664525 + 1013904223
		noise.WriteByte("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ+/"[x>>26])
	}
	for i := range 20 {
		if _, _, err := v.lan.Create("drafts", phone.Values{"person": personOf("lan"), "procedure": "procedure000001", "note": noise.String()[i*400 : i*400+4000]}); err != nil {
			t.Fatal(err)
		}
	}
	packed, err := v.lan.Pack()
	if err != nil {
		t.Fatal(err)
	}
	v.wants("left", packed.Left, 0)
	got := v.unpacks(v.brings(v.carrier("bay"), packed.File))
	v.wants("answers", got.Answers, packed.Bundles)
	v.wants("waiting", v.waiting(), 0)
}

// A new phone that has never had a network is filled by its neighbours.
func TestAFirstSyncByCourier(t *testing.T) {
	v := newVillage(t)
	tu := v.carrier("tu")
	if _, err := tu.Pack(); !errors.Is(err, phone.ErrNoKey) {
		t.Errorf("without the key: %v", err)
	}
	if err := tu.Greet(context.Background()); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		packed, err := tu.Pack()
		if err != nil {
			t.Fatal(err)
		}
		got, err := tu.Unpack(v.brings(v.carrier("bay"), packed.File))
		if err != nil {
			t.Fatal(err)
		}
		if got.Complete {
			break
		}
	}
	all, err := tu.List("products")
	if err != nil || len(all) != 1 {
		t.Errorf("%d products: %v", len(all), err)
	}
}

func TestAFloodFromOneAddress(t *testing.T) {
	v := newVillage(t)
	file := v.pack()
	last := 0
	for range 201 {
		last = v.Do(http.MethodPost, courier.Path, string(file), nil).Code
	}
	v.wants("the 201st of a minute", last, http.StatusTooManyRequests)
	v.Clock.Add(time.Minute)
	v.wants("a minute later", v.Do(http.MethodPost, courier.Path, string(file), nil).Code, http.StatusOK)
	v.wants("too large", v.Do(http.MethodPost, courier.Path, strings.Repeat("x", 21*courier.MaxBundle), nil).Code, http.StatusRequestEntityTooLarge)
}
