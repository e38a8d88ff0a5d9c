package dashboard

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// plain writes words as they are searched for: lower case, without accents, đ
// as d, single spaces.
func plain(words string) string {
	folded := strings.Map(func(r rune) rune {
		switch {
		case r == 'đ':
			return 'd'
		case unicode.Is(unicode.Mn, r):
			return -1
		}
		return r
	}, norm.NFD.String(strings.ToLower(words)))
	return strings.Join(strings.Fields(folded), " ")
}
