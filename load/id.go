package load

import (
	"crypto/sha256"
	"hash/maphash"
)

// ID is the record id that a row of a collection gets from its external id: 15
// characters a–z and 0–9, always the same.
func ID(collection, external string) string {
	sum := sha256.Sum256([]byte(collection + "\x00" + external))
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	var id [15]byte
	for i := range id {
		id[i] = letters[int(sum[i])%len(letters)]
	}
	return string(id[:])
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
