package journal

import (
	"encoding/json"
	"testing"
)

// Text takes a short way for most texts; it must lead to the same bytes.
func TestTextIsWhatJSONSays(t *testing.T) {
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
		got := Text(text)
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
	if got := string(Text("a\xffb")); got != `"a`+"\uFFFD"+`b"` {
		t.Errorf("broken bytes became %s", got)
	}
}
