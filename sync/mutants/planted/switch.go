// Package planted is the half of the planted breaks that is code: it goes, file
// and all, into each package that is broken. Here nobody calls it.
package planted

import (
	"cmp"
	"os"
	"strconv"
	"sync/atomic"
)

var (
	mutantChosen, _ = strconv.Atoi(os.Getenv("LANGSO_MUTANT"))
	mutantTrace     = os.Getenv("LANGSO_MUTANT_TRACE") // a file that gets the numbers of what was passed
	mutantPassed    [1 << 14]atomic.Bool
)

// mutantOn tells whether break k is to happen.
func mutantOn(k int) bool {
	if mutantTrace != "" && !mutantPassed[k].Swap(true) {
		f, err := os.OpenFile(mutantTrace, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			panic(err)
		}
		_, err = f.WriteString(strconv.Itoa(k) + "\n")
		if f.Close() != nil || err != nil {
			panic(err)
		}
	}
	return k == mutantChosen
}

// A test comes by a break where it makes a difference, as far as that can be told
// at once: by a bound only with the very number.

// mutantOff: the statement is left out.
func mutantOff(k int) bool { return !mutantOn(k) }

// mutantFlip is the opposite.
func mutantFlip(k int, x bool) bool { return x != mutantOn(k) }

// mutantNever: the guard is left out.
func mutantNever(k int, x bool) bool { return x && !mutantOn(k) }

// mutantAnd takes && for ||.
func mutantAnd(k int, a bool, b func() bool) bool {
	if mutantOn(k) {
		return a || b()
	}
	return a && b()
}

// mutantOr takes || for &&.
func mutantOr(k int, a bool, b func() bool) bool {
	if mutantOn(k) {
		return a && b()
	}
	return a || b()
}

// mutantLess takes < for <=.
func mutantLess[T cmp.Ordered](k int, a, b T) bool { return a < b || a == b && mutantOn(k) }

// mutantMost takes <= for <.
func mutantMost[T cmp.Ordered](k int, a, b T) bool { return a < b || a == b && !mutantOn(k) }

// mutantMore takes > for >=.
func mutantMore[T cmp.Ordered](k int, a, b T) bool { return a > b || a == b && mutantOn(k) }

// mutantLeast takes >= for >.
func mutantLeast[T cmp.Ordered](k int, a, b T) bool { return a > b || a == b && !mutantOn(k) }

type mutantNumber interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// mutantPlus takes + for −.
func mutantPlus[T mutantNumber](k int, a, b T) T {
	if mutantOn(k) {
		return a - b
	}
	return a + b
}

// mutantMinus takes − for +.
func mutantMinus[T mutantNumber](k int, a, b T) T {
	if mutantOn(k) {
		return a + b
	}
	return a - b
}

// mutantMin takes the least for the greatest.
func mutantMin[T cmp.Ordered](k int, a, b T) T {
	if mutantOn(k) {
		return max(a, b)
	}
	return min(a, b)
}

// mutantMax takes the greatest for the least.
func mutantMax[T cmp.Ordered](k int, a, b T) T {
	if mutantOn(k) {
		return min(a, b)
	}
	return max(a, b)
}
