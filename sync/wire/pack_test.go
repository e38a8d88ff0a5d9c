package wire_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"

	"langso/dictionary"
	"langso/sync/wire"
)

// answerOf is an answer with that many records of a stall, in chunks.
func answerOf(t testing.TB, records int) wire.Text {
	r := rand.New(rand.NewPCG(1, 2))
	names := []string{"Vải thiều sớm", "Ổi Phúc Hòa", "Bưởi da xanh", "Mật ong hoa vải", "Rượu nếp"}
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	var lines []wire.Line
	var rows []wire.Row
	flush := func() {
		columns := wire.Columns("products", rows)
		for i := range columns {
			lines = append(lines, wire.Line{Changes: &columns[i]})
		}
		mark := "1.2.3"
		lines = append(lines, wire.Line{Mark: &mark})
		rows = nil
	}
	for i := range records {
		id := make([]byte, 15)
		for k := range id {
			id[k] = letters[r.IntN(36)]
		}
		set := map[string]json.RawMessage{}
		for k, v := range map[string]any{"name": names[r.IntN(5)] + fmt.Sprint(" loại ", r.IntN(9)), "price": 1000 * r.IntN(90), "unit": "kg", "note": fmt.Sprintf("hái sáng ngày %d, giao tại nhà văn hóa thôn %d", r.IntN(30), r.IntN(12))} {
			raw, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			set[k] = raw
		}
		rows = append(rows, wire.Row{ID: string(id), Seq: wire.Cursor(1000 + i), Set: set})
		if len(rows) == 80 {
			flush()
		}
	}
	flush()
	text, err := wire.Write(append(lines, wire.Line{Complete: &wire.Complete{Cursor: 99999, Epoch: "abcdefgh"}}))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// BenchmarkPack packs answers of one record and of hundreds in all the ways.
func BenchmarkPack(b *testing.B) {
	wire.AddDictionaries(dictionary.Versions)
	d := wire.FindDictionary(1)
	hash := ":" + base64.StdEncoding.EncodeToString(d.Hash[:]) + ":"
	for _, records := range []int{1, 20, 400} {
		text := answerOf(b, records)
		for _, encoding := range []string{"gzip", "br", "zstd", "dcz"} {
			b.Run(fmt.Sprintf("records=%d/%s", records, encoding), func(b *testing.B) {
				header := http.Header{"Accept-Encoding": {encoding}}
				if encoding == "dcz" {
					header.Set("Available-Dictionary", hash)
				}
				b.ReportAllocs()
				n := 0
				for b.Loop() {
					packed, _ := text.Pack(header)
					n = len(packed)
				}
				b.ReportMetric(float64(n), "bytes")
				b.ReportMetric(float64(len(text.Body)), "plain-bytes")
			})
		}
	}
}
