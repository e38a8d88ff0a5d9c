// Package courier is the road without a network: a phone seals its work to the
// server's key, any neighbour's phone carries the sealed bundle to where there
// is a signal, and the answer travels back sealed to the phone that asked.
//
// A bundle holds what POST /api/sync would hold: who asks, the signature, the
// ask. The server judges it as it judges a direct ask, so the same edit that
// arrives by two carriers and directly is done once. Who carries learns sizes,
// in steps of 256 bytes, and nothing else.
//
// Sealing is HPKE (RFC 9180) in base mode: DHKEM(P-256, HKDF-SHA256),
// HKDF-SHA256, AES-128-GCM, which Go has in its library and every browser can
// do with WebCrypto. The phone proves itself by the signature inside. An answer
// proves itself too: only who opened the bundle knows the key it is sealed to.
//
// The package knows no PocketBase and no database: phones use it as it is.
package courier

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Sizes and names that both sides keep to.
const (
	// MaxBundle is the most that one bundle may weigh, in bytes, envelope and all.
	MaxBundle = 64 << 10
	// MaxAnswer is the most that one sealed answer may weigh. The server aims at
	// MaxBundle; more comes only when the verdicts alone are more.
	MaxAnswer = 256 << 10
	// MaxCarried is how many bundles a neighbour's phone carries, and how many
	// one request delivers.
	MaxCarried = 20
	// MaxFile is the most that a file or a request may weigh.
	MaxFile = MaxCarried * MaxAnswer
	// Block is the step of sizes: every envelope is a multiple of it.
	Block = 256
	// Path is where bundles are delivered.
	Path = "/api/sync/courier"
	// ContentType marks files and bodies of envelopes.
	ContentType = "application/x-langso"
	// Extension is how such files are named.
	Extension = ".langso"
)

// Kind says what an envelope holds.
type Kind byte

// The kinds.
const (
	Bundle  Kind = 'B' // from a phone, sealed to the server
	Answer  Kind = 'A' // from the server, sealed to the phone
	Refused Kind = 'R' // from the server to the carrier, in clear: JSON of code and say
)

const (
	magic  = "LSC1"
	header = len(magic) + 1 + 8 + 8 + 4
)

// ErrFile is returned for bytes that are no envelopes.
var ErrFile = errors.New("not a courier's file")

// ID names a bundle; its answer has the same.
type ID [8]byte

// KeyID is the beginning of the SHA-256 of a public key.
type KeyID [8]byte

// Envelope is one sealed thing: all that a carrier can tell of it is here.
type Envelope struct {
	Kind Kind
	ID   ID
	To   KeyID // the key that it is sealed to; zero when Refused
	Box  []byte
}

// head is what stands before the box. It is bound into the sealing.
func (e Envelope) head() []byte {
	b := make([]byte, 0, header)
	b = append(b, magic...)
	b = append(b, byte(e.Kind))
	b = append(b, e.ID[:]...)
	b = append(b, e.To[:]...)
	return binary.BigEndian.AppendUint32(b, uint32(len(e.Box)))
}

// Bytes writes the envelope. Files are envelopes one after another.
func (e Envelope) Bytes() []byte { return append(e.head(), e.Box...) }

// Parse reads envelopes, at most most of them. What stands before the first
// damage is returned with the error, an [ErrFile].
func Parse(file []byte, most int) ([]Envelope, error) {
	var out []Envelope
	for len(file) > 0 {
		if len(out) == most {
			return out, fmt.Errorf("%w: more than %d envelopes", ErrFile, most)
		}
		if len(file) < header || !bytes.HasPrefix(file, []byte(magic)) {
			return out, ErrFile
		}
		e := Envelope{Kind: Kind(file[4]), ID: ID(file[5:13]), To: KeyID(file[13:21])}
		n := int(binary.BigEndian.Uint32(file[21:header]))
		limit := MaxBundle
		switch e.Kind {
		case Answer:
			limit = MaxAnswer
		case Bundle, Refused:
		default:
			return out, ErrFile
		}
		if n > limit-header || n > len(file)-header {
			return out, ErrFile
		}
		e.Box, file = bytes.Clone(file[header:header+n]), file[header+n:]
		out = append(out, e)
	}
	if len(out) == 0 {
		return nil, ErrFile
	}
	return out, nil
}

// File writes envelopes one after another.
func File(all []Envelope) []byte {
	var b []byte
	for _, e := range all {
		b = append(append(b, e.head()...), e.Box...)
	}
	return b
}
