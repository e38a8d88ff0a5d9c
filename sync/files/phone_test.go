package files_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"langso/phone"
)

// TestPhotosOverABreakingRoad: Lan's photo goes up and comes down to Mai, byte for
// byte, though the road breaks at random places in both directions.
func TestPhotosOverABreakingRoad(t *testing.T) {
	for seed := range uint64(8) {
		v := newVillage(t)
		r := rand.New(rand.NewPCG(seed, 1))
		breaks := func(n int) int {
			if n > 0 && r.IntN(3) > 0 {
				return r.IntN(n)
			}
			return n
		}
		up, down := &road{up: breaks, down: breaks}, &road{up: breaks, down: breaks}
		lans, mais := v.phone(lan, up), v.phone(mai, down)

		hash, err := lans.AddFileBytes(photo(t, seed, 500, 400, true))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := lans.CreateAs("products", "product00000001", phone.Values{"stall": "stall0000000001", "name": "Vải", "price": 45000, "photos": hash}); err != nil {
			t.Fatal(err)
		}
		path, err := lans.File(context.Background(), hash, phone.Whole)
		if err != nil {
			t.Fatalf("seed %d: her own photo is not on her phone: %v", seed, err)
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		v.sync(lans)
		sent := false
		for range 300 {
			if _, err := lans.SendFiles(context.Background()); err == nil {
				sent = true
				break
			}
		}
		if !sent {
			t.Fatalf("seed %d: the photo never arrived", seed)
		}
		v.sync(mais)
		got, err := mais.List("products")
		if err != nil || len(got) != 1 || got[0].Fields["photos"] != hash {
			t.Fatalf("seed %d: Mai sees %v (%v)", seed, got, err)
		}
		for _, size := range []string{phone.Thumb, phone.Screen, phone.Whole} {
			b := fetch(t, mais, hash, size)
			switch size {
			case phone.Whole:
				if !bytes.Equal(b, want) {
					t.Errorf("seed %d: the photo came as another", seed)
				}
			case phone.Thumb:
				if len(b) > 2048 {
					t.Errorf("seed %d: the thumbnail has %d bytes", seed, len(b))
				}
			}
			if bytes.Contains(b, []byte("NHA-BA-LAN")) {
				t.Errorf("seed %d: Mai's phone knows where Lan lives", seed)
			}
		}
		// A second phone of hers has nothing to send.
		before := up.sent
		if rep, err := lans.SendFiles(context.Background()); err == nil && rep.Requests != 0 || up.sent != before {
			t.Errorf("seed %d: sent again: %+v", seed, rep)
		}
	}
}

func fetch(t *testing.T, p *phone.Phone, hash, size string) []byte {
	t.Helper()
	var err error
	for range 300 {
		var path string
		if path, err = p.File(context.Background(), hash, size); err == nil {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
	}
	t.Fatalf("the file never came: %v", err)
	return nil
}

// TestACutCostsOnePiece: what a broken road costs is at most one piece a cut.
func TestACutCostsOnePiece(t *testing.T) {
	v := newVillage(t)
	cuts := 0
	r := &road{}
	r.up = func(n int) int {
		if n > 1000 && r.requests%5 == 0 {
			cuts++
			return n - 1
		}
		return n
	}
	p := v.phone(lan, r)
	b := photo(t, 1, 900, 800, false)
	if _, err := p.AddFileBytes(b); err != nil {
		t.Fatal(err)
	}
	v.sync(p)
	r.sent = 0
	rep, err := p.SendFiles(context.Background())
	if err != nil || rep.Sent != 1 {
		t.Fatalf("%+v, %v", rep, err)
	}
	if cuts == 0 || r.sent > len(b)+cuts*(256<<10) {
		t.Errorf("%d bytes went up for %d, with %d cuts", r.sent, len(b), cuts)
	}
}

// TestTheRestartedPhoneGoesOn: a phone that is switched off in the middle of an
// upload sends only the rest.
func TestTheRestartedPhoneGoesOn(t *testing.T) {
	v := newVillage(t)
	r := &road{}
	p := v.phone(lan, r)
	b := photo(t, 2, 900, 800, false)
	if _, err := p.AddFileBytes(b); err != nil {
		t.Fatal(err)
	}
	through := 0
	r.up = func(n int) int {
		if through += n; through > 100_000 {
			return 0
		}
		return n
	}
	if _, err := p.SendFiles(context.Background()); err == nil {
		t.Fatal("it was sent over a broken road")
	}
	already := r.sent
	r.up, r.sent = nil, 0
	if rep, err := p.SendFiles(context.Background()); err != nil || rep.Sent != 1 {
		t.Fatalf("%+v, %v", rep, err)
	}
	if already < 30_000 || r.sent > len(b)-already+2000 {
		t.Errorf("%d of %d had arrived, and %d went up again", already, len(b), r.sent)
	}
}

// TestWhoLeavesForgets: when a person may no longer see a record, its photo
// leaves their phone.
func TestWhoLeavesForgets(t *testing.T) {
	v := newVillage(t)
	lans, mais := v.phone(lan, &road{}), v.phone(mai, &road{})
	hash, err := lans.AddFileBytes(photo(t, 3, 300, 200, false))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lans.CreateAs("products", "product00000001", phone.Values{"stall": "stall0000000001", "name": "Rượu", "price": 45000, "photos": hash}); err != nil {
		t.Fatal(err)
	}
	v.sync(lans)
	if _, err := lans.SendFiles(context.Background()); err != nil {
		t.Fatal(err)
	}
	v.sync(mais)
	path, err := mais.File(context.Background(), hash, phone.Whole)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lans.Change("products", "product00000001", phone.Values{"adult": true}); err != nil {
		t.Fatal(err)
	}
	v.sync(lans)
	v.sync(mais)
	if err := mais.SweepFiles(); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); err != nil || len(left) != 0 {
		t.Errorf("Mai's phone still holds %v (%v)", left, err)
	}
	var f *phone.Failure
	if _, err := mais.File(context.Background(), hash, phone.Thumb); !errors.As(err, &f) || f.Code != "not_found" {
		t.Errorf("Mai asks for it again: %v", err)
	}
	if _, err := lans.File(context.Background(), hash, phone.Whole); err != nil {
		t.Errorf("Lan lost her own: %v", err)
	}
}

// TestABlockedPhoneForgets: of a lost phone's files only what was never sent stays.
func TestABlockedPhoneForgets(t *testing.T) {
	v := newVillage(t)
	p := v.phone(lan, &road{})
	var hashes []string
	for i := range 2 {
		hash, err := p.AddFileBytes(photo(t, uint64(i), 300, 200, false))
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, hash)
		if i == 0 {
			if _, err := p.CreateAs("drafts", "draft0000000001", phone.Values{"person": lan, "procedure": "procedure000001", "scans": hash}); err != nil {
				t.Fatal(err)
			}
			v.sync(p)
			if _, err := p.SendFiles(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
	sent, err := p.File(context.Background(), hashes[0], phone.Whole)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.App.NonconcurrentDB().NewQuery(`UPDATE phones SET blocked = 1`).Execute(); err != nil {
		t.Fatal(err)
	}
	var f *phone.Failure
	if _, err := p.SendFiles(context.Background()); !errors.As(err, &f) || f.Code != "phone_blocked" {
		t.Errorf("a blocked phone sends: %v", err)
	}
	if _, err := p.Sync(context.Background()); !errors.As(err, &f) || !f.Wipe {
		t.Errorf("a blocked phone syncs: %v", err)
	}
	if err := p.SweepFiles(); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(sent), "*"))
	if err != nil || len(left) != 2 || !strings.Contains(left[0], hashes[1]) || !strings.Contains(left[1], hashes[1]) {
		t.Errorf("left are %v (%v)", left, err)
	}
}

// TestAScanGoesWithTheDossier: the officer reads what the applicant sent, though
// the dossier arrived before it.
func TestAScanGoesWithTheDossier(t *testing.T) {
	v := newVillage(t)
	p := v.phone(lan, &road{})
	hash, err := p.AddFileBytes(photo(t, 6, 300, 200, false))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Do("publicservice.submit", map[string]any{"id": "dossier00000001", "person": lan, "procedure": "procedure000001", "content": map[string]any{}, "scans": hash}); err != nil {
		t.Fatal(err)
	}
	v.sync(p)
	tams := v.key(tam)
	if w := tams.get(hash); w.Code != 404 {
		t.Errorf("before it was sent: %d", w.Code)
	}
	if _, err := p.SendFiles(context.Background()); err != nil {
		t.Fatal(err)
	}
	if w := tams.get(hash); w.Code != 200 {
		t.Errorf("the officer: %d %s", w.Code, w.Body)
	}
	if w := v.key(mai).get(hash); w.Code != 404 {
		t.Errorf("a neighbour: %d", w.Code)
	}
}

// TestASharedPhone: the next person on the same phone sees nothing of the one
// before, whose unsent photo waits for them.
func TestASharedPhone(t *testing.T) {
	v := newVillage(t)
	p := v.phone(lan, &road{})
	hash, err := p.AddFileBytes(photo(t, 5, 300, 200, false))
	if err != nil {
		t.Fatal(err)
	}
	text, err := p.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	become := func(person string) {
		t.Helper()
		if _, err := v.App.NonconcurrentDB().NewQuery(`DELETE FROM phones`).Execute(); err != nil {
			t.Fatal(err)
		}
		ids[person] = v.Put(t, "phones", "", map[string]any{"person": person, "label": "Máy", "public_key": text})
		if err := p.Adopt(ids[person], person); err != nil {
			t.Fatal(err)
		}
	}
	become(mai)
	var f *phone.Failure
	if _, err := p.File(context.Background(), hash, phone.Whole); !errors.As(err, &f) || f.Code != "not_found" {
		t.Errorf("Mai sees Lan's unsent photo: %v", err)
	}
	if rep, err := p.SendFiles(context.Background()); err != nil || rep.Sent != 0 || v.key(mai).has(hash) {
		t.Errorf("Lan's photo went up as Mai's: %+v %v", rep, err)
	}
	become(lan)
	if rep, err := p.SendFiles(context.Background()); err != nil || rep.Sent != 1 || !v.key(lan).has(hash) {
		t.Errorf("back on her phone Lan's photo stays: %+v %v", rep, err)
	}
}

// TestWhatThePhoneRefuses says so at once, without a network.
func TestWhatThePhoneRefuses(t *testing.T) {
	v := newVillage(t)
	p := v.phone(lan, &road{up: func(int) int { return 0 }})
	for name, c := range map[string]struct {
		b    []byte
		code string
	}{
		"a text":         {[]byte("Kính gửi"), "bad_type"},
		"a huge PDF":     {append([]byte("%PDF-1.4"), make([]byte, 11<<20)...), "too_big"},
		"half a picture": {photo(t, 1, 50, 50, false)[:300], "bad_type"},
	} {
		var f *phone.Failure
		if _, err := p.AddFileBytes(c.b); !errors.As(err, &f) || f.Code != c.code || f.Say == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestARestoredServerIsGivenTheFilesAgain: a backup does not hold what was sent
// after it; the phones that added a file still have it.
func TestARestoredServerIsGivenTheFilesAgain(t *testing.T) {
	v := newVillage(t)
	p := v.phone(lan, &road{})
	hash, err := p.AddFileBytes(photo(t, 4, 300, 200, false))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.CreateAs("drafts", "draft0000000001", phone.Values{"person": lan, "procedure": "procedure000001", "scans": hash}); err != nil {
		t.Fatal(err)
	}
	v.sync(p)
	if _, err := p.SendFiles(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(v.Dir(), "files")); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{`DELETE FROM files`, `DELETE FROM file_holders`, `DELETE FROM file_uploads`} {
		if _, err := v.App.NonconcurrentDB().NewQuery(q).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.Journal.Raise(1_000_000); err != nil {
		t.Fatal(err)
	}
	v.Restart(t)
	v.Clock.Add(time.Hour)
	v.sync(p)
	if rep, err := p.SendFiles(context.Background()); err != nil || rep.Sent != 1 {
		t.Fatalf("%+v, %v", rep, err)
	}
	if w := v.key(lan).get(hash); w.Code != 200 {
		t.Errorf("the file is not there again: %d %s", w.Code, strings.TrimSpace(w.Body.String()))
	}
}
