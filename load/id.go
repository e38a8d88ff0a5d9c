package load

import (
	"crypto/sha256"
	"hash/maphash"
)

// ID is the record id that a row of a collection gets from its external id: 15
// characters a–z and 0–9, always the same. The first five come from the external
// id without its last two characters: rows that are numbered together then lie
// together in the index, and a large load writes far fewer pages.
func ID(collection, external string) string {
	stem := external[:max(0, len(external)-2)]
	return scramble(collection+"\x00"+stem, 5) + scramble(collection+"\x01"+external, 10)
}

func scramble(text string, length int) string {
	sum := sha256.Sum256([]byte(text))
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	for i := range length {
		sum[i] = letters[int(sum[i])%len(letters)]
	}
	return string(sum[:length])
}

// seen remembers which external ids a load has met, as hashes of 8 bytes, so
// that a second row of the same id is told instead of overwriting the first.
type seen struct {
	seed maphash.Seed
	ids  map[uint64]struct{}
}

func newSeen() *seen { return &seen{maphash.MakeSeed(), map[uint64]struct{}{}} }

// first tells whether external was not met before.
func (s *seen) first(external string) bool {
	h := maphash.String(s.seed, external)
	if _, met := s.ids[h]; met {
		return false
	}
	s.ids[h] = struct{}{}
	return true
}
