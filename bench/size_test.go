package bench

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// TestWriteJSONLines writes what a first sync brings as JSON Lines into the file
// that JSONL names, for comparing with other compressors by hand:
//
//	JSONL=/tmp/first.jsonl go test ./bench -run WriteJSONLines && zstd -19 /tmp/first.jsonl
func TestWriteJSONLines(t *testing.T) {
	to := os.Getenv("JSONL")
	if to == "" {
		t.Skip("JSONL names no file")
	}
	f, err := os.Create(filepath.Clean(to))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	testing.Benchmark(func(b *testing.B) {
		if _, err := f.Seek(0, 0); err != nil {
			b.Fatal(err)
		}
		p := communeOf(b, workload)
		ph := p.newPhone(b, newMeter())
		mustSync(b, ph)
		out := json.NewEncoder(f)
		out.SetEscapeHTML(false)
		for _, d := range domains {
			for _, c := range d.Collections {
				all, err := ph.Held(c.Name)
				if err != nil {
					b.Fatal(err)
				}
				for _, r := range all {
					if err := out.Encode(map[string]any{"coll": c.Name, "id": r.ID, "fields": r.Fields}); err != nil {
						b.Fatal(err)
					}
				}
			}
		}
	})
}
