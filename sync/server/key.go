package server

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"langso/sync/wire"
)

// serverKey reads the key that signs receipts, making one at the first start.
// It lies beside the databases, not in them: the SQL console cannot read it, a
// backup takes it along.
func serverKey(dir string) (ed25519.PrivateKey, error) {
	path := filepath.Join(dir, "receipts.key")
	seed, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		seed = make([]byte, ed25519.SeedSize)
		if _, err := rand.Read(seed); err != nil {
			return nil, err
		}
		err = os.WriteFile(path, seed, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("read the receipts' key: %w", err)
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("read the receipts' key: %s is not a key", path)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// sign makes the server's signature for a receipt.
func (s *Server) sign(text []byte) string {
	return base64.RawURLEncoding.EncodeToString(ed25519.Sign(s.key, text))
}

// publicKey is what phones check receipts with.
func (s *Server) publicKey() string {
	return wire.Ed25519Key(s.key.Public().(ed25519.PublicKey))
}
