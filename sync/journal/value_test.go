package journal

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// TestWhatPhonesRead of what SQLite may hold: a value has one spelling, and a zero none.
func TestWhatPhonesRead(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + "1" + strings.Repeat("]", n) }
	great := strings.Repeat("9", 309)
	for _, c := range []struct {
		name string
		kind kind
		have any
		want string // "": a zero
	}{
		{"no text", kindText, nil, ""}, {"an empty text", kindText, "", ""}, {"a text", kindText, "a<b", `"a<b"`},
		{"bytes for a text", kindText, []byte("ổi"), `"ổi"`}, {"a number for a text", kindText, int64(5), `"5"`}, {"a part for a text", kindText, 1.5, `"1.5"`},
		{"a truth for a text", kindText, true, `"true"`}, {"an untruth for a text", kindText, false, `"false"`}, {"what nobody knows for a text", kindText, struct{}{}, ""},
		{"half a letter", kindText, "a\xc3", `"a` + "\uFFFD" + `"`},
		{"no number", kindNumber, nil, ""}, {"0", kindNumber, int64(0), ""}, {"0.0", kindNumber, 0.0, ""}, {"−0", kindNumber, math.Copysign(0, -1), ""},
		{"1", kindNumber, int64(1), "1"}, {"1.0", kindNumber, 1.0, "1"}, {"−1.5", kindNumber, -1.5, "-1.5"}, {"a text for a number", kindNumber, "7", "7"},
		{"a word for a number", kindNumber, "x", ""}, {"no end", kindNumber, math.Inf(1), ""}, {"no number at all", kindNumber, math.NaN(), ""},
		{"the greatest whole", kindNumber, float64(1<<53 - 1), "9007199254740991"}, {"one more", kindNumber, float64(1 << 53), "9.007199254740992e+15"},
		{"as small", kindNumber, -float64(1<<53 - 1), "-9007199254740991"}, {"a great whole of SQLite", kindNumber, int64(1 << 60), "1152921504606846976"},
		{"no truth", kindBool, nil, ""}, {"untrue", kindBool, int64(0), ""}, {"untrue in words", kindBool, "false", ""}, {"true", kindBool, int64(1), "true"}, {"true in words", kindBool, "true", "true"},
		{"no list", kindList, "[]", ""}, {"a list", kindList, `[ "a" , "b" ]`, `["a","b"]`}, {"no JSON", kindList, "a,b", `"a,b"`},
		{"null", kindJSON, "null", ""}, {"null with blanks", kindJSON, " null ", ""}, {"nothing", kindJSON, nil, ""}, {"{}", kindJSON, "{ }", ""}, {"an empty text in JSON", kindJSON, `""`, ""},
		{"false", kindJSON, "false", ""}, {"0 in JSON", kindJSON, "0", ""}, {"0.0 in JSON", kindJSON, "0.0", ""}, {"-0e5 in JSON", kindJSON, "-0e5", ""}, {"what is like 0 and no JSON", kindJSON, "+0", `"+0"`}, {"-1 in JSON", kindJSON, "-1", "-1"},
		{"0.5 in JSON", kindJSON, "0.5", "0.5"}, {"JSON", kindJSON, `{ "a": [1, 2] }`, `{"a":[1,2]}`}, {"half a letter in JSON", kindJSON, "\"a\xc3\"", `"a` + "\uFFFD" + `"`},
		{"as deep as phones read", kindJSON, nested(32), nested(32)}, {"deeper", kindJSON, nested(33), `"` + nested(33) + `"`},
		{"side by side is not deep", kindJSON, "[" + strings.TrimSuffix(strings.Repeat("[1],", 40), ",") + "]", "[" + strings.TrimSuffix(strings.Repeat("[1],", 40), ",") + "]"},
		{"brackets in a text", kindJSON, `"` + strings.Repeat("[", 40) + `"`, `"` + strings.Repeat("[", 40) + `"`},
		{"brackets after a quote in a text", kindJSON, `["\"` + strings.Repeat("[", 40) + `"]`, `["\"` + strings.Repeat("[", 40) + `"]`},
		{"deep after a text", kindJSON, `["x",` + nested(33) + `]`, `"[\"x\",` + nested(33) + `]"`},
		{"objects are deep too", kindJSON, strings.Repeat(`{"a":`, 33) + "1" + strings.Repeat("}", 33), `"` + strings.Repeat(`{\"a\":`, 33) + "1" + strings.Repeat("}", 33) + `"`},
		{"a number beyond phones", kindJSON, great, `"` + great + `"`}, {"300 digits", kindJSON, great[:300], great[:300]}, {"301 digits", kindJSON, great[:301], great[:301]},
		{"an exponent beyond phones", kindJSON, "[1e999]", `"[1e999]"`}, {"a great exponent", kindJSON, "[1E99]", "[1E99]"}, {"E beyond", kindJSON, "1E999", `"1E999"`},
		{"digits in a text", kindJSON, `"` + great + `"`, `"` + great + `"`}, {"many small numbers", kindJSON, "[" + strings.Repeat("99,", 200) + "9]", "[" + strings.Repeat("99,", 200) + "9]"},
	} {
		got := c.kind.wire(c.have)
		if string(got) != c.want || (got == nil) != (c.want == "") {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestHashes: a zero has none, anything else has one, and a salt of its own each commune.
func TestHashes(t *testing.T) {
	if hash(1, nil) != 0 {
		t.Error("a zero has a hash")
	}
	a, b := hash(1, []byte(`"a"`)), hash(2, []byte(`"a"`))
	if a == 0 || a == b || a != hash(1, []byte(`"a"`)) || a == hash(1, []byte(`"b"`)) {
		t.Error(a, b)
	}
}

// TestDamagedBlobs are told at whatever place they end.
func TestDamagedBlobs(t *testing.T) {
	fields := []fieldState{{no: 1, seq: 300, by: 200, hash: 1 << 60}, {no: 2, seq: 7, by: 0, hash: 5}}
	places := []place{{1, 300, 0}, {200, 5, 301}}
	f, p := packFields(5, fields), packPlaces(places)
	if got, err := unpackFields(5, f); err != nil || !slices.Equal(got, fields) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := unpackPlaces(p); err != nil || !slices.Equal(got, places) {
		t.Errorf("%v, %v", got, err)
	}
	for n := range len(f) {
		if got, err := unpackFields(5, f[:n]); (err == nil) != (n == 0 || len(got) == 1) {
			t.Errorf("fields cut at %d: %v, %v", n, got, err)
		}
	}
	for n := range len(p) {
		if got, err := unpackPlaces(p[:n]); (err == nil) != (n == 0 || len(got) == 1) {
			t.Errorf("places cut at %d: %v, %v", n, got, err)
		}
	}
}

// TestRowsOfCircles: what a circle's rule reads of a row.
func TestRowsOfCircles(t *testing.T) {
	sh := &shape{columns: []column{{name: "text"}, {name: "home", kind: kindBool}, {name: "list", kind: kindList}, {name: "data", kind: kindJSON}, {name: "age", kind: kindNumber}}}
	r := Row{ID: "r1", shape: sh, values: []any{"a", int64(1), `["x","y"]`, `["z"]`, 7.0}}
	empty := Row{ID: "r2", shape: sh, values: []any{"", int64(0), "[]", `{"no":"list"}`, nil}}
	for _, c := range []struct {
		field  string
		text   string
		truth  bool
		list   []string
		zeroed string
	}{
		{"id", "r1", false, []string{"r1"}, "r2"},
		{"text", "a", true, []string{"a"}, ""},
		{"home", "1", true, []string{"1"}, ""},
		{"list", `["x","y"]`, true, []string{"x", "y"}, "[]"},
		{"data", `["z"]`, true, []string{"z"}, `{"no":"list"}`},
		{"age", "7", true, []string{"7"}, ""},
		{"none", "", false, nil, ""},
	} {
		if got := r.GetString(c.field); got != c.text {
			t.Errorf("%s is %q, want %q", c.field, got, c.text)
		}
		if got := r.GetBool(c.field); got != c.truth {
			t.Errorf("%s is %v, want %v", c.field, got, c.truth)
		}
		if got := r.GetStringSlice(c.field); !slices.Equal(got, c.list) {
			t.Errorf("%s is %v, want %v", c.field, got, c.list)
		}
		if got := empty.GetString(c.field); got != c.zeroed {
			t.Errorf("empty, %s is %q, want %q", c.field, got, c.zeroed)
		}
	}
	for _, field := range []string{"text", "list", "data", "age", "none"} {
		if got := empty.GetStringSlice(field); len(got) > 0 {
			t.Errorf("empty, %s is %v", field, got)
		}
	}
	if empty.GetBool("home") {
		t.Error("nobody is home")
	}
}

// TestWhatPhonesMustForget: names that they know and that mean nothing any more.
func TestWhatPhonesMustForget(t *testing.T) {
	was := "rules\nhidden\nf1:a f2:b"
	for now, want := range map[string]bool{
		"rules\nhidden\nf1:a f2:b":         false,
		"other\nhidden\nf1:a f2:b f3:c":    false,
		"rules\nhidden f2\nf1:a":           true,
		"rules\nhidden\nf1:a f2:c":         true,
		"rules\n\n":                        true,
		"of an older program, without one": false,
	} {
		if got := lost(was, now); got != want {
			t.Errorf("%q: lost = %v", now, got)
		}
	}
	if lost("rules\nhidden", was) || lost("", was) {
		t.Error("what an older program wrote says nothing of names")
	}
}
