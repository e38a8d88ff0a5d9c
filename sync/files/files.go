// Package files keeps the photos and scans that records refer to, for phones on
// a link that breaks.
//
// A file is named by the SHA-256 of its bytes as the phone holds them, so a
// record can name it before it was ever sent, and a phone can tell whether what
// it got is what was named. It goes up in pieces (tus 1.0.0, see upload.go) and
// comes down by ranges, small ones first.
//
// A name is not a key. A file is read only by who stands, now, in a circle of a
// live record that refers to it; and a reference counts only when it was written
// by somebody who had shown to have the file, by sending it whole or by being
// allowed to read it at that moment. So who learns a name, from a lost phone or
// a screen, gains nothing by writing it into a record of their own. Whoever may
// not read is answered as if there were no such file.
//
// What others get is clean: see package picture. A phone cleans before it names,
// so mostly name and bytes agree; what comes uncleaned is stored clean under the
// name that it came with, and its entity tag is the SHA-256 of what is served.
//
// The tables: files (kept: when somebody last needed it), file_holders (who sent
// it whole), file_refs (which record refers to it; by: the person who wrote the
// reference, empty for the server; proven: it counts already), file_uploads
// (what is on its way, and for a week what arrived).
package files

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/sync/phones"
)

// Settings are the limits and the place of files. Zero values are the defaults.
type Settings struct {
	Dir       string // where files lie; default: files in the data folder, so that a backup takes them along
	MaxBytes  int64  // of one file; default 10 MB (10 << 20)
	MaxPixels int    // of one picture; default 40 million
	PerDay    int    // uploads that one person begins within 24 hours; default 100
}

// FromEnv reads LANGSO_FILES_DIR, LANGSO_FILES_MAX_BYTES, LANGSO_FILES_MAX_PIXELS
// and LANGSO_FILES_PER_DAY. What is not a number above 0 is the default.
func FromEnv() Settings {
	number := func(name string) int64 {
		n, err := strconv.ParseInt(os.Getenv(name), 10, 64)
		if err != nil {
			return 0
		}
		return n
	}
	return Settings{
		Dir: os.Getenv("LANGSO_FILES_DIR"), MaxBytes: number("LANGSO_FILES_MAX_BYTES"),
		MaxPixels: int(number("LANGSO_FILES_MAX_PIXELS")), PerDay: int(number("LANGSO_FILES_PER_DAY")),
	}
}

// Options are what a store is made of.
type Options struct {
	App     core.App
	Phones  phones.Book // who asks
	Domains []commune.Domain
	Now     func() time.Time
	// Circles returns the standing of a person now, with everything that was
	// written taken into account.
	Circles func(person string) ([]string, error)
	Settings
}

// Store keeps files.
type Store struct {
	Options
	declared map[string]*commune.Collection // those with file fields, by name

	// storing is held while a file is looked at and stored, and while orphans are
	// deleted: one photo at a time takes memory, and none is deleted while it comes.
	storing sync.Mutex
	turns   turns
}

// The sides and sizes of the small pictures: one in a list on 2G, one on a phone's screen.
const (
	thumbSide, thumbBytes = 96, 2048
	screenSide            = 720
)

// New makes the store and hangs it on the writing of records that refer to files.
func New(o Options) *Store {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 10 << 20
	}
	if o.MaxPixels <= 0 {
		o.MaxPixels = 40_000_000
	}
	if o.PerDay <= 0 {
		o.PerDay = 100
	}
	s := &Store{Options: o, declared: map[string]*commune.Collection{}}
	for _, d := range o.Domains {
		for i := range d.Collections {
			if c := &d.Collections[i]; len(c.Files) > 0 {
				s.declared[c.Name] = c
				s.bind(c)
			}
		}
	}
	return s
}

// Routes registers the roads of files and the nightly work.
func (s *Store) Routes(se *core.ServeEvent) error {
	if err := s.makeFolders(); err != nil {
		return err
	}
	bind := func(method, path string, do func(http.ResponseWriter, *http.Request) error) {
		se.Router.Route(method, path, func(e *core.RequestEvent) error { return s.answer(e.Response, do(e.Response, e.Request)) }).
			Bind(apis.SkipSuccessActivityLog()).
			// A page of another origin has no key to sign with, and OPTIONS is tus's own.
			Unbind(apis.DefaultBodyLimitMiddlewareId, apis.DefaultLoadAuthTokenMiddlewareId, apis.DefaultCorsMiddlewareId)
	}
	bind(http.MethodGet, "/api/files/{hash}", s.download) // and HEAD
	bind(http.MethodPost, "/api/files/have", s.have)
	for _, method := range []string{http.MethodOptions, http.MethodPost} {
		bind(method, uploads, s.upload)
	}
	for _, method := range []string{http.MethodOptions, http.MethodPost, http.MethodHead, http.MethodPatch, http.MethodDelete} {
		bind(method, uploads+"/{id}", s.upload)
	}
	s.App.Cron().MustAdd("files: forget uploads", "10 * * * *", func() { s.report("forget uploads", s.Expire()) })
	s.App.Cron().MustAdd("files: delete orphans", "40 19 * * *", func() { s.report("delete orphans", s.Sweep()) })
	return nil
}

func (s *Store) report(job string, err error) {
	if err != nil {
		s.App.Logger().Error("a job failed", "job", job, "error", err)
	}
}

// dir is where files lie.
func (s *Store) dir() string {
	if s.Dir != "" {
		return s.Dir
	}
	return filepath.Join(s.App.DataDir(), "files")
}

func (s *Store) makeFolders() error {
	if err := os.MkdirAll(s.uploadsDir(), 0o700); err != nil {
		return fmt.Errorf("make folder of files: %w", err)
	}
	return nil
}

// moment writes a time so that texts compare as times do.
func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// ValidHash tells whether s may name a file: 64 hexadecimal digits, small letters.
func ValidHash(s string) bool {
	if len(s) != 64 {
		return false
	}
	for _, b := range []byte(s) {
		if (b < '0' || b > '9') && (b < 'a' || b > 'f') {
			return false
		}
	}
	return true
}
