package mutants

import (
	_ "embed" // the list is data
	"strings"
)

//go:embed equivalent.txt
var equivalentList string

// Equivalent is a break that changes nothing that anybody could see.
type Equivalent struct {
	File, In, Code, What string // as in Mutant
	Why                  string
}

// Equivalents reads the list of them, equivalent.txt: a paragraph each, of a line
// "file function: code: what", as a run prints it without the line's number, and
// the reason.
func Equivalents() (list []Equivalent) {
	for paragraph := range strings.SplitSeq(equivalentList, "\n\n") {
		head, why, _ := strings.Cut(strings.TrimSpace(paragraph), "\n")
		if strings.HasPrefix(head, "#") || head == "" {
			continue
		}
		place, rest, _ := strings.Cut(head, ": ")
		file, in, _ := strings.Cut(place, " ")
		at := strings.LastIndex(rest, ": ")
		if at < 0 {
			at = len(rest)
		}
		list = append(list, Equivalent{File: file, In: in, Code: rest[:at], What: strings.TrimPrefix(rest[at:], ": "), Why: strings.Join(strings.Fields(why), " ")})
	}
	return list
}

func (e Equivalent) is(m Mutant) bool {
	return e.File == m.File && e.In == m.In && e.Code == m.Code && e.What == m.What
}
