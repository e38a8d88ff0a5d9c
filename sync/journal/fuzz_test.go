package journal

import (
	"bytes"
	"testing"
)

// FuzzBlobs: damaged states are told, never a panic; what is read is written
// again as it was, but for numbers that had been spelled too long.
func FuzzBlobs(f *testing.F) {
	f.Add(int64(3), packFields(3, []fieldState{{no: 1, seq: 4, by: 2, hash: 9}, {no: 200, seq: 300, hash: 1}}))
	f.Add(int64(0), packPlaces([]place{{circle: 1, entered: 2}, {circle: 3, entered: 4, left: 5}}))
	f.Add(int64(0), []byte{0x80})
	f.Fuzz(func(t *testing.T, born int64, b []byte) {
		born &= 1<<40 - 1
		if fs, err := unpackFields(born, b); err == nil {
			once := packFields(born, fs)
			again, err := unpackFields(born, once)
			if err != nil || !bytes.Equal(packFields(born, again), once) {
				t.Fatalf("%v became %v (%v)", fs, again, err)
			}
		}
		if ps, err := unpackPlaces(b); err == nil {
			once := packPlaces(ps)
			again, err := unpackPlaces(once)
			if err != nil || !bytes.Equal(packPlaces(again), once) {
				t.Fatalf("%v became %v (%v)", ps, again, err)
			}
		}
	})
}
