// Package wire is what a phone and the server say to each other: the shapes of
// docs/PROTOCOL.md in Go, their limits, their signatures and their compression.
// It knows no database and no PocketBase, so that a phone can use it too.
package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sort"

	"langso/sync/sum"
)

// Version is the protocol's version that this package speaks.
const Version = 1

// Limits of one ask. Above them the ask or the edit is refused, never cut.
const (
	MaxBody   = 1 << 20  // bytes of an ask, unpacked
	MaxEdits  = 500      // edits in one ask
	MaxEdit   = 64 << 10 // bytes of one edit
	WantLeast = 4 << 10  // least budget of changes in an answer, bytes
	WantUsual = 4 << 20  // budget when the phone names none
	MaxListed = 64 << 10 // records in the lists of one check
	// MaxSnapshot bounds a snapshot file, unpacked.
	MaxSnapshot = 64 << 20
	WantMost    = 8 << 20 // most that the server gives in one answer
	MaxFields   = 200     // fields in one edit
	MaxAfter    = 50      // edits that one edit may depend on
	ContentAsk  = "application/json"
	// ContentAnswer marks a true answer; a captive portal sends something else.
	ContentAnswer = "application/x-ndjson"
)

// Cursor is a place in the server's one order of changes.
type Cursor int64

// Ask is what a phone sends: its edits, and how far it has come.
type Ask struct {
	V         int               `json:"v"`
	App       string            `json:"app,omitempty"`
	Epoch     string            `json:"epoch,omitempty"`
	Cursor    Cursor            `json:"cursor,omitempty"`
	Standing  string            `json:"standing,omitempty"`
	Told      string            `json:"told,omitempty"` // hash of a later standing, whose answer did not come to its end
	Lost      []string          `json:"lost,omitempty"` // circles lost since the cursor that Told has
	Resume    string            `json:"resume,omitempty"`
	Compare   bool              `json:"compare,omitempty"`   // its records are of another history: rows are wanted whole
	Snapshots bool              `json:"snapshots,omitempty"` // it can load snapshot files
	Loaded    map[string]Cursor `json:"loaded,omitempty"`    // snapshot files it has loaded: circle → number
	Check     *Check            `json:"check,omitempty"`
	Confirmed int64             `json:"confirmed,omitempty"`
	Want      int               `json:"want,omitempty"`
	Waiting   int               `json:"waiting,omitempty"`
	Clock     string            `json:"clock,omitempty"` // RFC 3339
	Shape     string            `json:"shape,omitempty"` // while edits are parked as unknown: the shape last told, "?" when none was
	Edits     []json.RawMessage `json:"edits,omitempty"`
}

// Edit is what a person did. Exactly one of Create, Change and/or Add, Delete
// and Do is set.
type Edit struct {
	N     int64   `json:"n"`
	Base  Cursor  `json:"base,omitempty"`
	At    string  `json:"at,omitempty"` // RFC 3339, the phone's clock
	After []int64 `json:"after,omitempty"`
	Fixes int64   `json:"fixes,omitempty"`

	Coll   string                     `json:"coll,omitempty"`
	ID     string                     `json:"id,omitempty"`
	Create map[string]json.RawMessage `json:"create,omitempty"`
	Change map[string]json.RawMessage `json:"change,omitempty"`
	Add    map[string]json.Number     `json:"add,omitempty"`
	Delete bool                       `json:"delete,omitempty"`

	Do   string          `json:"do,omitempty"`
	Args json.RawMessage `json:"args,omitempty"`
}

// Is says what became of an edit.
type Is string

// The verdicts.
const (
	Taken   Is = "taken"
	Merged  Is = "merged"
	Known   Is = "known"
	Parked  Is = "parked"
	Refused Is = "refused"
)

// Verdict is the server's durable word on one edit.
type Verdict struct {
	N      int64          `json:"n"`
	Is     Is             `json:"is"`
	Was    Is             `json:"was,omitempty"` // with Known
	Code   string         `json:"code,omitempty"`
	Say    string         `json:"say,omitempty"` // Vietnamese, for people
	Met    map[string]Met `json:"met,omitempty"`
	Result map[string]any `json:"result,omitempty"`
}

// Final returns what the edit became, looking through Known.
func (v Verdict) Final() Is {
	if v.Is == Known {
		return v.Was
	}
	return v.Is
}

// Met is the value that an edit met at a field.
type Met struct {
	Theirs any `json:"theirs"`
}

// Line is one line of an answer; exactly one of its members is meant, and CRC
// beside it when the line ends a chunk.
type Line struct {
	Epoch    *EpochLine          `json:"epoch,omitempty"`
	Shape    string              `json:"shape,omitempty"` // before the verdicts: what edits may name is this now
	Verdicts []Verdict           `json:"verdicts,omitempty"`
	Acked    *int64              `json:"acked,omitempty"` // with Verdicts or SendFrom
	SendFrom int64               `json:"send_from,omitempty"`
	Problems []Problem           `json:"problems,omitempty"`
	Standing *StandingLine       `json:"standing,omitempty"`
	Load     []Snapshot          `json:"load,omitempty"`
	Drop     *Drop               `json:"drop,omitempty"`
	Gone     map[string][]string `json:"gone,omitempty"`
	Changes  *Changes            `json:"changes,omitempty"`
	Sums     *Sums               `json:"sums,omitempty"`
	Check    string              `json:"check,omitempty"` // "sums" or "deep": compare after this answer
	Mark     *string             `json:"mark,omitempty"`
	More     string              `json:"more,omitempty"`
	Complete *Complete           `json:"complete,omitempty"`
	RetryIn  int                 `json:"retry_in,omitempty"` // seconds
	CRC      string              `json:"crc,omitempty"`

	// Apart is not sent: from this line on something else is told than before, and
	// the two are not to be compressed together.
	Apart bool `json:"-"`
}

// Ends tells whether the line ends a chunk.
func (l Line) Ends() bool {
	return l.Mark != nil || l.More != "" || l.Complete != nil || l.RetryIn > 0 || l.Load != nil
}

// EpochLine says that the server's history is another than the phone's: records
// are to be forgotten (Reset), or kept and compared.
type EpochLine struct {
	Is      string `json:"is"`
	Reset   bool   `json:"reset,omitempty"`
	Compare bool   `json:"compare,omitempty"`
}

// StandingLine states the circles that the phone's person is in now.
type StandingLine struct {
	Hash    string   `json:"hash"`
	Circles []string `json:"circles"`
}

// Row is a record, whole or what changed of it; on the wire rows are columns,
// see [Changes].
type Row struct {
	ID    string
	Seq   Cursor
	Whole bool
	In    []int // indexes into the standing's circles; nil when they did not change
	Set   map[string]json.RawMessage
}

// Complete ends an answer: the phone now equals the server at Cursor, where the
// sum over its records is Sum.
type Complete struct {
	Cursor Cursor  `json:"cursor"`
	Epoch  string  `json:"epoch"`
	Sum    sum.Sum `json:"sum"`
}

// Snapshot names a file in which the records of circles lie ready.
type Snapshot struct {
	Circles []string `json:"circles"`
	Seq     Cursor   `json:"seq"`
	Name    string   `json:"name"`  // SHA-256 of the unpacked file, hex
	Bytes   int      `json:"bytes"` // about, packed
}

// SnapshotHead is the first line of a snapshot file.
type SnapshotHead struct {
	V       int      `json:"v"`
	Epoch   string   `json:"epoch"`
	Circles []string `json:"circles"` // that the In of its rows points into
	Seq     Cursor   `json:"seq"`
}

// Problem is an edit that could not even be numbered: At is its place in the ask.
type Problem struct {
	At   int    `json:"at"`
	Code string `json:"code"`
	Say  string `json:"say"`
}

// Failure is the body of an answer that is an error.
type Failure struct {
	Code     string `json:"code"`
	Say      string `json:"say"`
	At       *int64 `json:"at,omitempty"`       // byte offset of what could not be read
	Limit    int    `json:"limit,omitempty"`    // with too_big
	Versions []int  `json:"versions,omitempty"` // with version
	Wipe     bool   `json:"wipe,omitempty"`     // with phone_blocked
	Acked    int64  `json:"acked,omitempty"`    // with phone_blocked: edits up to here were handed in and parked

	Verdicts []Verdict `json:"verdicts,omitempty"` // with phone_blocked: those judged before, by number alone
}

// StandingHash is the fingerprint of a set of circles, in any order.
func StandingHash(circles []string) string {
	sorted := append([]string(nil), circles...)
	sort.Strings(sorted)
	h := sha256.New()
	for _, c := range sorted {
		h.Write([]byte(c))
		h.Write([]byte{'\n'})
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
