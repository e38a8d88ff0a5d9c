package sqlite

import (
	"sync"

	"modernc.org/libc"
)

// The memory beneath SQLite comes from the system in pages of 64 kB, each cut into
// blocks of one size, and a page goes back when its last block is free. A statement
// that may fail halfway, as one with a trigger, notes the pages that it changes in
// blocks of 2 kB and frees them at its end: so each such statement asked the system
// for a page and gave it back, which cost more than the statement. One block that is
// never freed keeps its page here.
const (
	page      = 64 << 10
	noted     = 2 << 10 // the block of a statement's notes
	notePages = 4       // 120 kB of notes, 30 pages of a database
)

// keepPages takes those blocks, once a process.
var keepPages = sync.OnceFunc(func() {
	tls := libc.NewTLS()
	defer tls.Close()
	for size := libc.Tsize_t(64); size <= page/4; size *= 2 {
		if size != noted {
			libc.Xmalloc(tls, size)
		}
	}
	var free []uintptr
	pages := map[uintptr]bool{}
	for len(pages) <= notePages {
		block := libc.Xmalloc(tls, noted)
		if block == 0 {
			break // none left: SQLite will say so
		}
		if at := block / page; !pages[at] {
			pages[at] = true
			continue
		}
		free = append(free, block)
	}
	for _, block := range free {
		libc.Xfree(tls, block)
	}
})
