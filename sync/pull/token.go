package pull

import (
	"strconv"
	"strings"

	"langso/sync/journal"
	"langso/sync/wire"
)

// classes are what goes down apart, in this order: what is gone, then the ranks.
const classes = 6

// place is how far an answer, or several that were cut, have come: in each class
// everything up to a number was sent. A record that changes meanwhile gets a
// greater number and is sent again, so a place stays good at any later state.
type place struct {
	upTo [classes]int64
	seen int64 // the latest state that anything was sent from; 0: nothing was
}

// token writes the place in a history for a phone whose standing has this hash. It is opaque
// to phones.
func (p place) token(epoch, standing string) string {
	parts := make([]string, 0, classes+3)
	for _, n := range p.upTo {
		parts = append(parts, strconv.FormatInt(n, 36))
	}
	return strings.Join(append(parts, strconv.FormatInt(p.seen, 36), standing, epoch), ".")
}

func parse(token string) (p place, standing, epoch string, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != classes+3 {
		return p, "", "", false
	}
	for i := range classes + 1 {
		n, err := strconv.ParseInt(parts[i], 36, 64)
		if err != nil || n < 0 {
			return p, "", "", false
		}
		if i == classes {
			p.seen = n
		} else {
			p.upTo[i] = n
		}
	}
	return p, parts[classes+1], parts[classes+2], true
}

// Fits tells whether a token was given in this history, at a state that it has
// passed. What a phone got with any other token is worth nothing.
func Fits(token string, at journal.Head) bool {
	p, _, epoch, ok := parse(token)
	return ok && epoch == at.Epoch && p.seen <= at.Seq
}

// resume reads where to go on. With another standing the filling starts again,
// but what was sent is not forgotten: the phone may have to be told that it is gone.
func resume(p Phone, at journal.Head) place {
	if !Fits(p.Resume, at) {
		return place{}
	}
	from, standing, _, _ := parse(p.Resume)
	if standing != wire.StandingHash(p.Now) {
		return place{seen: from.seen}
	}
	return from
}

// Begun is the token of a phone that is in the middle of an answer, as it hears of
// its standing: when that is another, what was taken away is gone from the phone,
// and comes from the beginning when it is back. "" for a phone that begins.
func Begun(p Phone, at journal.Head) string {
	if !Fits(p.Resume, at) {
		return ""
	}
	return resume(p, at).token(at.Epoch, wire.StandingHash(p.Now))
}
