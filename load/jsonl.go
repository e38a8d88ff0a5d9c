package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"unicode/utf8"
)

// readJSONL yields the rows of JSON Lines: an object a line.
func readJSONL(file string, r io.Reader) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		in := newLines(r)
		for {
			line, err := in.next()
			if err == io.EOF {
				return
			}
			if err != nil && err != errLong {
				yield(Row{}, fmt.Errorf("read %s: %w", file, err))
				return
			}
			row := Row{File: file, Line: in.no, Size: len(line)}
			if in.no == 1 {
				line = bytes.TrimPrefix(line, bom)
			}
			if err == nil {
				if line = bytes.TrimSpace(line); len(line) == 0 {
					continue
				}
				row.Cells, err = members(line)
			}
			if err != nil {
				if !yield(Row{}, row.fault(err)) {
					return
				}
				continue
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

var bom = []byte("\xef\xbb\xbf")

// The faults that a file can have.
var (
	errUTF8   = fault{"bad_utf8", "Dòng này không phải UTF-8. Xin lưu tệp ở dạng UTF-8 rồi nạp lại."}
	errJSON   = fault{"bad_row", "Dòng này không phải một đối tượng JSON đúng, dạng {\"external\":\"…\"}."}
	errTwice  = fault{"bad_row", "Một cột có hai lần trong một dòng."}
	errQuotes = fault{"bad_row", "Dấu ngoặc kép không khép đúng ở dòng này."}
	errTooBig = fault{"too_long", "Dòng này dài quá 1 MB."}
)

type fault struct{ code, sentence string }

func (f fault) Error() string { return f.sentence }

func (r Row) fault(err error) *RowError {
	if err == errLong {
		err = errTooBig
	}
	e := &RowError{File: r.File, Line: r.Line, Code: "bad_row", Sentence: err.Error()}
	if f, is := err.(fault); is {
		e.Code = f.code
	}
	return e
}

// members splits a JSON object into its members, in order, without decoding
// their values.
func members(line []byte) ([]Cell, error) {
	if !utf8.Valid(line) {
		return nil, errUTF8
	}
	if line[0] != '{' || !json.Valid(line) {
		return nil, errJSON
	}
	// From here on the text is known to be one well-formed object.
	var cells []Cell
	names := map[string]bool{}
	i := 1
	for {
		i = skipBlanks(line, i)
		if line[i] == '}' {
			return cells, nil
		}
		if line[i] == ',' {
			i++
			continue
		}
		end := valueEnd(line, i)
		var name string
		if json.Unmarshal(line[i:end], &name) != nil {
			return nil, errJSON
		}
		if names[name] {
			return nil, errTwice
		}
		names[name] = true
		i = skipBlanks(line, skipBlanks(line, end)+1) // over the colon
		end = valueEnd(line, i)
		cells = append(cells, Cell{name, json.RawMessage(line[i:end])})
		i = end
	}
}

func skipBlanks(b []byte, i int) int {
	for b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n' {
		i++
	}
	return i
}

// valueEnd returns where the JSON value that begins at i ends.
func valueEnd(b []byte, i int) int {
	depth := 0
	for {
		switch b[i] {
		case '"':
			for i++; b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
			i++
			continue
		}
		i++
		if depth == 0 && (b[i-1] == '"' || b[i-1] == '}' || b[i-1] == ']') {
			return i
		}
	}
}
