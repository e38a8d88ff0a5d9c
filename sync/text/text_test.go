package text

import (
	"encoding/json"
	"strings"
	"testing"
)

// Append takes a short way for most texts; it must lead to the same bytes.
func TestAppendIsWhatJSONSays(t *testing.T) {
	for name, text := range map[string]string{
		"plain":                    "vai thieu",
		"Vietnamese":               "Vải thiều Phúc Hòa – 30.000 đ",
		"quotation marks":          `nhà "Bà Năm"`,
		"backslash":                `a\b`,
		"a new line":               "một\nhai",
		"a tab at the end":         "một\t",
		"line separator":           "a\u2028b",
		"paragraph separator":      "\u2029",
		"its neighbours":           "\u2027\u202A€",
		"an empty one":             "",
		"marks of a page":          "<b>&amp;</b>",
		"the highest plane":        "😀\U0010FFFF",
		"delete, which is allowed": "\x7f",
	} {
		got := Append(nil, text)
		var back string
		if err := json.Unmarshal(got, &back); err != nil || back != text {
			t.Errorf("%s: %q became %s (%v)", name, text, got, err)
		}
		want, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if name != "marks of a page" && string(want) != string(got) {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if got := string(Append(nil, "a\xffb")); got != `"a`+"\uFFFD"+`b"` {
		t.Errorf("broken bytes became %s", got)
	}
}

func FuzzAppend(f *testing.F) {
	f.Add("vải \"thiều\"\n\u2028")
	f.Fuzz(func(t *testing.T, s string) {
		var back string
		if got := Append([]byte("x"), s); got[0] != 'x' || json.Unmarshal(got[1:], &back) != nil || back != strings.ToValidUTF8(s, "\uFFFD") {
			t.Errorf("%q became %s", s, got)
		}
	})
}
