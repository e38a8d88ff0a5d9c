package people

import (
	"strings"
	"unicode"
)

// Fold returns a name as it is searched for: lower case, đ as d, without
// accents, single spaces. "Nguyễn Thị Đào" and its decomposed spelling (NFD)
// fold to the same "nguyen thi dao". Letters of other languages stay.
func Fold(name string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(strings.ToLower(name)), " ") {
		switch plain, ok := plainLetter[r]; {
		case ok:
			b.WriteRune(plain)
		case unicode.Is(unicode.Mn, r): // the accent of a decomposed letter
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// plainLetter maps each accented letter of Vietnamese to its plain one.
var plainLetter = func() map[rune]rune {
	m := map[rune]rune{}
	for plain, accented := range map[rune]string{
		'a': "àáảãạăằắẳẵặâầấẩẫậ",
		'd': "đ",
		'e': "èéẻẽẹêềếểễệ",
		'i': "ìíỉĩị",
		'o': "òóỏõọôồốổỗộơờớởỡợ",
		'u': "ùúủũụưừứửữự",
		'y': "ỳýỷỹỵ",
	} {
		for _, r := range accented {
			m[r] = plain
		}
	}
	return m
}()
