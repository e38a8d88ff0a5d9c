package demo

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

// dice draw at random, the same each time.
type dice struct{ *rand.Rand }

// between draws a whole number, both ends included.
func (d dice) between(least, most int) int {
	if most <= least {
		return least
	}
	return least + d.IntN(most-least+1)
}

// in tells true so many times in a hundred.
func (d dice) in100(percent int) bool { return d.IntN(100) < percent }

func (d dice) one(of []string) string { return of[d.IntN(len(of))] }

// weighted draws an index; a weight is how often it comes.
func (d dice) weighted(weights ...int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	n := d.IntN(sum)
	for i, w := range weights {
		if n -= w; n < 0 {
			return i
		}
	}
	return 0
}

// say writes a text with choices: {sáng|chiều} is one of them, [2-9] a number,
// <thôn> what the word function gives for it. Choices may hold all of these.
func (d dice) say(text string, word func(string) string) string {
	var b strings.Builder
	b.Grow(len(text))
	for {
		i := strings.IndexAny(text, "{[<")
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:i])
		end := i + closing(text[i:])
		inside, rest := text[i+1:end], text[end+1:]
		switch text[i] {
		case '{':
			b.WriteString(d.say(d.one(choices(inside)), word))
		case '[':
			least, most, _ := strings.Cut(inside, "-")
			from, _ := strconv.Atoi(least)
			to, _ := strconv.Atoi(most)
			b.WriteString(strconv.Itoa(d.between(from, to)))
		case '<':
			b.WriteString(word(inside))
		}
		text = rest
	}
}

// closing is where the bracket that text begins with closes.
func closing(text string) int {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '{', '[', '<':
			depth++
		case '}', ']', '>':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	panic("demo: a text with an open bracket: " + text) // texts are constants of this package
}

// choices splits at the bars that stand in no bracket.
func choices(text string) []string {
	var out []string
	depth, from := 0, 0
	for i := range len(text) {
		switch text[i] {
		case '{', '[', '<':
			depth++
		case '}', ']', '>':
			depth--
		case '|':
			if depth == 0 {
				out = append(out, text[from:i])
				from = i + 1
			}
		}
	}
	return append(out, text[from:])
}

// some says n of the sentences, each once, in their order.
func (d dice) some(sentences []string, n int, word func(string) string) string {
	n = min(n, len(sentences))
	var b strings.Builder
	left := n
	for i, s := range sentences {
		if left > 0 && d.IntN(len(sentences)-i) < left {
			left--
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(d.say(s, word))
		}
	}
	return b.String()
}
