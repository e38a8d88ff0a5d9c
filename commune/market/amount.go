package market

import (
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// Limits: no price or takings above ten billion đồng, no order above a
// thousand billion, no quantity above a million units.
const (
	maxPrice    = 10_000_000_000
	maxTotal    = 1_000_000_000_000
	maxQuantity = 1_000_000
)

// thousandths returns a quantity in thousandths of a unit, exact; ok is false
// when it is not above zero, too big, or finer than a gram of a kilogram.
func thousandths(quantity float64) (n int64, ok bool) {
	if !(quantity > 0 && quantity <= maxQuantity) {
		return 0, false
	}
	n = int64(math.Round(quantity * 1000))
	return n, n > 0 && math.Abs(quantity*1000-float64(n)) < 1e-4
}

// units returns thousandths as the number that a record holds.
func units(thousandths int64) float64 { return float64(thousandths) / 1000 }

// round3 frees a stock from what adding binary fractions leaves behind.
func round3(f float64) float64 { return math.Round(f*1000) / 1000 }

// lineAmount is price × quantity in đồng, half a đồng rounded up. ok is false
// above maxTotal; the product is computed in 128 bits and cannot overflow.
func lineAmount(price, thousandths int64) (amount int64, ok bool) {
	hi, lo := bits.Mul64(uint64(price), uint64(thousandths))
	lo, carry := bits.Add64(lo, 500, 0)
	if hi += carry; hi >= 1000 {
		return 0, false
	}
	q, _ := bits.Div64(hi, lo, 1000)
	return int64(q), q <= maxTotal
}

// dong writes an amount as people read it: 45.000.
func dong(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "." + s[i:]
	}
	return s
}

// plain writes a quantity as people read it: 2,5.
func plain(f float64) string {
	return strings.Replace(strconv.FormatFloat(f, 'f', -1, 64), ".", ",", 1)
}
