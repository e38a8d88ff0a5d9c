package files

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/sync/files/picture"

	"langso/sync/wire"
)

// keepUploads is how long an upload may take, and how long one that is done is
// remembered for a phone that did not hear the answer.
const keepUploads = 7 * 24 * time.Hour

// incoming is a row of file_uploads. Its offset is the length of its file.
type incoming struct {
	ID, Person, Hash, Meta, At string
	Size                       int64
	State                      int
	turn                       *turn // of the request that works on it
}

// The states of an upload.
const (
	coming  = iota
	stored  // told again to a phone that did not hear it
	dropped // refused, or deleted by the phone: it counts for the day
)

func (u *incoming) done() bool { return u.State == stored }

func (s *Store) uploadsDir() string { return filepath.Join(s.dir(), "uploads") }

func (s *Store) uploadPath(id string) string { return filepath.Join(s.uploadsDir(), id) }

// upload answers the requests of tus. Its own headers come first, since even a
// refusal is to carry them.
func (s *Store) upload(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Tus-Resumable", tusVersion)
	w.Header().Set("Cache-Control", "no-store")
	id, sentAs := r.PathValue("id"), r
	if m := r.Header.Get("X-HTTP-Method-Override"); m != "" {
		r = r.WithContext(r.Context())
		r.Method = strings.ToUpper(m)
	}
	if r.Method == http.MethodOptions {
		s.options(w)
		return nil
	}
	if r.Header.Get("Tus-Resumable") != tusVersion {
		w.Header().Set("Tus-Version", tusVersion)
		return refuse(http.StatusPreconditionFailed, "version", "Ứng dụng trên máy đã cũ, xin cập nhật.")
	}
	phone, err := s.Phones.Signed(sentAs, signed(r.Header))
	if err != nil {
		return err
	}
	if id == "" {
		if r.Method != http.MethodPost {
			return refuse(http.StatusMethodNotAllowed, "bad_ask", "Máy chủ không đọc được yêu cầu này.")
		}
		return s.create(w, r, phone.Person)
	}
	// Only one request at a time; the newer one ends the older, whose road broke.
	turn, ok := s.turns.take(r.Context(), id, http.NewResponseController(w))
	if !ok {
		return errLocked
	}
	defer s.turns.leave(id, turn)
	u, err := s.incoming(id, phone.Person)
	if err != nil {
		return err
	}
	u.turn = turn
	switch r.Method {
	case http.MethodHead:
		return s.head(w, u)
	case http.MethodPatch:
		if r.Header.Get("Content-Type") != tusChunk {
			return refuse(http.StatusUnsupportedMediaType, "bad_ask", "Máy chủ không đọc được yêu cầu này.")
		}
		return s.patch(w, r, u)
	case http.MethodDelete:
		if err := s.forget(u.ID); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return refuse(http.StatusMethodNotAllowed, "bad_ask", "Máy chủ không đọc được yêu cầu này.")
}

func (s *Store) options(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Tus-Version", tusVersion)
	h.Set("Tus-Extension", tusExtensions)
	h.Set("Tus-Checksum-Algorithm", tusAlgorithms)
	h.Set("Tus-Max-Size", strconv.FormatInt(s.MaxBytes, 10))
	w.WriteHeader(http.StatusNoContent)
}

// incoming returns an upload of a person. Another person's is answered as one
// that does not exist.
func (s *Store) incoming(id, person string) (*incoming, error) {
	var u incoming
	err := s.App.ConcurrentDB().NewQuery(`SELECT * FROM file_uploads WHERE id = {:id} AND person = {:person} AND state != {:dropped}`).
		Bind(dbx.Params{"id": id, "person": person, "dropped": dropped}).One(&u)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("find upload: %w", err)
	}
	if u.At < moment(s.Now().Add(-keepUploads)) {
		return nil, errExpired
	}
	return &u, nil
}

// create begins an upload: POST, with or without the first piece.
func (s *Store) create(w http.ResponseWriter, r *http.Request, person string) error {
	check, ok := readChecksum(r.Header)
	size, sized := number(r.Header, "Upload-Length")
	meta := r.Header.Get("Upload-Metadata")
	hash := metadata(meta, "sha256")
	switch {
	case !ok, !sized, r.Header.Get("Upload-Defer-Length") != "", r.Header.Get("Upload-Concat") != "", len(meta) > 4096, hash != "" && !ValidHash(hash):
		return errAsk
	case size > s.MaxBytes:
		return s.tooBig()
	case size == 0:
		return errType
	}
	u := &incoming{ID: strings.ToLower(rand.Text()), Person: person, Hash: hash, Meta: meta, At: moment(s.Now()), Size: size}
	if err := s.begin(u); err != nil {
		return err
	}
	if r.Header.Get("Content-Type") == tusChunk {
		if err := s.add(w, r, u, 0, check); err != nil {
			return errors.Join(err, s.forget(u.ID))
		}
	}
	w.Header().Set("Location", uploads+"/"+u.ID)
	s.expires(w, u)
	w.WriteHeader(http.StatusCreated)
	return nil
}

// begin enters an upload, within a person's number for a day.
func (s *Store) begin(u *incoming) error {
	f, err := os.OpenFile(s.uploadPath(u.ID), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("begin upload: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("begin upload: %w", err)
	}
	err = s.App.RunInTransaction(func(tx core.App) error {
		var today int
		err := tx.ConcurrentDB().NewQuery(`SELECT count(*) FROM file_uploads WHERE person = {:person} AND at > {:since}`).
			Bind(dbx.Params{"person": u.Person, "since": moment(s.Now().Add(-24 * time.Hour))}).Row(&today)
		if err != nil {
			return fmt.Errorf("begin upload: %w", err)
		}
		if today >= s.PerDay {
			return errMany
		}
		_, err = tx.NonconcurrentDB().NewQuery(`INSERT INTO file_uploads (id, person, hash, size, meta, at) VALUES ({:id}, {:person}, {:hash}, {:size}, {:meta}, {:at})`).
			Bind(dbx.Params{"id": u.ID, "person": u.Person, "hash": u.Hash, "size": u.Size, "meta": u.Meta, "at": u.At}).Execute()
		return err
	})
	if err != nil {
		return errors.Join(err, os.Remove(s.uploadPath(u.ID)))
	}
	return nil
}

// head tells how far an upload has come.
func (s *Store) head(w http.ResponseWriter, u *incoming) error {
	at, err := s.offset(u)
	if err != nil {
		return err
	}
	if at == u.Size && !u.done() { // every byte was there when the server went down
		if err := s.finish(u); err != nil {
			return err
		}
	}
	h := w.Header()
	h.Set("Upload-Offset", strconv.FormatInt(at, 10))
	h.Set("Upload-Length", strconv.FormatInt(u.Size, 10))
	if u.Meta != "" {
		h.Set("Upload-Metadata", u.Meta)
	}
	s.expires(w, u)
	w.WriteHeader(http.StatusOK)
	return nil
}

// offset is how many bytes of an upload are there.
func (s *Store) offset(u *incoming) (int64, error) {
	if u.done() {
		return u.Size, nil
	}
	info, err := os.Stat(s.uploadPath(u.ID))
	if errors.Is(err, os.ErrNotExist) { // the disk was exchanged, or the database restored
		return 0, errNotFound
	}
	if err != nil {
		return 0, fmt.Errorf("look at upload: %w", err)
	}
	return info.Size(), nil
}

func (s *Store) patch(w http.ResponseWriter, r *http.Request, u *incoming) error {
	check, ok := readChecksum(r.Header)
	from, told := number(r.Header, "Upload-Offset")
	if !ok || !told {
		return errAsk
	}
	at, err := s.offset(u)
	if err != nil {
		return err
	}
	if from != at {
		return errOffset
	}
	if u.done() {
		w.Header().Set("Upload-Offset", strconv.FormatInt(at, 10))
	} else if err := s.add(w, r, u, at, check); err != nil {
		return err
	}
	s.expires(w, u)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Store) expires(w http.ResponseWriter, u *incoming) {
	if at, err := time.Parse(time.RFC3339, u.At); err == nil {
		w.Header().Set("Upload-Expires", at.Add(keepUploads).UTC().Format(http.TimeFormat))
	}
}

// add appends a request's body, and finishes the upload when that was the last
// of it. A piece that was announced with a checksum is taken whole or not at
// all; of another, whatever came stays.
func (s *Store) add(w http.ResponseWriter, r *http.Request, u *incoming, at int64, check *checksum) error {
	left := u.Size - at
	if r.ContentLength > left {
		return s.tooBig()
	}
	// One byte more than may come tells that too much came.
	body := io.LimitReader(&slow{body: r.Body, control: http.NewResponseController(w), turn: u.turn}, left+1)
	n, err := int64(0), error(nil)
	if check != nil {
		n, err = s.addChecked(u, body, left, check)
	} else {
		n, err = s.appendTo(u, body)
		if n > left {
			n, err = left, errors.Join(s.tooBig(), os.Truncate(s.uploadPath(u.ID), at+left))
		}
	}
	at += n
	w.Header().Set("Upload-Offset", strconv.FormatInt(at, 10))
	if err != nil {
		return err
	}
	if at-n < picture.SniffLen && at >= min(picture.SniffLen, u.Size) {
		if err := s.sniff(u); err != nil {
			return err
		}
	}
	if at < u.Size {
		return nil
	}
	return s.finish(u)
}

// addChecked appends a piece once it is proven whole.
func (s *Store) addChecked(u *incoming, body io.Reader, left int64, check *checksum) (int64, error) {
	piece, err := os.CreateTemp(s.uploadsDir(), "piece-*")
	if err != nil {
		return 0, fmt.Errorf("take a piece: %w", err)
	}
	defer func() { _ = errors.Join(piece.Close(), os.Remove(piece.Name())) }()
	n, err := io.Copy(io.MultiWriter(piece, check), body)
	switch {
	case errors.Is(err, errBroken), err == nil && !check.good():
		return 0, errChecksum
	case err != nil:
		return 0, fmt.Errorf("take a piece: %w", err)
	case n > left:
		return 0, s.tooBig()
	}
	if _, err := piece.Seek(0, io.SeekStart); err != nil {
		return 0, fmt.Errorf("take a piece: %w", err)
	}
	return s.appendTo(u, piece)
}

// appendTo puts bytes behind those that are there, onto the disk.
func (s *Store) appendTo(u *incoming, from io.Reader) (int64, error) {
	f, err := os.OpenFile(s.uploadPath(u.ID), os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return 0, fmt.Errorf("add to upload: %w", err)
	}
	n, err := io.Copy(f, from)
	if err = errors.Join(err, f.Sync(), f.Close()); errors.Is(err, errBroken) {
		return n, errAsk // nobody hears it
	}
	if err != nil {
		return n, fmt.Errorf("add to upload: %w", err)
	}
	return n, nil
}

// sniff refuses what is no picture as soon as its first bytes are there, to
// spare the phone the rest.
func (s *Store) sniff(u *incoming) error {
	f, err := os.Open(s.uploadPath(u.ID))
	if err != nil {
		return fmt.Errorf("look at upload: %w", err)
	}
	defer f.Close()
	head := make([]byte, picture.SniffLen)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("look at upload: %w", err)
	}
	if _, ok := picture.Sniff(head[:n]); !ok {
		return errors.Join(errType, s.forget(u.ID))
	}
	return nil
}

// finish stores an upload whose bytes are all there. What is refused is forgotten;
// what failed for another reason stays and is tried again.
func (s *Store) finish(u *incoming) error {
	s.storing.Lock() // before the bytes are read: one file at a time takes memory
	defer s.storing.Unlock()
	b, err := os.ReadFile(s.uploadPath(u.ID))
	if err != nil {
		return fmt.Errorf("finish upload: %w", err)
	}
	name := sum(b)
	if u.Hash != "" && u.Hash != name {
		return errors.Join(errChecksum, s.forget(u.ID))
	}
	err = s.store(u.Person, name, b, func(tx core.App) error {
		_, err := tx.NonconcurrentDB().NewQuery(`UPDATE file_uploads SET state = {:stored} WHERE id = {:id}`).Bind(dbx.Params{"id": u.ID, "stored": stored}).Execute()
		return err
	})
	var refused *wire.AskError
	if errors.As(err, &refused) {
		return errors.Join(err, s.forget(u.ID))
	}
	if err != nil {
		return fmt.Errorf("finish upload: %w", err)
	}
	return os.Remove(s.uploadPath(u.ID))
}

// forget drops an upload's bytes. The row stays until it expires.
func (s *Store) forget(id string) error {
	_, err := s.App.NonconcurrentDB().NewQuery(`UPDATE file_uploads SET state = {:dropped} WHERE id = {:id}`).Bind(dbx.Params{"id": id, "dropped": dropped}).Execute()
	if err != nil {
		return fmt.Errorf("forget upload: %w", err)
	}
	if err := os.Remove(s.uploadPath(id)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("forget upload: %w", err)
	}
	return nil
}
