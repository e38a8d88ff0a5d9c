package simulation

import (
	"os"
	"runtime/debug"
	"testing"
)

// TestMain lets the heap grow further between collections: a commune is thrown
// away after a second, and looking for what of it is still needed was a tenth
// of the time.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
