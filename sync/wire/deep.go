package wire

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// MaxNested is how deep lists and objects may lie in each other in a value: the
// readers of phones have bounds. An edit in which they lie deeper is refused; it is
// not parsed, and the rest of its ask is judged.
const MaxNested = 32

// inEdit is how much deeper a value lies in its edit.
const inEdit = 2

// structure calls f at each bracket of JSON outside of texts, with how deep it is:
// an opening bracket lies in what it opens, a closing one in what it closes.
func structure(b []byte, f func(i, depth int, opens bool)) {
	depth, text := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '[' || c == '{':
			depth++
			f(i, depth, true)
		case c == ']' || c == '}':
			f(i, depth, false)
			depth--
		}
	}
}

// deep tells whether lists and objects lie deeper in each other than most.
func deep(b []byte, most int) (is bool) {
	structure(b, func(_, depth int, _ bool) { is = is || depth > most })
	return is
}

// flat is JSON with null in the place of every list and object within the outermost.
func flat(b []byte) []byte {
	var out bytes.Buffer
	from := 0
	structure(b, func(i, depth int, opens bool) {
		switch {
		case depth != 2:
		case opens:
			out.Write(b[from:i])
			out.WriteString("null")
			from = len(b) // of one that is never closed nothing is left
		default:
			from = i + 1
		}
	})
	out.Write(b[from:])
	return out.Bytes()
}

// shelved is an ask in which a text stands for each list or object three levels
// down, as edits are, that no parser would take, and those by their number.
func shelved(b []byte) (ask []byte, shelf []json.RawMessage) {
	var out bytes.Buffer
	from, start, deepest := 0, 0, 0
	structure(b, func(i, depth int, opens bool) {
		deepest = max(deepest, depth)
		if depth != 3 {
			return
		}
		if opens {
			start, deepest = i, 0
			return
		}
		if deepest > MaxNested+inEdit+2 {
			out.Write(b[from:start])
			out.WriteString(`"` + shelfMark + strconv.Itoa(len(shelf)) + `"`)
			shelf = append(shelf, b[start:i+1])
			from = i + 1
		}
	})
	out.Write(b[from:])
	return out.Bytes(), shelf
}

const shelfMark = "shelved:"

// unshelve puts edits back that were shelved.
func (ask *Ask) unshelve(shelf []json.RawMessage) {
	if len(shelf) == 0 {
		return
	}
	for i, e := range ask.Edits {
		mark, ok := bytes.CutPrefix(bytes.Trim(e, `"`), []byte(shelfMark))
		if n, err := strconv.Atoi(string(mark)); ok && err == nil && n >= 0 && n < len(shelf) {
			ask.Edits[i] = shelf[n]
		}
	}
}
