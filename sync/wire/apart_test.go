package wire

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"
)

// answerWith is an answer that tells a person's own record and, apart, a stall's.
func answerWith(t *testing.T, own, public string) Text {
	t.Helper()
	row := func(coll, id, value string) Line {
		set, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		columns := Columns(coll, []Row{{ID: id, Seq: 9, Set: map[string]json.RawMessage{"text": set}}})
		return Line{Changes: &columns[0], Apart: true}
	}
	mark := "1.2"
	text, err := Write([]Line{row("health_entries", "aaaaaaaaaaaaaaa", own), {Mark: &mark}, row("products", "bbbbbbbbbbbbbbb", public), {Complete: &Complete{Cursor: 9}}})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestNothingIsLearntFromLengths: a seller who guesses what stands in a
// neighbour's health book, writes it into a product and sees how long answers
// are must see the same length whether the guess is right or not.
func TestNothingIsLearntFromLengths(t *testing.T) {
	letters := []byte("abcdefghijklmnopqrstuvwxyz0123456789")
	guess := func(seed uint64) string {
		r := rand.New(rand.NewPCG(seed, 1))
		b := make([]byte, 400)
		for i := range b {
			b[i] = letters[r.IntN(len(letters))]
		}
		return string(b)
	}
	header := http.Header{"Accept-Encoding": {"gzip, deflate, br, zstd"}}
	right, encoding := answerWith(t, guess(1), guess(1)).Pack(header)
	wrong, _ := answerWith(t, guess(2), guess(1)).Pack(header)
	if encoding != "gzip" {
		t.Fatalf("packed by %s, which does not begin anew", encoding)
	}
	// Two random texts differ by a few bytes when packed; a guess that was right would save 300.
	if d := len(wrong) - len(right); d < -25 || d > 25 {
		t.Errorf("a right guess is %d bytes shorter", d)
	}
	// It is one body to everybody who reads gzip.
	z, err := gzip.NewReader(bytes.NewReader(right))
	if err != nil {
		t.Fatal(err)
	}
	z.Multistream(false)
	if back, err := io.ReadAll(z); err != nil || !bytes.Equal(back, answerWith(t, guess(1), guess(1)).Body) {
		t.Errorf("read back %d bytes: %v", len(back), err)
	}
	plain, encoding := answerWith(t, guess(1), guess(1)).Pack(http.Header{"Accept-Encoding": {"br"}})
	if encoding != "" || len(plain) < 800 {
		t.Errorf("who reads no gzip gets %d bytes packed by %q", len(plain), encoding)
	}
}

func TestOneKindOfNewsIsPackedAsBestItCan(t *testing.T) {
	mark := "1.2"
	long, err := json.Marshal(string(bytes.Repeat([]byte("vải thiều "), 50)))
	if err != nil {
		t.Fatal(err)
	}
	columns := Columns("products", []Row{{ID: "bbbbbbbbbbbbbbb", Seq: 9, Set: map[string]json.RawMessage{"text": long}}})
	text, err := Write([]Line{{Changes: &columns[0], Apart: true}, {Mark: &mark}, {Changes: &columns[0]}, {Complete: &Complete{Cursor: 9}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, encoding := text.Pack(http.Header{"Accept-Encoding": {"gzip, br"}}); encoding != "br" {
		t.Errorf("packed by %q", encoding)
	}
}
