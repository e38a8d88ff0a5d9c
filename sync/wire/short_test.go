package wire

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// long are the ways that plain values need not take.
func longCBOR(raw json.RawMessage) ([]byte, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return encoding.Marshal(numbers(v))
}

func longJSON(raw cbor.RawMessage) ([]byte, error) {
	var v any
	if err := decoding.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	return appendJSON(nil, v)
}

// TestThePlainWayLeadsToTheSamePlace: a short way may never say what the long
// one does not.
func TestThePlainWayLeadsToTheSamePlace(t *testing.T) {
	plain := 0
	for _, raw := range []string{`""`, `"vải"`, `"` + strings.Repeat("a", 23) + `"`, `"` + strings.Repeat("a", 24) + `"`, `"` + strings.Repeat("ả", 200) + `"`,
		`"` + strings.Repeat("x", 70000) + `"`, `"a\nb"`, `"a\u0041"`, "\"\xff\"", `"a"b"`, `"`, `0`, `23`, `24`, `255`, `256`, `65535`, `65536`, `4294967295`, `4294967296`,
		`999999999999999999`, `9999999999999999999`, `-1`, `-0`, `007`, `1.5`, `1e3`, `true`, `null`, `[1]`, `{"a":1}`, ``, ` 1`, `12a`, "\"a\u2028\"",
		`false`, `[]`, `{}`, `[[],{}]`, `[1,"b",true,null,-7]`, `[1,]`, `[1 ,2]`, `[1true]`, `[truefalse]`, `["a""b"]`, `[1`, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,}`, `{1:2}`, `nulla`, `-`, `-a`, `[-0]`, `[01]`, `[1.5]`,
		`{"bb":1,"a":[{"systolic":120,"diastolic":80}],"c":"ả"}`, `{"b":1,"a":2,"b":3}`, `{"a":2,"b":1,"b":3}`, `{"b":1,"a":2}`, `[` + strings.Repeat(`1,`, 30) + `1]`,
		`{"` + strings.Join(strings.Split("zyxwvutsrqponmlkjihgfedcba", ""), `":1,"`) + `":1}`, strings.Repeat(`[`, 60) + strings.Repeat(`]`, 60)} {
		want, err := longCBOR(json.RawMessage(raw))
		got := shortCBOR(json.RawMessage(raw))
		if got == nil {
			continue
		}
		plain++
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%.40s: %x, want %x (%v)", raw, got, want, err)
		}
		if raw[0] == '[' || raw[0] == '{' || raw[0] == '-' || raw[0] > 'Z' {
			continue // back it has no short way
		}
		back, err := longJSON(got)
		if short := shortJSON(got); err != nil || !bytes.Equal(short, back) || string(short) != raw {
			t.Errorf("%.40s: back %.40s, want %.40s (%v)", raw, short, back, err)
		}
	}
	if plain != 30 {
		t.Errorf("%d values took the short way", plain)
	}
}

func FuzzPlain(f *testing.F) {
	f.Add([]byte("\x63abc"))
	f.Add([]byte(`"abc"`))
	f.Add([]byte("\x1a\x00\x00\x00\x01"))
	f.Add([]byte(`{"bb":[1,-2,{"a":null}],"a":true}`))
	f.Add([]byte("\x64\"\\\xe2\x80"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if got := shortJSON(raw); got != nil {
			if want, err := longJSON(raw); err != nil || !bytes.Equal(got, want) {
				t.Errorf("CBOR %x: %s, want %s (%v)", raw, got, want, err)
			}
		}
		if got := shortCBOR(raw); got != nil {
			if want, err := longCBOR(raw); err != nil || !bytes.Equal(got, want) {
				t.Errorf("JSON %s: %x, want %x (%v)", raw, got, want, err)
			}
		}
	})
}
