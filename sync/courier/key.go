package courier

import (
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
)

// point is the size of an uncompressed point of P-256, scalar that of a private key.
const (
	point  = 65
	scalar = 32
)

var kem = hpke.DHKEM(ecdh.P256())

// ErrKey is returned for a key that cannot be used.
var ErrKey = errors.New("unusable sealing key")

// Strict: a key has one spelling.
var b64 = base64.RawURLEncoding.Strict()

// NewKey makes a key pair.
func NewKey() (hpke.PrivateKey, error) { return kem.GenerateKey() }

// PrivateKey reads the 32 bytes that a private key's Bytes gives.
func PrivateKey(raw []byte) (hpke.PrivateKey, error) {
	if len(raw) != scalar {
		return nil, ErrKey
	}
	k, err := kem.NewPrivateKey(raw)
	if err != nil {
		return nil, ErrKey
	}
	return k, nil
}

// ParseKey reads a public key, "p256:" and base64url of the uncompressed point,
// as the server announces it.
func ParseKey(text string) (hpke.PublicKey, error) {
	rest, ok := strings.CutPrefix(text, "p256:")
	raw, err := b64.DecodeString(rest)
	if !ok || err != nil || strings.ContainsAny(rest, "\r\n") {
		return nil, ErrKey
	}
	return publicKey(raw)
}

func publicKey(raw []byte) (hpke.PublicKey, error) {
	if len(raw) != point {
		return nil, ErrKey
	}
	k, err := kem.NewPublicKey(raw)
	if err != nil {
		return nil, ErrKey
	}
	return k, nil
}

// KeyText writes a public key as ParseKey reads it.
func KeyText(k hpke.PublicKey) string { return "p256:" + b64.EncodeToString(k.Bytes()) }

func keyID(k hpke.PublicKey) KeyID {
	sum := sha256.Sum256(k.Bytes())
	return KeyID(sum[:8])
}
