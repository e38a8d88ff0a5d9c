package market

import (
	"crypto/sha256"
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// alphabet is Crockford's base 32: no I, L, O, U to misread.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// PaymentCode returns the code that a buyer writes on a bank transfer: PZ, six
// characters of the order's id, one check character. Z is no Vietnamese letter,
// so no name in a memo looks like it. try counts from 0: the next 30 bits of
// the id's SHA-256, for when another order holds the earlier ones (0 to 7).
func PaymentCode(order string, try int) string {
	sum := sha256.Sum256([]byte(order))
	six := make([]byte, 6)
	for i := range six {
		at := 30*(try%8) + 5*i // bit in the hash
		pair := uint16(sum[at/8])<<8 | uint16(sum[(at/8+1)%len(sum)])
		six[i] = alphabet[pair>>(11-at%8)&31]
	}
	return "PZ" + string(six) + string(checkCharacter(string(six)))
}

// checkCharacter catches every wrong and every two swapped characters: a
// weighted sum over GF(32) with polynomial x⁵+x²+1 and generator 2.
func checkCharacter(six string) byte {
	acc := 0
	for i := range len(six) {
		for value := range len(alphabet) {
			if alphabet[value] == six[i] {
				acc ^= value
			}
		}
		if acc <<= 1; acc >= 32 {
			acc ^= 0b100101
		}
	}
	return alphabet[acc]
}

// freeCode returns the first payment code of the order that no other holds.
// When all eight are taken the first stays: the bank's line is then settled by
// a person.
func freeCode(app core.App, order string) (string, error) {
	for try := range 8 {
		code := PaymentCode(order, try)
		var n int
		if err := app.DB().Select("count(*)").From("orders").Where(dbx.HashExp{"code": code}).Row(&n); err != nil {
			return "", fmt.Errorf("look up payment code: %w", err)
		}
		if n == 0 {
			return code, nil
		}
	}
	return PaymentCode(order, 0), nil
}
