package wire

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"
)

// FuzzDecode: whatever is sent, an ask that is taken is within its limits, and an
// edit that is taken is of one kind, has a number, and is the same when it is
// written and read again.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"v":1,"cursor":3,"edits":[{"n":1,"coll":"drafts","id":"a","create":{"note":"x"}}]}`))
	f.Add([]byte(`{"v":1,"want":-1,"confirmed":9223372036854775807,"edits":[null]}`))
	f.Add([]byte(`{"n":2,"do":"market.order","args":{"id":"x"}}`))
	f.Add([]byte(`{"n":3,"coll":"a","id":"b","add":{"stock":-2},"change":{"price":1},"after":[1,2]}`))
	f.Add([]byte(`{"n":4,"coll":"a","id":"b","delete":true}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if ask, err := DecodeAsk(body); err == nil {
			if len(ask.Edits) > MaxEdits || ask.Want < WantLeast || ask.Want > WantMost || ask.Cursor < 0 || ask.Confirmed < 0 {
				t.Fatalf("taken beyond the limits: %+v", ask)
			}
		}
		e, err := DecodeEdit(body)
		if err != nil {
			return
		}
		if n, ok := EditNumber(body); !ok || n != e.N {
			t.Fatalf("the edit's number is %d and %d (%v)", e.N, n, ok)
		}
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		again, err := DecodeEdit(text)
		if len(text) > MaxEdit { // escapes made it longer
			return
		}
		if err != nil && len(e.Create)+len(e.Change)+len(e.Add) == 0 {
			return // nothing is made of nothing: an empty member is left out
		}
		if err != nil {
			t.Fatalf("%s is not taken again: %v", text, err)
		}
		if twice, err := json.Marshal(again); err != nil || !bytes.Equal(text, twice) {
			t.Fatalf("%s became %s (%v)", text, twice, err)
		}
	})
}

// FuzzUnpack: no body swells beyond its limit, and what was packed comes back.
func FuzzUnpack(f *testing.F) {
	for _, encoding := range []string{"zstd", "br", "gzip"} {
		packed, name := Text{Body: bytes.Repeat([]byte(`{"complete":{}}`+"\n"), 50)}.Pack(http.Header{"Accept-Encoding": {encoding}})
		f.Add(packed, name)
	}
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd}, "zstd")
	f.Add([]byte("x"), "dcz")
	f.Fuzz(func(t *testing.T, body []byte, encoding string) {
		const limit = 1 << 16
		if out, err := Unpack(body, encoding, limit); err == nil && len(out) > limit {
			t.Fatalf("%d bytes of a limit of %d", len(out), limit)
		}
		if r, err := Unpacked(bytes.NewReader(body), encoding); err == nil {
			_, _ = io.Copy(io.Discard, io.LimitReader(r, limit))
		}
	})
}
