package webpush

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	// recordSize stands in the header of a body; ours has one record, far smaller.
	recordSize = 4096
	// headSize is the header of RFC 8188 §2.1 with a key of 65 bytes in it.
	headSize = 16 + 4 + 1 + 65
	// room is what every wake-up is filled up to, so that all are of one size:
	// whoever carries them cannot tell a storm from a blood pressure.
	room = 128
	// BodySize is the size of every body that is sent.
	BodySize = headSize + room + 1 + 16
)

var errTooLong = errors.New("wake-up too long")

// seal makes the body for the phone: one record of aes128gcm (RFC 8188) under
// keys as RFC 8291 §3.4 derives them, filled up to size bytes of plain text.
func (a *Address) seal(plain []byte, size int) ([]byte, error) {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	return a.sealWith(key, salt, plain, size)
}

func (a *Address) sealWith(key *ecdh.PrivateKey, salt, plain []byte, size int) ([]byte, error) {
	if len(plain) > size || size+1+16 > recordSize {
		return nil, errTooLong
	}
	shared, err := key.ECDH(a.public)
	if err != nil {
		return nil, fmt.Errorf("agree on a key: %w", err)
	}
	ours := key.PublicKey().Bytes()
	aead, nonce, err := derive(shared, a.auth, salt, a.public.Bytes(), ours)
	if err != nil {
		return nil, err
	}
	out := make([]byte, headSize, headSize+size+1+16)
	copy(out, salt)
	binary.BigEndian.PutUint32(out[16:], recordSize)
	out[20] = byte(len(ours))
	copy(out[21:], ours)
	record := make([]byte, size+1) // 0x02 ends the last record, zeros fill it (RFC 8188 §2)
	copy(record, plain)
	record[len(plain)] = 2
	return aead.Seal(out, nonce, record, nil), nil
}

// derive makes the cipher and its nonce (RFC 8291 §3.4, RFC 8188 §2.2–2.3).
func derive(shared, auth, salt, theirs, ours []byte) (cipher.AEAD, []byte, error) {
	info := append(append([]byte("WebPush: info\x00"), theirs...), ours...)
	ikm, err := hkdf.Key(sha256.New, shared, auth, string(info), 32)
	if err != nil {
		return nil, nil, fmt.Errorf("derive key: %w", err)
	}
	prk, err := hkdf.Extract(sha256.New, ikm, salt)
	if err != nil {
		return nil, nil, fmt.Errorf("derive key: %w", err)
	}
	cek, err := hkdf.Expand(sha256.New, prk, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, nil, fmt.Errorf("derive key: %w", err)
	}
	nonce, err := hkdf.Expand(sha256.New, prk, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, nil, fmt.Errorf("derive nonce: %w", err)
	}
	block, err := aes.NewCipher(cek)
	if err != nil {
		return nil, nil, fmt.Errorf("make cipher: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	return aead, nonce, err
}
