// Package causal judges a recorded history of phones the way a person would: I
// see what I wrote; what I have seen does not go back; what I wrote first stands
// first; an answer to something stands after that something; and what came
// together is seen together.
//
// A history is what the server's table went through, in its one order
// ([Version]), and what each phone did and saw, in the order in which it did
// ([Op]). Every value is written only once in a history, so that a value that is
// seen names the write that made it. The names of the guarantees are those of
// Terry et al., "Session Guarantees for Weakly Consistent Replicated Data" (1994).
//
// The checker knows nothing of our engine: it is itself tested with planted
// violations, one of each kind.
package causal

import (
	"fmt"
	"sort"
)

// Version is a value that stood in the server's table at a key. N is the number
// of the edit by which Session made it; no session: somebody wrote in the table.
// The value "" is absence.
type Version struct {
	Key, Value string
	Session    string
	N          int64
}

// Op is one thing that a phone did or saw. Exactly one of the three is meant.
type Op struct {
	Session string
	Write   *Write
	Answer  *Answer
	Look    *Look
}

// Write is an edit that the person was told is stored.
type Write struct {
	N          int64
	Key, Value string
}

// Answer is the server's verdict on an edit, kept by the phone. Effect tells
// whether the edit was done.
type Answer struct {
	N      int64
	Effect bool
}

// Look is everything a phone shows at one moment. Held are the server's words,
// as one complete answer left them; Seen is what the person sees. A key that is
// in neither was not looked at.
type Look struct {
	Held, Seen map[string]string
}

// History is what is judged.
type History struct {
	Versions []Version
	Ops      []Op
}

// Kind names a guarantee.
type Kind string

// The guarantees.
const (
	ReadYourWrites    Kind = "read your writes"
	MonotonicReads    Kind = "monotonic reads"
	MonotonicWrites   Kind = "monotonic writes"
	WritesFollowReads Kind = "writes follow reads"
	AtomicVisibility  Kind = "atomic visibility"
	FromNowhere       Kind = "a value from nowhere" // seen, and written by nobody
)

// Violation is a broken guarantee. Op is its place in the history's Ops, −1 when
// it shows in the versions alone.
type Violation struct {
	Kind Kind
	Op   int
	Text string
}

func (v Violation) String() string { return fmt.Sprintf("%s (op %d): %s", v.Kind, v.Op, v.Text) }

// never is a place after every version.
const never = int(^uint(0) >> 1)

// write identifies a phone's edit.
type write struct {
	session string
	n       int64
}

// judge is a check under way.
type judge struct {
	h     History
	at    map[string]map[string]int // key, value → place in Versions
	by    map[write]int             // edit → place
	next  []int                     // place → place of the key's next version
	phone map[string]*session
	found []Violation
}

// session is what is known of one phone so far.
type session struct {
	reads  map[string]int     // key → newest place read from the server's words
	newest int                // newest place read at all
	writes map[string][]Write // key → own writes in order
	effect map[int64]bool     // answered edits
}

// Check returns every violation in a history, in its order.
func Check(h History) []Violation {
	j := &judge{h: h, at: map[string]map[string]int{}, by: map[write]int{}, phone: map[string]*session{}}
	j.index()
	j.monotonicWrites()
	for i, op := range h.Ops {
		s := j.phone[op.Session]
		if s == nil {
			s = &session{reads: map[string]int{}, newest: -1, writes: map[string][]Write{}, effect: map[int64]bool{}}
			j.phone[op.Session] = s
		}
		switch {
		case op.Write != nil:
			j.writesFollowReads(i, op.Session, s, *op.Write)
			s.writes[op.Write.Key] = append(s.writes[op.Write.Key], *op.Write)
		case op.Answer != nil:
			s.effect[op.Answer.N] = op.Answer.Effect
		case op.Look != nil:
			j.readYourWrites(i, s, op.Look.Seen)
			j.held(i, s, op.Look.Held)
		}
	}
	return j.found
}

func (j *judge) report(kind Kind, op int, format string, args ...any) {
	j.found = append(j.found, Violation{kind, op, fmt.Sprintf(format, args...)})
}

// index finds versions by value, by edit, and each one's successor. Absence
// before the first version is at place −1.
func (j *judge) index() {
	j.next = make([]int, len(j.h.Versions))
	last := map[string]int{}
	for i, v := range j.h.Versions {
		j.next[i] = never
		if was, ok := last[v.Key]; ok {
			j.next[was] = i
		}
		last[v.Key] = i
		if j.at[v.Key] == nil {
			j.at[v.Key] = map[string]int{}
		}
		j.at[v.Key][v.Value] = i
		if v.Session != "" {
			j.by[write{v.Session, v.N}] = i
		}
	}
}

// place is where a value stood; absence that was never a version stood first.
func (j *judge) place(key, value string) (int, bool) {
	at, ok := j.at[key][value]
	if !ok && value == "" {
		return -1, true
	}
	return at, ok
}

// after is the place of the version that replaced the one at place.
func (j *judge) after(key string, place int) int {
	if place >= 0 {
		return j.next[place]
	}
	first := never
	for _, at := range j.at[key] {
		first = min(first, at)
	}
	return first
}

// monotonicWrites: a session's edits stand in the order in which it made them.
func (j *judge) monotonicWrites() {
	last := map[string]int64{}
	for _, v := range j.h.Versions {
		if v.Session == "" {
			continue
		}
		if v.N < last[v.Session] {
			j.report(MonotonicWrites, -1, "edit %d of %s stands after its edit %d", v.N, v.Session, last[v.Session])
		}
		last[v.Session] = max(last[v.Session], v.N)
	}
}

// writesFollowReads: what a phone wrote stands after all that it had read.
func (j *judge) writesFollowReads(op int, name string, s *session, w Write) {
	if at, stands := j.by[write{name, w.N}]; stands && at < s.newest {
		j.report(WritesFollowReads, op, "edit %d of %s stands at %d, before what it had read at %d", w.N, name, at, s.newest)
	}
}

// readYourWrites: the person sees the last of their own words that counts, or
// what came after it on the server.
func (j *judge) readYourWrites(op int, s *session, seen map[string]string) {
	for _, key := range sorted(seen) {
		value, writes := seen[key], s.writes[key]
		for i := len(writes) - 1; i >= 0; i-- {
			w := writes[i]
			effect, answered := s.effect[w.N]
			if answered && !effect {
				continue // refused: the word before it counts
			}
			if value == w.Value {
				break
			}
			if !answered {
				j.report(ReadYourWrites, op, "%s shows %q, and %q waits", key, value, w.Value)
				break
			}
			own, stood := j.place(key, w.Value)
			now, known := j.place(key, value)
			if !known || stood && now < own {
				j.report(ReadYourWrites, op, "%s shows %q, older than the own %q", key, value, w.Value)
			}
			break
		}
	}
}

// held judges the server's words on a phone: nothing older than before, and all
// of one moment.
func (j *judge) held(op int, s *session, held map[string]string) {
	newest, oldest := -1, never
	var newestKey, oldestKey string
	for _, key := range sorted(held) {
		at, known := j.place(key, held[key])
		if _, read := s.reads[key]; held[key] == "" && at >= 0 && !read {
			continue // not there yet, or there no more: both are possible
		}
		if !known {
			j.report(FromNowhere, op, "%s holds %q, which nobody wrote", key, held[key])
			continue
		}
		if was, ok := s.reads[key]; ok && at < was {
			j.report(MonotonicReads, op, "%s shows %q of place %d after place %d", key, held[key], at, was)
		}
		s.reads[key] = at
		if at > newest {
			newest, newestKey = at, key
		}
		if until := j.after(key, at); until < oldest {
			oldest, oldestKey = until, key
		}
	}
	if newest >= oldest {
		j.report(AtomicVisibility, op, "%s is of place %d, when %s had been replaced at %d", newestKey, newest, oldestKey, oldest)
	}
	s.newest = max(s.newest, newest)
}

func sorted(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
