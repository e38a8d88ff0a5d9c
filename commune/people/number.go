package people

import "strings"

// Number returns a Vietnamese phone number in the form +84912345678, from the
// ways people write it: 0912 345 678, 84912345678, (+84) 912.345.678. ok is
// false when it is none: mobile numbers have nine digits after the 84, land
// lines ten that begin with 2.
func Number(s string) (number string, ok bool) {
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" .-()\t\u00a0", r) {
			return -1
		}
		return r
	}, s)
	switch {
	case strings.HasPrefix(digits, "+84"):
		digits = digits[3:]
	case strings.HasPrefix(digits, "84") && len(digits) > 10:
		digits = digits[2:]
	case strings.HasPrefix(digits, "0"):
	default:
		return "", false
	}
	digits = strings.TrimPrefix(digits, "0")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return "", false
	}
	mobile := len(digits) == 9 && strings.IndexByte("35789", digits[0]) >= 0
	landline := len(digits) == 10 && digits[0] == '2'
	if !mobile && !landline {
		return "", false
	}
	return "+84" + digits, true
}
