package wire

import (
	"encoding/base64"
	"encoding/binary"
	"errors"

	"langso/sync/sum"
)

// Check is what a phone wants compared: first the sum of each circle, then lists
// of the records in the parts that differ.
type Check struct {
	Sums  map[string]sum.Sum `json:"sums,omitempty"`
	Lists []List             `json:"lists,omitempty"`
	Deep  bool               `json:"deep,omitempty"`
}

// Sums are the server's sums of the parts of a circle.
type Sums struct {
	In   string  `json:"in"`
	Bits int     `json:"bits"`
	List Numbers `json:"list"` // lane A of each part
}

// List is what a phone has in some parts of a circle.
type List struct {
	In    string  `json:"in"`
	Bits  int     `json:"bits"`
	Parts []int   `json:"parts"`
	Has   Numbers `json:"has"` // lane A of each record, in order of collection and id
}

// Drop says which listed records are not in the circle, or not so.
type Drop struct {
	In string `json:"in"`
	At []int  `json:"at"` // positions in List.Has
}

var errNumbers = errors.New("numbers are 4 bytes each, base64url")

// Numbers are 32-bit numbers, on the wire base64url of 4 bytes each, big-endian.
type Numbers []uint32

// MarshalBinary writes 4 bytes each, big-endian.
func (n Numbers) MarshalBinary() ([]byte, error) {
	raw := make([]byte, 0, 4*len(n))
	for _, x := range n {
		raw = binary.BigEndian.AppendUint32(raw, x)
	}
	return raw, nil
}

// UnmarshalBinary reads what MarshalBinary writes.
func (n *Numbers) UnmarshalBinary(raw []byte) error {
	if len(raw)%4 != 0 {
		return errNumbers
	}
	*n = make(Numbers, 0, len(raw)/4)
	for ; len(raw) > 0; raw = raw[4:] {
		*n = append(*n, binary.BigEndian.Uint32(raw))
	}
	return nil
}

// MarshalText writes base64url without padding.
func (n Numbers) MarshalText() ([]byte, error) {
	raw, err := n.MarshalBinary()
	return base64.RawURLEncoding.AppendEncode(nil, raw), err
}

// UnmarshalText reads base64url.
func (n *Numbers) UnmarshalText(text []byte) error {
	raw, err := base64.RawURLEncoding.AppendDecode(nil, text)
	if err != nil {
		return errNumbers
	}
	return n.UnmarshalBinary(raw)
}
