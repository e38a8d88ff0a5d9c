package load

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzReaders: no input makes a reader panic, loop or give a row that is not
// UTF-8; lines rise; every error is a row error with a code and a sentence.
func FuzzReaders(f *testing.F) {
	for _, seed := range []string{
		"external,name\nP1,Lan\n", "\ufeffexternal;name\r\nP1;\"Lan\r\nHoa\"\r\n", "a,b\n\"x\ny,z\n1,2\n\"\"\"\"\"\n",
		"{\"external\":\"P1\",\"data\":{\"a\":[1,2,{\"b\":\"}\\\"\"}]}}\n", "{\"a\":1,\"a\":2}\n{}\n[]\nnull\n{\"\\u0061\" : -1.5e9 , \"b\":\"\\\\\"}", "\xff\xfea\x00", "a\n\x00\n\xf0\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		for name, rows := range map[string]iter.Seq2[Row, error]{
			"csv": readCSV("x.csv", bytes.NewReader(file)), "jsonl": readJSONL("x.jsonl", bytes.NewReader(file)),
		} {
			line, lines := 0, bytes.Count(file, []byte{'\n'})+1
			for row, err := range rows {
				if err != nil {
					bad, is := err.(*RowError)
					if !is || bad.Code == "" || bad.Sentence == "" || bad.Line < 1 || bad.Line > lines {
						t.Fatalf("%s: error %#v", name, err)
					}
					row.Line = bad.Line
				}
				if row.Line <= line || row.Line > lines {
					t.Fatalf("%s: line %d behind line %d of %d", name, row.Line, line, lines)
				}
				line = row.Line
				for _, c := range row.Cells {
					text, _ := c.Value.(Loose)
					raw, isRaw := c.Value.(json.RawMessage)
					if !utf8.ValidString(string(text)) || isRaw && !json.Valid(raw) {
						t.Fatalf("%s: cell %q", name, c.Value)
					}
				}
			}
		}
	})
}

// FuzzCSVAgreesWithTheStandardReader: what encoding/csv reads without complaint
// is read here to the same cells, and what it writes comes back.
func FuzzCSVAgreesWithTheStandardReader(f *testing.F) {
	f.Add("P1", "Lan", "a\"b", "x\ny")
	f.Add("", ",;", "\r\n", " ")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		want := []string{a, b, c, d}
		for i, s := range want {
			// The loader reads line ends inside a cell as one \n, and no bad text.
			s = strings.ReplaceAll(strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\r\n", "\n"), "\r", "")
			if want[i] = s; strings.Count(s, "\n") > 100 {
				return
			}
		}
		var file bytes.Buffer
		w := csv.NewWriter(&file)
		_ = w.Write([]string{"a", "b", "c", "d"}) // a buffer takes all
		_ = w.Write(want)
		w.Flush()
		n := 0
		for row, err := range readCSV("x.csv", &file) {
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range row.Cells {
				got = append(got, string(c.Value.(Loose)))
			}
			if n++; n > 1 || !slices.Equal(got, want) {
				t.Fatalf("row %d: %q, want %q", n, got, want)
			}
		}
		if n != 1 {
			t.Fatalf("%d rows", n)
		}
	})
}

// FuzzMembers: the split of an object is what encoding/json sees in it.
func FuzzMembers(f *testing.F) {
	f.Add(`{"a":1,"b":{"c":"}"},"d":["\""],"e" : null}`)
	f.Fuzz(func(t *testing.T, line string) {
		line = strings.TrimSpace(line)
		if line == "" {
			return
		}
		cells, err := members([]byte(line))
		if err != nil {
			return
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal([]byte(line), &want); err != nil || len(want) != len(cells) {
			t.Fatalf("%q: %d members, want %d (%v)", line, len(cells), len(want), err)
		}
		for _, c := range cells {
			if !bytes.Equal(c.Value.(json.RawMessage), want[c.Name]) {
				t.Fatalf("%q: %s is %s, want %s", line, c.Name, c.Value, want[c.Name])
			}
		}
	})
}

func TestAnUnclosedQuoteCostsOneRowOnly(t *testing.T) {
	// Each line opens a quote that the next would close and open again: the
	// worst case of reading lines again.
	file := "a,b\n" + strings.Repeat("a\",\"\n", 3000) + "x,y\n"
	good, bad := 0, 0
	for _, err := range readCSV("x.csv", strings.NewReader(file)) {
		if err != nil {
			bad++
		} else {
			good++
		}
	}
	if good != 1 || bad != 3000 {
		t.Errorf("%d good, %d bad", good, bad)
	}
}

func TestAReaderThatFailsEndsTheLoad(t *testing.T) {
	for name, read := range map[string]func(string, io.Reader) iter.Seq2[Row, error]{"csv": readCSV, "jsonl": readJSONL} {
		var last error
		n := 0
		for _, err := range read("x", io.MultiReader(strings.NewReader("{}\n{}\n"), broken{})) {
			if last = err; err != nil {
				n++
			}
		}
		if _, isRow := last.(*RowError); last == nil || isRow {
			t.Errorf("%s: last error %v of %d", name, last, n)
		}
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
