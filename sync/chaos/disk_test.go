package chaos

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"langso/villagetest"
)

// disk is a disk with a write cache, put under every SQLite connection of this
// process: a VFS over the usual one, which knows of each database file what a
// power cut would leave. What SQLite syncs is safe. Of what it wrote after that a
// cut keeps any sectors and loses the others, as disks reorder their writes.
type disk struct {
	mu    sync.Mutex
	files map[string]*cached
	open  map[uintptr]string // sqlite3_file → its path
	full  map[string]bool    // folders on which there is no room
	under map[uintptr]*layer // our methods → the usual ones
	made  map[uintptr]uintptr
}

// cached is one file: what is safe, and what was written since.
type cached struct {
	safe    []byte
	pending []scribble
}

// scribble is a write, or a truncation when it has no bytes.
type scribble struct {
	at   int64
	data []byte
}

// layer is a copy of a usual file's methods, of which ours call the original.
type layer struct{ write, truncate, sync, close uintptr }

var (
	theDisk  = &disk{files: map[string]*cached{}, open: map[uintptr]string{}, full: map[string]bool{}, under: map[uintptr]*layer{}, made: map[uintptr]uintptr{}}
	usual    uintptr
	usualVFS sqlite3.Tsqlite3_vfs
)

// install makes the disk the default of this process.
var install = sync.OnceFunc(func() {
	tls := libc.NewTLS()
	usual = sqlite3.Xsqlite3_vfs_find(tls, 0)
	ours := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})))
	vfs := at[sqlite3.Tsqlite3_vfs](ours)
	usualVFS = *at[sqlite3.Tsqlite3_vfs](usual)
	*vfs = usualVFS
	name, err := libc.CString("langso-cached")
	if err != nil {
		panic(err)
	}
	vfs.FzName, vfs.FpNext = name, 0
	vfs.FxOpen, vfs.FxDelete = pointer(openFile), pointer(deleteFile)
	if rc := sqlite3.Xsqlite3_vfs_register(tls, ours, 1); rc != sqlite3.SQLITE_OK {
		panic("the disk could not be put under SQLite")
	}
})

// pointer is how C in Go holds a function.
func pointer(f any) uintptr { return (*[2]uintptr)(unsafe.Pointer(&f))[1] }

// at is what C's memory holds at an address; the garbage collector does not know it.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

func call[F any](f uintptr) F { return *(*F)(unsafe.Pointer(&struct{ uintptr }{f})) }

type (
	openFunc     = func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32
	deleteFunc   = func(*libc.TLS, uintptr, uintptr, int32) int32
	writeFunc    = func(*libc.TLS, uintptr, uintptr, int32, int64) int32
	truncateFunc = func(*libc.TLS, uintptr, int64) int32
	syncFunc     = func(*libc.TLS, uintptr, int32) int32
	closeFunc    = func(*libc.TLS, uintptr) int32
)

func openFile(tls *libc.TLS, _, name, file uintptr, flags int32, out uintptr) int32 {
	rc := call[openFunc](usualVFS.FxOpen)(tls, usual, name, file, flags, out)
	if rc != sqlite3.SQLITE_OK || name == 0 {
		return rc
	}
	path := libc.GoString(name)
	d := theDisk
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.files[path] == nil || !slices.Contains(slices.Collect(maps.Values(d.open)), path) {
		raw, _ := os.ReadFile(path) // a new file is empty
		d.files[path] = &cached{safe: raw}
	}
	d.open[file] = path
	f := at[sqlite3.Tsqlite3_file](file)
	f.FpMethods = d.methods(tls, f.FpMethods)
	return rc
}

// methods returns ours over the usual ones.
func (d *disk) methods(tls *libc.TLS, usual uintptr) uintptr {
	if ours, ok := d.made[usual]; ok {
		return ours
	}
	ours := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_io_methods{})))
	m := at[sqlite3.Tsqlite3_io_methods](ours)
	*m = *at[sqlite3.Tsqlite3_io_methods](usual)
	d.under[ours] = &layer{m.FxWrite, m.FxTruncate, m.FxSync, m.FxClose}
	m.FxWrite, m.FxTruncate, m.FxSync, m.FxClose = pointer(writeFile), pointer(truncateFile), pointer(syncFile), pointer(closeFile)
	d.made[usual] = ours
	return ours
}

func (d *disk) of(file uintptr) (*layer, string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.under[at[sqlite3.Tsqlite3_file](file).FpMethods], d.open[file]
}

func writeFile(tls *libc.TLS, file, buf uintptr, amount int32, offset int64) int32 {
	under, path := theDisk.of(file)
	if theDisk.hasNoRoom(path) {
		return sqlite3.SQLITE_FULL
	}
	rc := call[writeFunc](under.write)(tls, file, buf, amount, offset)
	if rc == sqlite3.SQLITE_OK {
		data := append([]byte(nil), unsafe.Slice(at[byte](buf), amount)...)
		theDisk.note(path, scribble{offset, data})
	}
	return rc
}

func truncateFile(tls *libc.TLS, file uintptr, size int64) int32 {
	under, path := theDisk.of(file)
	rc := call[truncateFunc](under.truncate)(tls, file, size)
	if rc == sqlite3.SQLITE_OK {
		theDisk.note(path, scribble{at: size})
	}
	return rc
}

// syncFile makes safe what was written. The true fsync is left out: this disk is
// the one that loses power.
func syncFile(_ *libc.TLS, file uintptr, _ int32) int32 {
	_, path := theDisk.of(file)
	theDisk.mu.Lock()
	defer theDisk.mu.Unlock()
	c := theDisk.files[path]
	if c == nil {
		return sqlite3.SQLITE_OK // deleted while open
	}
	for _, s := range c.pending {
		c.safe = s.on(c.safe)
	}
	c.pending = nil
	return sqlite3.SQLITE_OK
}

func closeFile(tls *libc.TLS, file uintptr) int32 {
	under, _ := theDisk.of(file)
	theDisk.mu.Lock()
	delete(theDisk.open, file)
	theDisk.mu.Unlock()
	return call[closeFunc](under.close)(tls, file)
}

func deleteFile(tls *libc.TLS, _, name uintptr, syncDir int32) int32 {
	rc := call[deleteFunc](usualVFS.FxDelete)(tls, usual, name, syncDir)
	theDisk.mu.Lock()
	defer theDisk.mu.Unlock()
	delete(theDisk.files, libc.GoString(name))
	return rc
}

func (d *disk) note(path string, s scribble) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.files[path]; c != nil {
		c.pending = append(c.pending, s)
	}
}

func (d *disk) hasNoRoom(path string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.full[filepath.Dir(path)]
}

// room says whether there is room on a folder.
func (d *disk) room(dir string, is bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full[dir] = !is
}

// on applies a write to a file's bytes.
func (s scribble) on(b []byte) []byte {
	if s.data == nil {
		if s.at <= int64(len(b)) {
			return b[:s.at:s.at]
		}
		return append(b, make([]byte, s.at-int64(len(b)))...)
	}
	if end := s.at + int64(len(s.data)); end > int64(len(b)) {
		b = append(b, make([]byte, end-int64(len(b)))...)
	}
	copy(b[s.at:], s.data)
	return b
}

const sector = 512

// cut is what the database files of a folder are after a power cut: what was
// synced, and of the rest any sectors.
func (d *disk) cut(dir string, rnd *rand.Rand) villagetest.Folder {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := villagetest.Folder{}
	for path, c := range d.files {
		name, below := strings.CutPrefix(path, dir+"/")
		if !below || strings.HasSuffix(name, "-shm") {
			continue
		}
		b := append([]byte(nil), c.safe...)
		lost := rnd.IntN(4) // how much is lost: nothing … everything
		for _, s := range c.pending {
			if s.data == nil {
				if rnd.IntN(4) >= lost {
					b = s.on(b)
				}
				continue
			}
			for from := 0; from < len(s.data); from += sector {
				if rnd.IntN(3) >= lost {
					to := min(from+sector, len(s.data))
					b = scribble{s.at + int64(from), s.data[from:to]}.on(b)
				}
			}
		}
		out[name] = b
	}
	return out
}
