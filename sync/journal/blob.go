package journal

import (
	"encoding/binary"
	"errors"
)

var errBlob = errors.New("journal: damaged record")

// fieldState is what the journal remembers of one field.
type fieldState struct {
	no   int64  // the field's number
	seq  int64  // of its last change
	by   int64  // number of the phone that made it; 0 the server
	hash uint64 // of its value; 0 for a zero value
}

// packFields writes the states as varints (no, seq−born, by) and 8 bytes of
// hash each. Fields that were never other than zero are not among them.
func packFields(born int64, fs []fieldState) []byte {
	b := make([]byte, 0, len(fs)*12)
	for _, f := range fs {
		b = binary.AppendUvarint(b, uint64(f.no))
		b = binary.AppendUvarint(b, uint64(f.seq-born))
		b = binary.AppendUvarint(b, uint64(f.by))
		b = binary.LittleEndian.AppendUint64(b, f.hash)
	}
	return b
}

func unpackFields(born int64, b []byte) ([]fieldState, error) {
	fs := make([]fieldState, 0, len(b)/11)
	for len(b) > 0 {
		var f fieldState
		var ok bool
		if f.no, b, ok = uvarint(b); !ok {
			return nil, errBlob
		}
		if f.seq, b, ok = uvarint(b); !ok {
			return nil, errBlob
		}
		f.seq += born
		if f.by, b, ok = uvarint(b); !ok || len(b) < 8 {
			return nil, errBlob
		}
		f.hash = binary.LittleEndian.Uint64(b)
		b = b[8:]
		fs = append(fs, f)
	}
	return fs, nil
}

// place is a circle that the record is in, or has left.
type place struct {
	circle  int64
	entered int64 // seq
	left    int64 // seq; 0 while it is in
}

func packPlaces(ps []place) []byte {
	b := make([]byte, 0, len(ps)*8)
	for _, p := range ps {
		b = binary.AppendUvarint(b, uint64(p.circle))
		b = binary.AppendUvarint(b, uint64(p.entered))
		b = binary.AppendUvarint(b, uint64(p.left))
	}
	return b
}

func unpackPlaces(b []byte) ([]place, error) {
	ps := make([]place, 0, len(b)/4)
	for len(b) > 0 {
		var p place
		var ok bool
		if p.circle, b, ok = uvarint(b); !ok {
			return nil, errBlob
		}
		if p.entered, b, ok = uvarint(b); !ok {
			return nil, errBlob
		}
		if p.left, b, ok = uvarint(b); !ok {
			return nil, errBlob
		}
		ps = append(ps, p)
	}
	return ps, nil
}

func uvarint(b []byte) (int64, []byte, bool) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, b, false
	}
	return int64(v), b[n:], true
}
