package phone

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"langso/sync/courier"
	"langso/sync/wire"
)

// The courier: work that waits is sealed into bundles, which a neighbour's phone
// carries to the server and whose answers come back sealed. A direct Sync may
// come between at any time, and wins.

// bundles are those under way, with what is needed to read their answers;
// carried are the neighbours'.
const courierTables = `
CREATE TABLE IF NOT EXISTS bundles (id BLOB PRIMARY KEY, ask TEXT NOT NULL, edits TEXT NOT NULL, place TEXT NOT NULL, reply BLOB NOT NULL, box BLOB NOT NULL, at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS carried (hash BLOB PRIMARY KEY, bundle BLOB NOT NULL, answer BLOB, at TEXT NOT NULL) WITHOUT ROWID;
`

const (
	rememberBundles = 30 * 24 * time.Hour
	keepCarried     = 7 * 24 * time.Hour
	carriedWant     = 128 << 10 // of changes, before compression: about 30 kB sealed
	packMost        = 8         // bundles that one Pack makes
	deliverBytes    = 128 << 10 // about what one request delivers, so that a cut costs little
)

// ErrNoKey means that this phone has never met the server, so that it has no key
// to seal to. See [Phone.Greet].
var ErrNoKey = errors.New("the server's sealing key is not known yet")

// Greet asks the server who it is and keeps its sealing key, so that Pack works
// without a network. Signing in does it too.
func (p *Phone) Greet(ctx context.Context) error {
	response, err := p.send(ctx, http.MethodGet, "/api/langso", "", nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var got struct{ Seal string }
	if err := json.NewDecoder(io.LimitReader(response.Body, 64<<10)).Decode(&got); err != nil {
		return fmt.Errorf("%w: greet: %w", ErrNoServer, err)
	}
	if _, err := courier.ParseKey(got.Seal); err != nil {
		return fmt.Errorf("greet: %w", err)
	}
	return errors.Join(p.setMeta("seal", got.Seal), p.setMeta("greeted", p.now().UTC().Format(time.RFC3339)))
}

// Greeted tells when the server's sealing key was last asked for; the zero time
// when it is not known.
func (p *Phone) Greeted() (time.Time, error) {
	text, err := getMeta(p.db, "greeted")
	if err != nil || text == "" {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339, text)
}

// send is an unsigned request; an answer of status 400 or more is a *Failure.
func (p *Phone) send(ctx context.Context, method, path, kind string, body []byte) (*http.Response, error) {
	server, err := getMeta(p.db, "server")
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(server, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	request.Header.Set("User-Agent", "langso")
	return p.do(request)
}

// Packed is what Pack made.
type Packed struct {
	File    []byte // to give to a neighbour
	Bundles int
	Edits   int // that are in it
	Left    int // that found no room, or stand behind one that is too large to carry
}

// Pack seals what waits, and how far this phone is, for a neighbour to carry.
// It needs no network and may be done again at any time: what is judged twice is
// done once.
func (p *Phone) Pack() (Packed, error) {
	p.syncing.Lock()
	defer p.syncing.Unlock()
	id, _, err := p.Self()
	if err != nil {
		return Packed{}, err
	}
	if id == "" {
		return Packed{}, ErrSignedOut
	}
	text, err := getMeta(p.db, "seal")
	if err != nil {
		return Packed{}, err
	}
	if text == "" {
		return Packed{}, ErrNoKey
	}
	if err := p.forgetOld(); err != nil {
		return Packed{}, err
	}
	ask := &wire.Ask{V: wire.Version, App: p.app}
	if _, err := p.fillAsk(ask); err != nil {
		return Packed{}, fmt.Errorf("pack: %w", err)
	}
	// How long it is carried nobody knows: the phone's clock would be compared
	// with that of another day.
	ask.Clock, ask.Snapshots, ask.Want = "", false, carriedWant
	waiting := ask.Waiting + len(ask.Edits)
	var out Packed
	for rest := ask.Edits; out.Bundles < packMost; {
		sealed, taken, err := p.packOne(text, id, *ask, rest, waiting-out.Edits)
		if errors.Is(err, courier.ErrSize) && out.Bundles > 0 {
			break
		}
		if err != nil {
			return Packed{}, fmt.Errorf("pack: %w", err)
		}
		out.File = append(out.File, sealed.Bytes()...)
		out.Bundles++
		out.Edits += taken
		if rest = rest[taken:]; len(rest) == 0 {
			break
		}
	}
	out.Left = waiting - out.Edits
	return out, nil
}

// packOne seals as many of the edits as one bundle takes, and remembers it.
func (p *Phone) packOne(server, id string, ask wire.Ask, edits []json.RawMessage, waiting int) (s courier.Sealed, taken int, err error) {
	to, err := courier.ParseKey(server)
	if err != nil {
		return s, 0, err
	}
	key, err := p.key()
	if err != nil {
		return s, 0, err
	}
	for taken = len(edits); ; taken = taken * 3 / 4 {
		ask.Edits, ask.Waiting = edits[:taken], waiting-taken
		body, err := json.Marshal(ask)
		if err != nil {
			return s, 0, err
		}
		s, err = courier.Seal(to, id, func(b []byte) []byte { return ed25519.Sign(key, b) }, body)
		if err == nil {
			break
		}
		if taken <= 1 {
			return s, 0, err
		}
	}
	return s, taken, p.rememberBundle(s, ask)
}

// carriedEdit is an edit in a bundle: its content is what a verdict is about.
type carriedEdit struct {
	N    int64  `json:"n"`
	Hash string `json:"hash"`
}

func hashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:16])
}

func (p *Phone) rememberBundle(s courier.Sealed, ask wire.Ask) error {
	var edits []carriedEdit
	for _, raw := range ask.Edits {
		n, _ := wire.EditNumber(raw)
		edits = append(edits, carriedEdit{n, hashOf(raw)})
	}
	ask.Edits = nil
	askText, err := json.Marshal(ask)
	if err != nil {
		return err
	}
	editsText, err := json.Marshal(edits)
	if err != nil {
		return err
	}
	return p.transact(func(tx *sql.Tx) error {
		place, err := placeOf(tx)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO bundles (id, ask, edits, place, reply, box, at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			s.ID[:], string(askText), string(editsText), place, s.Reply, s.Box[:], p.now().UTC().Format(time.RFC3339))
		return err
	})
}

// placeOf is a fingerprint of all that an answer is made for: where this phone
// is, and what it was told of its edits. When it is another, a later answer has
// been taken.
func placeOf(q querier) (string, error) {
	h := sha256.New()
	for _, query := range []string{
		`SELECT key || '=' || value FROM meta WHERE key IN ('phone', 'epoch', 'cursor', 'standing', 'told', 'resume', 'compare', 'loaded', 'lost') AND value != '' ORDER BY key`,
		`SELECT n || ' ' || state FROM edits WHERE state NOT IN ('waiting', 'held') ORDER BY n`,
	} {
		rows, err := q.Query(query)
		if err != nil {
			return "", err
		}
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				return "", errors.Join(err, rows.Close())
			}
			fmt.Fprintln(h, line)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return "", err
		}
		fmt.Fprintln(h)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// forgetOld drops bundles whose answers come no more, and what neighbours never
// asked back.
func (p *Phone) forgetOld() error {
	for table, life := range map[string]time.Duration{"bundles": rememberBundles, "carried": keepCarried} {
		if _, err := p.db.Exec(`DELETE FROM `+table+` WHERE at < ?`, p.now().Add(-life).UTC().Format(time.RFC3339)); err != nil {
			return fmt.Errorf("forget old %s: %w", table, err)
		}
	}
	return nil
}

// Unpacked is what Unpack found.
type Unpacked struct {
	Report
	Answers int            // to bundles of this phone
	Late    int            // of those, that came after a newer answer: only their verdicts counted
	Others  int            // envelopes for other phones, or that are no answers
	Damaged int            // answers to this phone that cannot be opened
	Refused []wire.Failure // bundles that the server did not take, in its words
}

// Unpack takes the answers that a neighbour brought. An answer counts whole when
// nothing newer was heard since its bundle was packed; else only its verdicts
// do, for edits that still wait. The error is a [courier.ErrFile] when file
// holds no envelopes; what stands before a damage counts.
func (p *Phone) Unpack(file []byte) (Unpacked, error) {
	p.syncing.Lock()
	defer p.syncing.Unlock()
	var out Unpacked
	if err := p.forgetOld(); err != nil {
		return out, err
	}
	all, bad := courier.Parse(file, 20*courier.MaxCarried)
	for _, e := range all {
		if err := p.unpackOne(e, &out); err != nil {
			return out, fmt.Errorf("unpack: %w", err)
		}
	}
	return out, errors.Join(bad, p.scrubIfDue())
}

func (p *Phone) unpackOne(e courier.Envelope, out *Unpacked) error {
	b, err := p.bundle(e.ID)
	if err != nil {
		return err
	}
	if b == nil || e.Kind == courier.Bundle {
		out.Others++
		return nil
	}
	if e.Kind == courier.Refused {
		// Said in clear, so anybody may have said it: it is shown, and nothing is done.
		var f wire.Failure
		if json.Unmarshal(e.Box, &f) == nil && f.Code != "" {
			out.Refused = append(out.Refused, f)
		}
		return nil
	}
	status, body, err := courier.OpenAnswer(b.reply, b.box, e)
	if err != nil {
		out.Damaged++
		return nil
	}
	out.Answers++
	if err := p.claim(); err != nil {
		return err
	}
	fresh, err := b.fresh(p.db)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return p.refusedByCourier(status, body, fresh, out)
	}
	if fresh {
		_, err = p.keep(&asking{Ask: b.ask}, wire.ReadAnswer(bytes.NewReader(body)), &out.Report)
	} else {
		out.Late++
		err = p.keepVerdicts(b, body, &out.Report)
	}
	if err != nil {
		return err
	}
	_, err = p.db.Exec(`DELETE FROM bundles WHERE id = ?`, e.ID[:])
	return err
}

// refusedByCourier does what a refusal of the whole ask demands, when it is not
// overtaken by what was heard since.
func (p *Phone) refusedByCourier(status int, body []byte, fresh bool, out *Unpacked) error {
	f := &Failure{Status: status}
	if err := json.Unmarshal(body, &f.Failure); err != nil || f.Code == "" {
		out.Damaged++
		return nil
	}
	out.Refused = append(out.Refused, f.Failure)
	if !fresh {
		out.Late++
		return nil
	}
	if err := p.failed(f); !errors.Is(err, f) {
		return err
	}
	return nil
}

// keepVerdicts takes only the verdicts of an answer that came late: those of
// edits that still wait and are the ones that the bundle carried, as long as the
// server's history is the one that they were given in.
func (p *Phone) keepVerdicts(b *bundle, body []byte, report *Report) error {
	var verdicts []wire.Verdict
	chunks := wire.ReadAnswer(bytes.NewReader(body))
	for lines, ok := chunks.Next(); ok; lines, ok = chunks.Next() {
		for _, line := range lines {
			verdicts = append(verdicts, line.Verdicts...)
		}
	}
	return p.transact(func(tx *sql.Tx) error {
		same, err := b.sameHistory(tx)
		if err != nil || !same {
			return err
		}
		waiting, err := b.waiting(tx)
		if err != nil {
			return err
		}
		verdicts = slices.DeleteFunc(verdicts, func(v wire.Verdict) bool { return !waiting[v.N] })
		a := &answer{p: p, ask: &asking{Ask: b.ask}, report: report}
		return a.verdicts(tx, wire.Line{Verdicts: verdicts})
	})
}

// bundle is one of this phone's, under way.
type bundle struct {
	ask   *wire.Ask // without its edits
	edits []carriedEdit
	place string
	reply []byte
	box   [sha256.Size]byte
}

// bundle returns nil when there is none with that id.
func (p *Phone) bundle(id courier.ID) (*bundle, error) {
	var askText, editsText string
	var box []byte
	b := &bundle{ask: &wire.Ask{}}
	err := p.db.QueryRow(`SELECT ask, edits, place, reply, box FROM bundles WHERE id = ?`, id[:]).Scan(&askText, &editsText, &b.place, &b.reply, &box)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	copy(b.box[:], box)
	return b, errors.Join(json.Unmarshal([]byte(askText), b.ask), json.Unmarshal([]byte(editsText), &b.edits))
}

// fresh tells whether nothing was heard since the bundle was packed.
func (b *bundle) fresh(q querier) (bool, error) {
	place, err := placeOf(q)
	if err != nil || place != b.place {
		return false, err
	}
	waiting, err := b.waiting(q)
	return len(waiting) == len(b.edits), err
}

// sameHistory tells whether the server's history is, as far as the phone knows,
// still the one that the bundle was packed in.
func (b *bundle) sameHistory(q querier) (bool, error) {
	epoch, err := getMeta(q, "epoch")
	return epoch == b.ask.Epoch, err
}

// waiting returns the numbers of the bundle's edits that still wait, as they
// were packed.
func (b *bundle) waiting(q querier) (map[int64]bool, error) {
	out := map[int64]bool{}
	for _, e := range b.edits {
		var body string
		err := q.QueryRow(`SELECT body FROM edits WHERE n = ? AND state = 'waiting'`, e.N).Scan(&body)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if hashOf([]byte(body)) == e.Hash {
			out[e.N] = true
		}
	}
	return out, nil
}
