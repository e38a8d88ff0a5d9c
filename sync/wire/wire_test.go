package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestPackAndUnpack(t *testing.T) {
	body := []byte(strings.Repeat(`{"changes":{"coll":"products","rows":[]}}`+"\n", 50))
	tests := []struct {
		who, accept, want string
		body              []byte
	}{
		{"a native phone", "zstd, br, gzip", "zstd", body},
		{"a browser over plain http", "gzip, deflate", "gzip", body},
		{"a browser", "gzip, deflate, br", "br", body},
		{"a browser that has both", "gzip, deflate, br, zstd", "zstd", body},
		{"who refuses zstd", "zstd;q=0, br;q=0.9", "br", body},
		{"who asks for nothing", "", "", body},
		{"who asks for what we have not", "compress, dcb", "", body},
		{"a tiny answer", "zstd", "", body[:80]},
	}
	for _, tt := range tests {
		packed, encoding := Text{Body: tt.body, Ends: []int{len(tt.body) / 2, len(tt.body)}}.Pack(http.Header{"Accept-Encoding": {tt.accept}})
		if encoding != tt.want {
			t.Errorf("%s: packed as %q, want %q", tt.who, encoding, tt.want)
		}
		if encoding != "" && len(packed) >= len(tt.body) {
			t.Errorf("%s: %d bytes became %d", tt.who, len(tt.body), len(packed))
		}
		again, err := Unpack(packed, encoding, 1<<20)
		if err != nil || !bytes.Equal(again, tt.body) {
			t.Errorf("%s: unpacked to %d bytes, %v", tt.who, len(again), err)
		}
		r, err := Unpacked(bytes.NewReader(packed), encoding)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := io.ReadAll(r); err != nil || !bytes.Equal(again, tt.body) {
			t.Errorf("%s: streamed to %d bytes, %v", tt.who, len(again), err)
		}
		if encoding != "" {
			if _, err := Unpack(packed, encoding, len(tt.body)-1); !errors.Is(err, ErrPacked) {
				t.Errorf("%s: a body above the limit gives %v", tt.who, err)
			}
		}
	}
	if _, err := Unpack([]byte("plain"), "br2", 100); !errors.Is(err, ErrPacked) {
		t.Errorf("an unknown encoding gives %v", err)
	}
}

func TestEditShapes(t *testing.T) {
	tests := []struct {
		who, edit string
		want      error
	}{
		{"a create", `{"n":1,"coll":"drafts","id":"x","create":{}}`, nil},
		{"a change and a sum", `{"n":1,"coll":"drafts","id":"x","change":{},"add":{"a":1}}`, nil},
		{"a deletion", `{"n":1,"coll":"drafts","id":"x","delete":true}`, nil},
		{"an action", `{"n":1,"do":"market.order","args":{}}`, nil},
		{"members of a later version", `{"n":1,"do":"x","args":{},"mood":[1]}`, nil},
		{"no number", `{"do":"x"}`, ErrEdit},
		{"number zero", `{"n":0,"do":"x"}`, ErrEdit},
		{"a negative base", `{"n":1,"base":-1,"do":"x"}`, ErrEdit},
		{"nothing to do", `{"n":1,"coll":"drafts","id":"x"}`, ErrEdit},
		{"a record and an action", `{"n":1,"coll":"drafts","id":"x","do":"x"}`, ErrEdit},
		{"a record without id", `{"n":1,"coll":"drafts","create":{}}`, ErrEdit},
		{"an action with a record", `{"n":1,"coll":"drafts","id":"x","create":{},"do":"x"}`, ErrEdit},
		{"no JSON", `{"n":1`, ErrEdit},
		{"too many fields", `{"n":1,"coll":"c","id":"x","change":{"f":1` + manyFields(MaxFields) + `}}`, ErrEdit},
		{"too long", `{"n":1,"do":"x","args":"` + strings.Repeat("x", MaxEdit) + `"}`, ErrEditBig},
	}
	for _, tt := range tests {
		if _, err := DecodeEdit(json.RawMessage(tt.edit)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.who, err, tt.want)
		}
	}
}

func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"f%d":1`, i)
	}
	return b.String()
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"standing":{"hash":"x","circles":["commune"]}}` + "\n" + `{"complete":{"cursor":1,"epoch":"e"}}` + "\n"))
	f.Add([]byte("<html>\n"))
	f.Add([]byte(`{"changes":{"coll":"a","ids":["x"],"seq":[1],"in":[[0,99]],"set":{"a":[null]}}}` + "\n" + `{"mark":"t","crc":"00000000"}` + "\n{"))
	f.Fuzz(func(t *testing.T, body []byte) {
		whole, cut := count(body), count(body[:len(body)/2])
		if cut > whole {
			t.Fatalf("half of an answer has %d lines, the whole %d", cut, whole)
		}
	})
}

func count(body []byte) (n int) {
	a := ReadAnswer(bytes.NewReader(body))
	for {
		lines, ok := a.Next()
		if !ok {
			return n
		}
		n += len(lines)
		for _, l := range lines {
			if l.Changes != nil {
				_, _ = l.Changes.Rows()
			}
		}
	}
}

func FuzzKeysAndHeaders(f *testing.F) {
	f.Add("ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "Phone a.b")
	f.Add("p256:BA", "Phone .")
	f.Fuzz(func(t *testing.T, key, header string) {
		if k, err := ParseKey(key); err == nil && k.Verify([]byte("x"), make([]byte, 64)) {
			t.Fatalf("an empty signature of %s is good", key)
		}
		if phone, _, ok := ParseAuthorization(header); ok && phone == "" {
			t.Fatalf("a header without a phone is good: %q", header)
		}
	})
}
