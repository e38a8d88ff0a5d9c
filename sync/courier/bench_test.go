package courier

import (
	"encoding/json"
	"fmt"
	"testing"

	"langso/sync/wire"
)

// A day of a seller and of a health worker: 25 edits, each with its own ids.
func day() []byte {
	var edits []map[string]any
	for i := range 25 {
		id := fmt.Sprintf("%015x", uint64(i+1)*0x9e3779b97f4a7c15)[:15]
		at := fmt.Sprintf("2026-11-24T%02d:%02d:%02dZ", 1+i/3, i*7%60, i*13%60)
		switch i % 3 {
		case 0:
			edits = append(edits, map[string]any{"n": i + 1, "base": 5120, "at": at, "coll": "health_entries", "id": id, "create": map[string]any{"person": id[5:] + "abcde", "kind": "measurement", "code": "bp", "data": map[string]any{"systolic": 120 + i, "diastolic": 75 + i/2}, "source": "measured"}})
		case 1:
			edits = append(edits, map[string]any{"n": i + 1, "base": 5120, "at": at, "do": "market.sale", "args": map[string]any{"id": id, "stall": "g4nh4ng00000001", "product": "v41thi3u0000001", "quantity": 1 + i%4, "amount": 45000 * (1 + i%4), "tender": "cash"}})
		default:
			edits = append(edits, map[string]any{"n": i + 1, "base": 5120, "at": at, "coll": "products", "id": "v41thi3u0000001", "add": map[string]any{"stock": -1 - i%4}})
		}
	}
	ask, _ := json.Marshal(map[string]any{"v": 1, "app": "web/1.0.0", "epoch": "k3v9", "cursor": 5120, "standing": "9f2c4d5e6f708192", "want": 131072, "edits": edits})
	return ask
}

// BenchmarkBundle: what a day of 25 edits weighs sealed, in how many codes it
// goes from screen to camera, and what opening it and sealing the answer costs
// the server.
func BenchmarkBundle(b *testing.B) {
	w, ask := newWorld(b), day()
	s, err := Seal(w.server.PublicKey(), "phone0000000001", w.sign, ask)
	if err != nil {
		b.Fatal(err)
	}
	texts, err := Parts(s.Bytes())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		l, err := Open(w.server, s.Envelope)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := l.Ask(); err != nil {
			b.Fatal(err)
		}
		if _, err := l.Answer(200, wire.Text{Body: ask}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(ask)), "ask-B")
	b.ReportMetric(float64(len(s.Bytes())), "bundle-B")
	b.ReportMetric(float64(len(texts)), "codes")
}
