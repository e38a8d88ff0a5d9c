package files

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"time"

	"github.com/pocketbase/dbx"

	"langso/sync/files/picture"
)

// file is a row of the table files.
type file struct {
	Hash, Kind, Sum, Screen, Thumb string
	Bytes, Width, Height           int64
	Kept                           string
}

// find returns a stored file; nil when there is none.
func (s *Store) find(hash string) (*file, error) {
	var f file
	err := s.App.ConcurrentDB().NewQuery(`SELECT * FROM files WHERE hash = {:hash}`).Bind(dbx.Params{"hash": hash}).One(&f)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find file: %w", err)
	}
	return &f, nil
}

// download answers GET /api/files/<hash>?size=thumb|screen, whole or by ranges.
// A file never changes, so a phone may keep it as long as it may read it.
func (s *Store) download(w http.ResponseWriter, r *http.Request) error {
	phone, err := s.Phones.Signed(r, nil)
	if err != nil {
		return err
	}
	hash := r.PathValue("hash")
	if !ValidHash(hash) {
		return errNotFound
	}
	if may, err := s.mayRead(phone.Person, hash); err != nil || !may {
		return or(err, errNotFound)
	}
	f, err := s.find(hash)
	if err != nil || f == nil {
		return or(err, errNotFound)
	}
	size, sum, kind := f.served(r.URL.Query().Get("size"))
	if sum == "" {
		return errNotFound
	}
	content, err := os.Open(s.path(hash, size))
	if errors.Is(err, fs.ErrNotExist) {
		s.App.Logger().Error("a file is in the book and not on the disk", "hash", hash)
		return errNotFound
	}
	if err != nil {
		return fmt.Errorf("open file: %w", err)
	}
	defer content.Close()
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("ETag", `"`+sum+`"`)
	h.Set("Cache-Control", "private, max-age=31536000, immutable")
	h.Set("Vary", "Authorization") // another person on the same browser asks anew
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	if kind == string(picture.PDF) {
		h.Set("Content-Disposition", `attachment; filename="giay-to.pdf"`)
	}
	http.ServeContent(&patient{ResponseWriter: w, control: http.NewResponseController(w)}, r, "", time.Time{}, content)
	return nil
}

// served tells which bytes answer a wished size, by their sum, and their kind. A
// small one that would be larger than the file is not kept: the file is served.
func (f *file) served(size string) (part, sum, kind string) {
	switch {
	case size == "":
		return "", f.Sum, f.Kind
	case f.Kind == string(picture.PDF):
		return "", "", ""
	case size == "thumb" && f.Thumb != "":
		return size, f.Thumb, string(picture.JPEG)
	case size == "screen" && f.Screen != "":
		return size, f.Screen, string(picture.JPEG)
	case size == "thumb" || size == "screen":
		return "", f.Sum, f.Kind
	}
	return "", "", ""
}

// patient lets a phone on a slow link read for as long as it reads.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
}

const patience = time.Minute

// Write implements io.Writer. ServeContent writes pieces of some kilobytes.
func (p *patient) Write(b []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(patience)) // a test's writer has none
	return p.ResponseWriter.Write(b)
}

// mostAsked bounds one question.
const mostAsked = 100

// have answers POST /api/files/have: which of these files need not be sent by
// this person. Only what they may read anyway, or have sent before, is told:
// else the answer would say who has what.
func (s *Store) have(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, 16<<10))
	if err != nil {
		return errAsk
	}
	phone, err := s.Phones.Signed(r, body)
	if err != nil {
		return err
	}
	var ask struct{ Hashes []string }
	if json.Unmarshal(body, &ask) != nil || len(ask.Hashes) > mostAsked {
		return errAsk
	}
	circles, err := s.Circles(phone.Person)
	if err != nil {
		return err
	}
	out := struct {
		Have []string `json:"have"`
	}{[]string{}}
	for _, hash := range ask.Hashes {
		has, err := s.has(phone.Person, circles, hash)
		if err != nil {
			return err
		}
		if has {
			out.Have = append(out.Have, hash)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(out)
}

// has tells whether a file is stored that the person may read or has sent, and
// then keeps it: an edit that names it may be on its way.
func (s *Store) has(person string, circles []string, hash string) (bool, error) {
	if !ValidHash(hash) {
		return false, nil
	}
	may, err := s.reads(s.App, circles, hash)
	if err == nil && !may {
		may, err = s.holds(s.App, person, hash)
	}
	if err != nil || !may {
		return false, err
	}
	f, err := s.find(hash)
	if err != nil || f == nil {
		return false, err
	}
	if f.Kept < moment(s.Now().Add(-24*time.Hour)) {
		err = s.keep(s.App, hash)
	}
	return err == nil, err
}

// or returns err, or what it means that there is none.
func or(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
