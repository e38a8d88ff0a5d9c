package commune

import (
	"crypto/sha256"
	"math/big"
	"strings"
)

// NoticeID returns the id of the notice about key in the circle's inbox: the
// first 15 characters, base 36, of a hash of both. The same circle and key make
// the same notice, whoever raises it and however often.
func NoticeID(to Circle, key string) string {
	sum := sha256.Sum256([]byte(string(to) + "\x00" + key))
	text := new(big.Int).SetBytes(sum[:]).Text(36)
	return (strings.Repeat("0", 15) + text)[len(text):][:15]
}
