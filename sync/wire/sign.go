package wire

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
)

// PublicKey is a phone's public key: Ed25519 where the phone can, else ECDSA
// over P-256 (browsers older than 2025).
type PublicKey struct {
	text string
	ed   ed25519.PublicKey
	ec   *ecdsa.PublicKey
}

// ErrKey is returned for a key that is neither kind, or not on its curve.
var ErrKey = errors.New("unusable public key")

// Strict: a key has one spelling, since one key is one phone.
var b64 = base64.RawURLEncoding.Strict()

// ParseKey reads "ed25519:<base64url of 32 bytes>" or "p256:<base64url of the
// 65 bytes of an uncompressed point>".
func ParseKey(s string) (PublicKey, error) {
	kind, rest, _ := strings.Cut(s, ":")
	raw, err := b64.DecodeString(rest)
	if err != nil || strings.ContainsAny(rest, "\r\n") {
		return PublicKey{}, ErrKey
	}
	switch {
	case kind == "ed25519" && len(raw) == ed25519.PublicKeySize:
		return PublicKey{text: s, ed: raw}, nil
	case kind == "p256" && len(raw) == 65:
		k, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), raw)
		if err != nil {
			return PublicKey{}, ErrKey
		}
		return PublicKey{text: s, ec: k}, nil
	}
	return PublicKey{}, ErrKey
}

// Ed25519Key writes an Ed25519 key as phones and the server name it.
func Ed25519Key(k ed25519.PublicKey) string { return "ed25519:" + b64.EncodeToString(k) }

// String returns the key as it was read.
func (k PublicKey) String() string { return k.text }

// Verify tells whether sig is the key's signature over msg.
func (k PublicKey) Verify(msg, sig []byte) bool {
	if len(sig) != 64 {
		return false
	}
	switch {
	case k.ed != nil:
		return ed25519.Verify(k.ed, msg, sig)
	case k.ec != nil:
		sum := sha256.Sum256(msg)
		return ecdsa.Verify(k.ec, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
	}
	return false
}

// SigningBytes is what a phone signs for a request: method, path without query,
// and the body as it is sent.
func SigningBytes(method, path string, body []byte) []byte {
	var b bytes.Buffer
	b.Grow(10 + len(method) + len(path) + len(body))
	b.WriteString("langso1\n")
	b.WriteString(method)
	b.WriteByte(' ')
	b.WriteString(path)
	b.WriteByte('\n')
	b.Write(body)
	return b.Bytes()
}

const scheme = "Phone "

// Authorization writes the header of a signed request.
func Authorization(phone string, sig []byte) string {
	return scheme + phone + "." + b64.EncodeToString(sig)
}

// ParseAuthorization reads the header that Authorization writes.
func ParseAuthorization(header string) (phone string, sig []byte, ok bool) {
	rest, found := strings.CutPrefix(header, scheme)
	if !found {
		return "", nil, false
	}
	phone, text, found := strings.Cut(rest, ".")
	if !found || phone == "" {
		return "", nil, false
	}
	sig, err := base64.RawURLEncoding.DecodeString(text)
	return phone, sig, err == nil
}
