package sms

import (
	"strings"
	"unicode"
	"unicode/utf16"

	"golang.org/x/text/unicode/norm"
)

// The alphabet of GSM 03.38 that every phone knows, and its second page, whose
// characters cost two.
const (
	gsmOne = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmTwo = "^{}\\[~]|€\f"
)

// cost is how many septets each character of GSM 03.38 takes.
var cost = func() map[rune]int {
	m := map[rune]int{}
	for _, r := range gsmOne {
		m[r] = 1
	}
	for _, r := range gsmTwo {
		m[r] = 2
	}
	return m
}()

// plainer writes letters and marks that have no plain form by decomposition.
var plainer = strings.NewReplacer(
	"đ", "d", "Đ", "D", "₫", "d",
	"“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`,
	"‘", "'", "’", "'", "‚", "'", "`", "'",
	"–", "-", "—", "-", "‑", "-", "−", "-", "•", "-", "·", "-",
	"…", "...", "\u00a0", " ", "\u202f", " ", "\u200b", "", "\u2009", " ", "\t", " ",
	"×", "x", "→", "->",
)

// Fold writes a text without diacritics in the alphabet of GSM 03.38, so that
// 160 characters fit one part: "Phúc Hoà" becomes "Phuc Hoa". What has no
// likeness there becomes "?".
func Fold(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for _, r := range norm.NFD.String(plainer.Replace(text)) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case cost[r] > 0:
			b.WriteRune(r)
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}

// Parts counts the messages that a text costs: 160 septets in one part or 153
// in each of several (GSM 03.38), 70 or 67 UTF-16 units when any character is
// outside that alphabet. An empty text costs one.
func Parts(text string) int {
	one, each := 160, 153
	size := func(r rune) int { return cost[r] }
	for _, r := range text {
		if cost[r] == 0 {
			one, each = 70, 67
			size = utf16.RuneLen
			break
		}
	}
	total, parts, room := 0, 1, each
	for _, r := range text {
		n := max(size(r), 1)
		total += n
		if n > room { // a character is never cut in two
			parts, room = parts+1, each
		}
		room -= n
	}
	if total <= one {
		return 1
	}
	return parts
}
