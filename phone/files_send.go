package phone

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// FilesReport is what one SendFiles did.
type FilesReport struct {
	Requests int
	Up       int64 // bytes of bodies
	Sent     int   // files the server has now that it had not
	Known    int   // files that it had already, of which nothing was sent
	Refused  []FileState
}

// The pieces in which files go up: a piece that is cut is lost, so they are small
// on a bad road and grow on a good one.
const (
	pieceLeast, pieceFirst, pieceMost = 4 << 10, 32 << 10, 1 << 20
	pieceQuick                        = 2 * time.Second
)

// askedAtOnce is the most that one question to the server may hold.
const askedAtOnce = 100

// SendFiles sends the files that wait, the oldest first, each from where it was
// cut. Call it after a Sync: the server takes a file whether or not its record
// has come, but the record tells people more. What the server refuses stays on
// the phone, listed by [Phone.Files]. An error means that some still wait;
// nothing is lost, and it may be called again at any time.
func (p *Phone) SendFiles(ctx context.Context) (FilesReport, error) {
	var report FilesReport
	if err := p.SweepFiles(); err != nil {
		return report, err
	}
	waiting, err := p.unsent()
	if err != nil {
		return report, err
	}
	for len(waiting) > 0 {
		batch := waiting[:min(len(waiting), askedAtOnce)]
		waiting = waiting[len(batch):]
		known, err := p.askFiles(ctx, batch, &report)
		if err != nil {
			return report, err
		}
		for _, f := range batch {
			if known[f.hash] {
				report.Known++
			} else if err := p.sendFile(ctx, f, &report); err != nil {
				var no *Failure
				if !errors.As(err, &no) || !final[no.Code] {
					return report, err
				}
				if err := p.refuseFile(f, no, &report); err != nil {
					return report, err
				}
				continue
			} else {
				report.Sent++
			}
			if err := p.sentFile(f); err != nil {
				return report, err
			}
		}
	}
	return report, nil
}

// final are the refusals that sending again does not change.
var final = map[string]bool{"too_big": true, "bad_type": true, "too_many_pixels": true}

// outgoing is a file on its way.
type outgoing struct {
	hash, upload, path string
	piece              int64
	begun              int // how often from the start, because the server forgot it
}

// unsent returns what waits to be sent, and what was sent to a server that has
// gone back in time since: it may have lost it.
func (p *Phone) unsent() ([]*outgoing, error) {
	dir, err := p.filesDir()
	if err != nil {
		return nil, err
	}
	_, person, err := p.Self()
	if err != nil {
		return nil, err
	}
	rows, err := p.db.Query(`SELECT hash, upload FROM files WHERE size = '' AND person = ? AND (state = 'waiting' OR state = 'sent' AND epoch != coalesce((SELECT value FROM meta WHERE key = 'epoch'), '')) ORDER BY at, hash`, person)
	if err != nil {
		return nil, fmt.Errorf("read files: %w", err)
	}
	defer rows.Close()
	var out []*outgoing
	for rows.Next() {
		f := &outgoing{piece: pieceFirst}
		if err := rows.Scan(&f.hash, &f.upload); err != nil {
			return nil, fmt.Errorf("read files: %w", err)
		}
		f.path = filepath.Join(dir, f.hash)
		out = append(out, f)
	}
	return out, rows.Err()
}

// askFiles asks which of these the server has for this person.
func (p *Phone) askFiles(ctx context.Context, files []*outgoing, report *FilesReport) (map[string]bool, error) {
	var ask, got struct {
		Hashes []string `json:"hashes,omitempty"`
		Have   []string `json:"have,omitempty"`
	}
	for _, f := range files {
		ask.Hashes = append(ask.Hashes, f.hash)
	}
	report.Requests++
	if err := p.call(ctx, "/api/files/have", ask, &got, true); err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, hash := range got.Have {
		known[hash] = true
	}
	return known, nil
}

func (p *Phone) sentFile(f *outgoing) error {
	_, err := p.db.Exec(`UPDATE files SET state = 'sent', upload = '', code = '', say = '', epoch = coalesce((SELECT value FROM meta WHERE key = 'epoch'), '') WHERE hash = ? AND size = ''`, f.hash)
	if err != nil {
		return fmt.Errorf("note a sent file: %w", err)
	}
	return nil
}

func (p *Phone) refuseFile(f *outgoing, no *Failure, report *FilesReport) error {
	report.Refused = append(report.Refused, FileState{Hash: f.hash, State: "refused", Code: no.Code, Say: no.Say})
	_, err := p.db.Exec(`UPDATE files SET state = 'refused', upload = '', code = ?, say = ? WHERE hash = ? AND size = ''`, no.Code, no.Say, f.hash)
	if err != nil {
		return fmt.Errorf("note a refused file: %w", err)
	}
	return nil
}

// sendFile sends one file to its end.
func (p *Phone) sendFile(ctx context.Context, f *outgoing, report *FilesReport) error {
	b, err := os.ReadFile(f.path)
	if err != nil {
		return fmt.Errorf("send file: %w", err)
	}
	size := int64(len(b))
	at, unsure := int64(0), f.upload != ""
	for vain := 0; ; {
		was := at
		if unsure {
			at, err = p.fileOffset(ctx, f, report)
		}
		if err == nil && at == size && f.upload != "" {
			return nil
		}
		if err == nil {
			unsure = false
			at, err = p.sendPiece(ctx, f, b, at, report)
		}
		if err == nil {
			vain = 0
			continue
		}
		if unsure, err = p.goOn(f, err); err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		f.piece = max(f.piece/2, pieceLeast)
		if vain++; at > was {
			vain = 0
		}
		if vain >= triesInVain {
			return fmt.Errorf("send file: %w", ErrCut)
		}
		if f.upload == "" {
			at = 0
		}
	}
}

// goOn tells whether sending goes on after an error, and whether the server must
// be asked first how far it has come. An error that it returns ends the sending.
func (p *Phone) goOn(f *outgoing, err error) (ask bool, stop error) {
	var no *Failure
	switch {
	case !errors.As(err, &no):
		if errors.Is(err, ErrNoServer) {
			return f.upload != "", nil
		}
		return false, err
	case no.Code == "not_found", no.Code == "upload_expired":
		if f.begun++; f.begun >= triesInVain {
			return false, err
		}
		f.upload = ""
		return false, p.noteUpload(f)
	case no.Code == "bad_checksum", no.Code == "offset":
		return f.upload != "", nil
	}
	return false, err
}

func (p *Phone) noteUpload(f *outgoing) error {
	_, err := p.db.Exec(`UPDATE files SET upload = ? WHERE hash = ? AND size = ''`, f.upload, f.hash)
	if err != nil {
		return fmt.Errorf("note how far a file is sent: %w", err)
	}
	return nil
}

// fileOffset asks how far an upload has come.
func (p *Phone) fileOffset(ctx context.Context, f *outgoing, report *FilesReport) (int64, error) {
	report.Requests++
	response, err := p.request(ctx, http.MethodHead, f.upload, http.Header{}, nil, tusSigned(http.Header{}))
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	return tusOffset(response)
}

// sendPiece sends the next piece and returns how far the upload is then.
func (p *Phone) sendPiece(ctx context.Context, f *outgoing, b []byte, at int64, report *FilesReport) (int64, error) {
	piece := b[at:min(at+f.piece, int64(len(b)))]
	sum := sha256.Sum256(piece)
	h := http.Header{
		"Content-Type":    {"application/offset+octet-stream"},
		"Upload-Checksum": {"sha256 " + base64.StdEncoding.EncodeToString(sum[:])},
	}
	method, to := http.MethodPatch, f.upload
	if f.upload == "" {
		method, to = http.MethodPost, "/api/files/uploads"
		h.Set("Upload-Length", strconv.Itoa(len(b)))
		h.Set("Upload-Metadata", "sha256 "+base64.StdEncoding.EncodeToString([]byte(f.hash)))
	} else {
		h.Set("Upload-Offset", strconv.FormatInt(at, 10))
	}
	report.Requests++
	report.Up += int64(len(piece))
	begun := p.now()
	response, err := p.request(ctx, method, to, h, piece, tusSigned(h))
	if err != nil {
		return at, err
	}
	defer response.Body.Close()
	now, err := tusOffset(response)
	if err != nil {
		return at, err
	}
	if f.upload == "" {
		if f.upload = response.Header.Get("Location"); !strings.HasPrefix(f.upload, "/api/files/uploads/") {
			f.upload = ""
			return at, fmt.Errorf("%w: answered without a place", ErrNoServer)
		}
		if now < int64(len(b)) {
			err = p.noteUpload(f)
		}
	}
	if p.now().Sub(begun) < pieceQuick {
		f.piece = min(f.piece*2, pieceMost)
	}
	return now, err
}

// tusOffset reads how far an upload is; what does not say so is not our server.
func tusOffset(response *http.Response) (int64, error) {
	n, err := strconv.ParseInt(response.Header.Get("Upload-Offset"), 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%w: answered without an offset", ErrNoServer)
	}
	return n, nil
}

// tusSigned is what stands in the place of the body in the signature of an
// upload's request (docs/PROTOCOL.md, Files).
func tusSigned(h http.Header) []byte {
	return []byte(h.Get("Upload-Length") + "\n" + h.Get("Upload-Metadata") + "\n" + h.Get("Upload-Offset") + "\n" + h.Get("Upload-Checksum"))
}

// request sends a signed request for a file; an answer of status 400 or more is
// a *Failure. What is signed stands in the place of the body.
func (p *Phone) request(ctx context.Context, method, to string, header http.Header, body, signed []byte) (*http.Response, error) {
	server, err := getMeta(p.db, "server")
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(server, "/")+to, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	if method != http.MethodGet {
		r.Header.Set("Tus-Resumable", "1.0.0")
	}
	r.Header.Set("User-Agent", "langso")
	r.Header.Set("Accept-Encoding", "identity")
	if err := p.authorize(r, r.URL.Path, signed); err != nil {
		return nil, err
	}
	response, err := p.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoServer, err)
	}
	if response.StatusCode < 400 {
		return response, nil
	}
	defer response.Body.Close()
	f := &Failure{Status: response.StatusCode}
	raw, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	switch {
	case method == http.MethodHead && response.StatusCode == http.StatusNotFound:
		f.Code = "not_found" // an answer to HEAD has no body
	case method == http.MethodHead && response.StatusCode == http.StatusGone:
		f.Code = "upload_expired"
	case response.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		f.Code = "range"
	case err != nil || json.Unmarshal(raw, &f.Failure) != nil || f.Code == "":
		return nil, fmt.Errorf("%w: status %d", ErrNoServer, response.StatusCode)
	}
	return nil, f
}
