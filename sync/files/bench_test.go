package files_test

import (
	"context"
	"os"
	"sync"
	"testing"

	"langso/phone"
)

// BenchmarkThumb: one thumbnail asked for by who may read it: from the signature
// to the last byte.
func BenchmarkThumb(b *testing.B) {
	v := newVillage(b)
	k := v.key(lan)
	p := photo(b, 1, 1200, 900, false)
	if w := k.send(p); w.Code != 201 {
		b.Fatal(w.Body)
	}
	v.Put(b, "products", "product00000001", map[string]any{"stall": "stall0000000001", "name": "Vải", "price": 1, "photos": nameOf(p)})
	mais, to := v.key(mai), "/api/files/"+nameOf(p)+"?size=thumb"
	bytes := 0
	b.ReportAllocs()
	for b.Loop() {
		w := mais.do("GET", to, nil)
		if w.Code != 200 {
			b.Fatal(w.Code)
		}
		bytes = w.Body.Len()
	}
	b.ReportMetric(float64(bytes), "bytes/thumb")
}

// BenchmarkSendPhoto: a photo from the phone's store to the server's, with what
// it costs in requests and bytes beside the photo itself.
func BenchmarkSendPhoto(b *testing.B) {
	v := newVillage(b)
	r := &road{}
	p := v.phone(lan, r)
	var requests, up, size float64
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := v.App.NonconcurrentDB().NewQuery(`DELETE FROM file_uploads`).Execute(); err != nil {
			b.Fatal(err)
		}
		hash, err := p.AddFileBytes(photo(b, uint64(i), 700, 500, false))
		if err != nil {
			b.Fatal(err)
		}
		path, err := p.File(context.Background(), hash, phone.Whole)
		if err != nil {
			b.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		rep, err := p.SendFiles(context.Background())
		if err != nil || rep.Sent != 1 {
			b.Fatal(rep, err)
		}
		requests, up, size = requests+float64(rep.Requests), up+float64(rep.Up), size+float64(info.Size())
	}
	n := float64(b.N)
	b.ReportMetric(requests/n, "requests/photo")
	b.ReportMetric(up/size, "bytes-up/byte")
}

// TestManyAtOnce: many people send the same photo and others at the same time,
// while orphans are looked for; each has what they sent.
func TestManyAtOnce(t *testing.T) {
	v := newVillage(t)
	shared := photo(t, 1, 200, 200, false)
	store := v.store()
	var all sync.WaitGroup
	for i := range 8 {
		person := []string{lan, mai, hoa, tam}[i%4]
		k := v.key(person)
		own := photo(t, uint64(10+i), 200, 200, false)
		all.Go(func() {
			for _, b := range [][]byte{shared, own} {
				if w := k.send(b); w.Code != 201 {
					t.Errorf("%s: %d %s", person, w.Code, w.Body)
				}
				if !k.has(nameOf(b)) {
					t.Errorf("%s: what was sent is not there", person)
				}
			}
		})
		all.Go(func() {
			if err := store.Sweep(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
