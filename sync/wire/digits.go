package wire

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Columns of numbers in a snapshot file are digits, position by position: the
// first digit of all rows, then the second of all. What hardly varies stands
// together and what is random costs no more than it holds, which a compressor
// cannot reach over numbers one after the other.

const (
	digits     = "0123456789abcdefghijklmnopqrstuvwxyz"
	mostDigits = 15 // of a decimal number, so that every reader holds it exactly
)

// transposed writes rows of equally many digits position by position; back reads
// them, n rows.
func transposed(rows [][]byte) string {
	var out strings.Builder
	for k := range rows[0] {
		for _, r := range rows {
			out.WriteByte(r[k])
		}
	}
	return out.String()
}

func back(text string, n int) ([][]byte, error) {
	if n == 0 || len(text)%n != 0 {
		return nil, ErrSnapshot
	}
	rows := make([][]byte, n)
	for i := range rows {
		rows[i] = make([]byte, len(text)/n)
		for k := range rows[i] {
			rows[i][k] = text[k*n+i]
		}
	}
	return rows, nil
}

// padded brings numbers to one length by zeros before them.
func padded(rows [][]byte) [][]byte {
	width := 1
	for _, r := range rows {
		width = max(width, len(r))
	}
	for i, r := range rows {
		rows[i] = append(bytes.Repeat([]byte{'0'}, width-len(r)), r...)
	}
	return rows
}

// toDigits writes places, from 0, in base 36.
func toDigits(places []int) string {
	rows := make([][]byte, len(places))
	for i, n := range places {
		for ; n > 0; n /= len(digits) {
			rows[i] = append([]byte{digits[n%len(digits)]}, rows[i]...)
		}
	}
	return transposed(padded(rows))
}

func fromDigits(text string, n int) ([]int, error) {
	rows, err := back(text, n)
	if err != nil || len(text) > n*6 {
		return nil, ErrSnapshot
	}
	out := make([]int, n)
	for i, r := range rows {
		for _, d := range r {
			value := strings.IndexByte(digits, d)
			if value < 0 {
				return nil, ErrSnapshot
			}
			out[i] = out[i]*len(digits) + value
		}
	}
	return out, nil
}

// wholeNumbers writes a column of whole numbers above zero in base 10, 0 for
// null; ok is false when it is another.
func wholeNumbers(values []json.RawMessage) (text string, ok bool) {
	rows := make([][]byte, len(values))
	for i, v := range values {
		if bytes.Equal(v, null) {
			continue
		}
		if len(v) > mostDigits || v[0] == '0' || len(bytes.Trim(v, "0123456789")) > 0 {
			return "", false
		}
		rows[i] = v
	}
	return transposed(padded(rows)), true
}

func readNumbers(text string, n int) ([]json.RawMessage, error) {
	rows, err := back(text, n)
	if err != nil || len(text) > n*mostDigits {
		return nil, ErrSnapshot
	}
	out := make([]json.RawMessage, n)
	for i, r := range rows {
		if len(bytes.Trim(r, "0123456789")) > 0 {
			return nil, ErrSnapshot
		}
		if out[i] = bytes.TrimLeft(r, "0"); len(out[i]) == 0 {
			out[i] = null
		}
	}
	return out, nil
}

// toSteps writes ascending ids as numbers in base 36: the first, then what each
// adds to the one before. It is "" for ids of another kind or order.
func toSteps(ids []string) string {
	if len(ids) == 0 || !idsAscend(ids) {
		return ""
	}
	rows := make([][]byte, len(ids))
	rows[0] = []byte(ids[0])
	for i := 1; i < len(ids); i++ {
		rows[i] = make([]byte, idLength)
		borrow := 0
		for k := idLength - 1; k >= 0; k-- {
			d := strings.IndexByte(digits, ids[i][k]) - strings.IndexByte(digits, ids[i-1][k]) - borrow
			if borrow = 0; d < 0 {
				d, borrow = d+len(digits), 1
			}
			rows[i][k] = digits[d]
		}
	}
	return transposed(rows)
}

func fromSteps(text string) (IDs, error) {
	rows, err := back(text, len(text)/idLength)
	if err != nil || len(text)%idLength != 0 {
		return nil, ErrSnapshot
	}
	ids := make(IDs, len(rows))
	for i, r := range rows {
		carry := 0
		for k := idLength - 1; k >= 0; k-- {
			d := strings.IndexByte(digits, r[k])
			if d < 0 {
				return nil, ErrSnapshot
			}
			if i > 0 {
				d += strings.IndexByte(digits, ids[i-1][k]) + carry
			}
			if carry = 0; d >= len(digits) {
				d, carry = d-len(digits), 1
			}
			r[k] = digits[d]
		}
		ids[i] = string(r)
	}
	return ids, nil
}
