package wire

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func init() {
	AddDictionary(200, []byte(`{"n":1,"coll":"products","id":"","change":{"price":45000}} market commune village: langso-phone/1`))
}

// lines are all lines of docs/protocol that the text form has.
func vectorLines(t *testing.T) (out [][]Line) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "protocol", "answer.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct{ Answer []json.RawMessage }
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	for _, c := range file.Cases {
		var lines []Line
		for _, l := range c.Answer {
			var line Line
			if json.Unmarshal(l, &line) == nil && !reflect.DeepEqual(line, Line{}) {
				line.CRC = ""
				lines = append(lines, line)
			}
		}
		out = append(out, lines)
	}
	return out
}

// Every answer of the vectors says the same in both forms.
func TestBothFormsSayTheSame(t *testing.T) {
	for _, d := range []*Dictionary{nil, FindDictionary(200)} {
		for i, lines := range vectorLines(t) {
			raw, err := WriteBinary(lines, d)
			if err != nil {
				t.Fatal(err)
			}
			a, err := ReadBinaryAnswer(bytes.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			var got []Line
			for {
				chunk, ok := a.Next()
				if !ok {
					break
				}
				got = append(got, chunk...)
			}
			want, err := json.Marshal(lines)
			if err != nil {
				t.Fatal(err)
			}
			have, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			if string(want) != string(have) && !(len(lines) == 0 && len(got) == 0) {
				t.Errorf("answer %d:\n%s\nbecame\n%s", i, want, have)
			}
		}
	}
}

// Cut or damaged at any byte, what comes out is a beginning of what went in.
func TestABinaryAnswerCutAnywhere(t *testing.T) {
	mark := "m"
	lines := []Line{{Verdicts: []Verdict{{N: 1, Is: Taken}}}, {Mark: &mark}, {Gone: map[string][]string{"products": {"p1"}}}, {Complete: &Complete{Cursor: 7, Epoch: "e"}}}
	raw, err := WriteBinary(lines, FindDictionary(200))
	if err != nil {
		t.Fatal(err)
	}
	count := func(b []byte) (n int) {
		a, err := ReadBinaryAnswer(bytes.NewReader(b))
		if err != nil {
			return 0
		}
		for {
			chunk, ok := a.Next()
			if !ok {
				return n
			}
			n += len(chunk)
		}
	}
	for cut := range raw {
		if n := count(raw[:cut]); n != 0 && n != 2 {
			t.Errorf("cut at %d: %d lines", cut, n)
		}
		if cut < 2 {
			continue
		}
		damaged := bytes.Clone(raw)
		damaged[cut] ^= 0x10
		if n := count(damaged); n == 4 {
			t.Errorf("damaged at %d: nobody noticed", cut)
		}
	}
	if n := count(raw); n != 4 {
		t.Errorf("whole: %d lines", n)
	}
}

func TestBinaryAsks(t *testing.T) {
	sign := func(b []byte) []byte { s := make([]byte, 64); copy(s, b); return s }
	ask := &Ask{V: 1, App: "langso-phone/1", Epoch: "k3v9abcd", Cursor: 120, Standing: "9f2c4d5e6f708192", Told: "not hex", Shape: "?", Resume: "r", Compare: true, Snapshots: true,
		Loaded: map[string]Cursor{"commune": 4}, Confirmed: 6, Want: WantLeast, Waiting: 2, Clock: "2026-11-24T06:10:00Z",
		Edits: []json.RawMessage{json.RawMessage(`{"n":7,"coll":"products","id":"p1","change":{"price":1.50}}`)},
		Check: &Check{Deep: true, Lists: []List{{In: "commune", Bits: 4, Parts: []int{1}, Has: Numbers{1, 1 << 31}}}}}
	for _, d := range []*Dictionary{nil, FindDictionary(200)} {
		body, err := WriteBinaryAsk(ask, "ph0000000000001", d, sign)
		if err != nil {
			t.Fatal(err)
		}
		b, err := ParseBinaryAsk(body)
		if err != nil || b.Phone != "ph0000000000001" || !bytes.Equal(b.Signature, sign(b.Signed)) {
			t.Fatalf("%+v %v", b, err)
		}
		got, err := b.Ask()
		if err != nil || !reflect.DeepEqual(got, ask) {
			t.Errorf("%+v\n%+v %v", got, ask, err)
		}
	}
	body, _ := WriteBinaryAsk(ask, "p", FindDictionary(200), sign)
	body[1] = 99
	if b, err := ParseBinaryAsk(body); err != nil {
		t.Fatal(err)
	} else if _, err := b.Ask(); err == nil || err.Error() != "dictionary" {
		t.Errorf("an unknown dictionary: %v", err)
	}
}

func FuzzBinary(f *testing.F) {
	ask, _ := WriteBinaryAsk(&Ask{Epoch: "e", Cursor: 3}, "p", FindDictionary(200), func([]byte) []byte { return make([]byte, 64) })
	answer, _ := WriteBinary([]Line{{Standing: &StandingLine{Hash: "9f2c4d5e6f708192", Circles: []string{"commune"}}}, {Complete: &Complete{Cursor: 1}}}, FindDictionary(200))
	f.Add(ask)
	f.Add(answer)
	f.Fuzz(func(t *testing.T, body []byte) {
		if b, err := ParseBinaryAsk(body); err == nil {
			if got, err := b.Ask(); err == nil && got.Want < WantLeast {
				t.Fatal("an ask that was not checked")
			}
		}
		if a, err := ReadBinaryAnswer(bytes.NewReader(body)); err == nil {
			for range 100 {
				lines, ok := a.Next()
				if !ok {
					return
				}
				for _, l := range lines {
					if l.Changes != nil {
						_, _ = l.Changes.Rows()
					}
				}
			}
		}
	})
}
