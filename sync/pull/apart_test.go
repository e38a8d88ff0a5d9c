package pull_test

import (
	"math/rand/v2"
	"net/http"
	"testing"

	"langso/sync/pull"
	"langso/sync/wire"
)

// confidential is a phone's world in which letters are, posters are the person's
// own, and goods stand alone.
var confidential = pull.Collections{
	Rank:  func(coll string) int { return map[string]int{"letters_x": -1, "posters_x": 0, "goods_x": 0}[coll] },
	Alone: map[string]bool{"goods_x": true},
}

// noise is a text that no compressor makes shorter than itself by much, the same for a seed.
func noise(seed uint64) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, 400)
	for i := range b {
		b[i] = letters[r.IntN(len(letters))]
	}
	return string(b)
}

// TestWhatIsConfidentialIsPackedApart: who guesses what stands in somebody's health
// book, and writes it into their dossier, sees the same length whether the guess
// is right or not, by whatever road the answer goes.
func TestWhatIsConfidentialIsPackedApart(t *testing.T) {
	const id = "aaaaaaaaaaaaa"
	for name, scene := range map[string]struct{ secret, guess string }{
		"a health entry and a dossier":         {"letters", "posters"},
		"two that wait for somebody to settle": {"goods", "goods"},
		"one that waits, and a dossier":        {"goods", "posters"},
	} {
		told := func(guess uint64) map[string][]wire.Line {
			b := newBoard(t)
			b.put(scene.secret, id+"01", "lan", noise(1))
			b.put(scene.guess, id+"02", "lan", noise(guess))
			r := b.read()
			p := pull.Phone{Now: []string{"lan"}, Want: 1 << 20}
			answer, _, err := pull.Make(t.Context(), r, p, confidential)
			if err != nil {
				t.Fatal(err)
			}
			_, mended, err := pull.NewRows(r, p, confidential).Check(t.Context(), &wire.Check{Lists: []wire.List{{In: "lan", Parts: []int{0}}}})
			if err != nil {
				t.Fatal(err)
			}
			end := wire.Line{Complete: &wire.Complete{Cursor: 9}}
			return map[string][]wire.Line{"an answer": append(answer, end), "a mended list": append(mended, end)}
		}
		right, wrong := told(1), told(2)
		for what := range right {
			for road, length := range map[string]func([]wire.Line) int{
				"in text": func(lines []wire.Line) int {
					text, err := wire.Write(lines)
					if err != nil {
						t.Fatal(err)
					}
					body, _ := text.Pack(http.Header{"Accept-Encoding": {"gzip, deflate, br, zstd"}})
					return len(body)
				},
				"carried": func(lines []wire.Line) int {
					text, err := wire.Write(lines)
					if err != nil {
						t.Fatal(err)
					}
					return len(text.Gzip(false))
				},
				"in the binary form": func(lines []wire.Line) int {
					body, err := wire.WriteBinary(lines, wire.LatestDictionary())
					if err != nil {
						t.Fatal(err)
					}
					return len(body)
				},
			} {
				// Two such texts differ by a few bytes when packed; a guess that was right would save 300.
				if d := length(wrong[what]) - length(right[what]); d < -25 || d > 25 {
					t.Errorf("%s, %s %s: a right guess is %d bytes shorter", name, what, road, d)
				}
			}
		}
	}
}
