package sqlite

import (
	"sync"

	"modernc.org/libc"
)

// The memory beneath SQLite comes from the system in pages of 64 kB, each cut into
// blocks of one size, and a page goes back with its last block. A statement that
// may fail halfway, as one with a trigger, notes what it changes in blocks of 2 kB
// and frees them at its end. So each such statement asked the system for a page and
// gave it back, a tenth of what an edit costs. Each connection holds some pages by a
// block that is never freed: room for what lives long, and for such notes beside it.
const (
	page     = 64 << 10
	block    = 2 << 10
	each     = 4  // pages a connection
	mostHeld = 64 // pages, whatever connections come and go
)

var held = struct {
	sync.Mutex
	pages map[uintptr]bool
}{pages: map[uintptr]bool{}}

// holdPages takes a connection's pages.
func holdPages() {
	held.Lock()
	defer held.Unlock()
	tls := libc.NewTLS()
	defer tls.Close()
	var free []uintptr
	for most := min(len(held.pages)+each, mostHeld); len(held.pages) < most; {
		at := libc.Xmalloc(tls, block)
		if at == 0 {
			break // none left: SQLite will say so
		}
		if held.pages[at/page] {
			free = append(free, at)
		}
		held.pages[at/page] = true
	}
	for _, at := range free {
		libc.Xfree(tls, at)
	}
}
