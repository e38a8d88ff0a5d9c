package phone

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"langso/sync/wire"
)

// ErrNotEmpty is returned when a snapshot file is loaded into a phone that has
// records already: it begins where the file would.
var ErrNotEmpty = errors.New("this phone has records already")

// ErrFile is returned for a snapshot file that is damaged or of another kind.
var ErrFile = errors.New("not a snapshot file")

// loaded returns the snapshot files that this phone has loaded since it was empty.
func (p *Phone) loaded() (map[string]wire.Cursor, error) {
	text, err := getMeta(p.db, "loaded")
	if err != nil || text == "" {
		return nil, err
	}
	var out map[string]wire.Cursor
	return out, json.Unmarshal([]byte(text), &out)
}

// Load fills an empty phone from a snapshot file, as it comes by card, without a
// network; the next Sync brings only what changed since. It returns the circles
// whose records the file holds and how many they are.
func (p *Phone) Load(path string) (circles []string, n int, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, 0, fmt.Errorf("load snapshot: %w", err)
	}
	encoding := map[string]string{".br": "br", ".zst": "zstd", ".gz": "gzip"}[filepath.Ext(path)]
	p.syncing.Lock()
	defer p.syncing.Unlock()
	return p.load(raw, encoding, "")
}

// load takes a snapshot file in one transaction. name, unless empty, is what
// the file must be.
func (p *Phone) load(packed []byte, encoding, name string) (circles []string, n int, err error) {
	plain, err := wire.Unpack(packed, encoding, wire.MaxSnapshot)
	if err != nil {
		return nil, 0, ErrFile
	}
	if sum := sha256.Sum256(plain); name != "" && hex.EncodeToString(sum[:]) != name {
		return nil, 0, ErrFile
	}
	err = p.transact(func(tx *sql.Tx) error {
		circles, n, err = p.take(tx, plain)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("load snapshot: %w", err)
	}
	return circles, n, nil
}

func (p *Phone) take(tx *sql.Tx, plain []byte) ([]string, int, error) {
	head, parts, err := wire.ReadSnapshot(plain)
	if err != nil {
		return nil, 0, ErrFile
	}
	if err := p.opens(tx, head); err != nil {
		return nil, 0, err
	}
	n := 0
	for _, part := range parts {
		rows, err := part.Rows()
		if err != nil {
			return nil, 0, ErrFile
		}
		for _, row := range rows {
			in := []string{}
			for _, i := range row.In {
				if i < 0 || i >= len(head.Circles) {
					return nil, 0, ErrFile
				}
				in = append(in, head.Circles[i])
			}
			if err := p.show(tx, part.Coll, row, in); err != nil {
				return nil, 0, err
			}
			n++
		}
	}
	return head.Circles, n, moved(tx)
}

// opens makes room for a snapshot: only a phone that has not synced takes one,
// and all its files are of one history.
func (p *Phone) opens(tx *sql.Tx, head *wire.SnapshotHead) error {
	cursor, err := getNumber(tx, "cursor")
	if err != nil {
		return err
	}
	resume, err := getMeta(tx, "resume")
	if err != nil {
		return err
	}
	if cursor > 0 || resume != "" {
		return ErrNotEmpty
	}
	epoch, err := getMeta(tx, "epoch")
	if err != nil {
		return err
	}
	have := map[string]wire.Cursor{}
	text, err := getMeta(tx, "loaded")
	if err != nil {
		return err
	}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &have); err != nil {
			return err
		}
	}
	if epoch != head.Epoch || len(have) == 0 || slices.ContainsFunc(head.Circles, func(c string) bool { _, has := have[c]; return has }) {
		if err := forgetRecords(tx); err != nil {
			return err
		}
		have = map[string]wire.Cursor{}
	}
	for _, c := range head.Circles {
		have[c] = head.Seq
	}
	list, err := json.Marshal(have)
	if err != nil {
		return err
	}
	names, err := json.Marshal(slices.Sorted(maps.Keys(have)))
	if err != nil {
		return err
	}
	return errors.Join(setMeta(tx, "epoch", head.Epoch), setMeta(tx, "loaded", string(list)), setMeta(tx, "circles", string(names)))
}

// offered notes the snapshot files that the answer to the sign-in named, so that
// they are on the phone when it asks for the first time: one journey less.
func (p *Phone) offered(files []wire.Snapshot) error {
	if len(files) == 0 {
		return nil
	}
	text, err := json.Marshal(files)
	if err != nil {
		return err
	}
	return p.setMeta("offer", string(text))
}

// takeOffer gets the files that were named at the sign-in, if this phone has
// nothing yet and nothing to say: edits never wait for a download. An offer that
// came to nothing is forgotten; the first ask brings another.
func (m *meeting) takeOffer(ctx context.Context) error {
	text, err := getMeta(m.db, "offer")
	if err != nil || text == "" {
		return err
	}
	ask, err := m.ask()
	if err != nil {
		return fmt.Errorf("make ask: %w", err)
	}
	var files []wire.Snapshot
	if ask.Cursor == 0 && ask.Resume == "" && len(ask.Loaded) == 0 && json.Unmarshal([]byte(text), &files) == nil {
		if len(ask.Edits) > 0 {
			return nil
		}
		if _, err := m.fetch(ctx, files); err != nil {
			return err
		}
	}
	if _, err := m.db.Exec(`DELETE FROM meta WHERE key = 'offer'`); err != nil {
		return fmt.Errorf("forget offer: %w", err)
	}
	return nil
}

// fetch gets the snapshot files that the server offers, going on where an
// earlier attempt was cut. without tells that one could not be had: then the
// records come in the answer.
func (m *meeting) fetch(ctx context.Context, offers []wire.Snapshot) (without bool, err error) {
	for _, offer := range offers {
		packed, encoding, err := m.download(ctx, offer.Name)
		if err != nil {
			var f *Failure
			if errors.As(err, &f) {
				return true, nil // replaced meanwhile
			}
			return false, err
		}
		_, n, err := m.load(packed, encoding, offer.Name)
		if errors.Is(err, ErrFile) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		m.report.Loaded += n
	}
	return false, nil
}

// download gets a file by Range requests into the phone's folder, so that what
// came is there after a cut.
func (m *meeting) download(ctx context.Context, name string) (packed []byte, encoding string, err error) {
	if len(name) != sha256.Size*2 || strings.Trim(name, "0123456789abcdef") != "" {
		return nil, "", &Failure{Status: http.StatusNotFound}
	}
	path := filepath.Join(m.dir, "snapshot-"+name[:16]+".part")
	if err := m.sweepParts(path); err != nil { // of files that are not offered any more
		return nil, "", err
	}
	part, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, "", err
	}
	defer part.Close()
	have, err := part.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, "", err
	}
	server, err := getMeta(m.db, "server")
	if err != nil {
		return nil, "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(server, "/")+"/api/snapshots/"+name, nil)
	if err != nil {
		return nil, "", err
	}
	// One encoding, so that what was begun can be gone on with.
	request.Header.Set("Accept-Encoding", "br")
	request.Header.Set("User-Agent", "")
	if have > 0 {
		request.Header.Set("Range", "bytes="+strconv.FormatInt(have, 10)+"-")
	}
	m.report.Exchanges++
	response, err := m.client.Do(request)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrNoServer, err)
	}
	defer response.Body.Close()
	switch kind := response.Header.Get("Content-Type"); {
	case response.StatusCode < 300 && !strings.HasPrefix(kind, "application/octet-stream"):
		return nil, "", fmt.Errorf("%w: answered as %q", ErrNoServer, kind) // a captive portal's page; what came before is kept
	case response.StatusCode == http.StatusOK:
		if _, err := part.Seek(0, io.SeekStart); err != nil {
			return nil, "", err
		}
		if err := part.Truncate(0); err != nil {
			return nil, "", err
		}
	case response.StatusCode == http.StatusPartialContent:
	default:
		_ = os.Remove(path)
		return nil, "", &Failure{Status: response.StatusCode}
	}
	n, err := io.Copy(part, io.LimitReader(response.Body, wire.MaxSnapshot-have)) // it is not to fill a disk
	m.report.Down += int(n)
	if err == nil && n < response.ContentLength {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrCut, err)
	}
	packed, err = os.ReadFile(path)
	if err != nil {
		return nil, "", err
	}
	encoding = response.Header.Get("Content-Encoding")
	if fetchUnpacks {
		encoding = ""
	}
	return packed, encoding, os.Remove(path)
}
