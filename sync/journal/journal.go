// Package journal knows what became of every shared record, whoever wrote it.
//
// It is a state index, not a log. For each record it keeps one row: the number
// (seq) of its last change and, for each field, the number of that field's last
// change, a hash of its value and the phone that wrote it; and the circles the
// record is in, with the numbers at which it entered and left them. A hundred
// changes of one field leave one number. From this follow
//
//   - what a phone with a cursor of any age has to be told, field by field;
//   - whether a field was changed since an edit's base, and by whom;
//   - what entered and what left the circles somebody stands in.
//
// Completeness comes from triggers. AFTER INSERT, UPDATE and DELETE triggers on
// each shared table mark the record as touched, in the same statement, so that
// no road around the hooks exists: the dashboard, its SQL console, a cascade, a
// migration. They name no column but id, so that columns may be added, renamed
// and dropped. A touched record is absorbed: in one write transaction its row is
// compared with what the journal knows, and only true differences get numbers.
//
// SQLite has one writer, and numbers are taken inside the write transaction, so
// the order of numbers is the order of commits, and one whole number is a cursor
// over all circles. A reader that finds nothing touched sees an exact state.
//
// Tables (made by a migration):
//
//	journal_meta         epoch, salt of the hashes, seq: the last number given; floor: what went
//	                     up to there is forgotten; summed: the circles have their totals
//	journal_touched      collection id, record id
//	journal_collections  a short number for each collection id; its declaration's fingerprint;
//	                     the last number given in it
//	journal_fields       a short number for each field id: a renamed field keeps it
//	journal_circles      a short number for each circle; its total: n records, sum in lanes a and b;
//	                     last: no entry of it has a greater number
//	journal_records      seq, born, gone; fields and circles packed (see blob.go)
//	journal_days         how far the numbers had come on each day
//	journal_entries      (circle, seq) → record: one live or left entry a circle and record
//
// The package knows no domain: circles and routes are handed to it as values.
package journal

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Collection is what the journal must know of one shared collection.
type Collection struct {
	Name    string
	Circles func(Row) []string // pure function of the row; sorted, each once
	Rules   string             // text of the circle rules: another text makes the journal look at every record again
	Routes  []Route
}

// Route keeps Field equal to field From of the record of collection Of whose id
// is in Via. Routed fields are tracked, and sent only when Shown.
type Route struct {
	Field, Via, Of, From string
	Shown                bool
}

// Journal is the index over one PocketBase app.
type Journal struct {
	app         core.App
	collections map[string]Collection // by name
	watch       func(circles []string, seq int64)
	measure     func(took time.Duration)
	board       board
	recent      recent
	rests       sync.Map // rest → its entries
	restsKept   atomic.Int64

	mu      sync.RWMutex
	shapes  *shapes
	circles map[string]int64
	names   map[int64]string
}

// New makes the journal of the app's shared collections. [Journal.Open] must
// be called before use, after the migrations.
func New(app core.App, collections []Collection) *Journal {
	j := &Journal{app: app, collections: map[string]Collection{}, circles: map[string]int64{}, names: map[int64]string{}}
	for _, c := range collections {
		j.collections[c.Name] = c
	}
	return j
}

// Open makes the journal ready: its first epoch, and triggers that match the
// tables as they are now. What changed while nobody watched is touched.
func (j *Journal) Open() error {
	err := j.app.RunInTransaction(func(tx core.App) error {
		var raw [8]byte
		if _, err := rand.Read(raw[:]); err != nil {
			return err
		}
		// The salt is 63 bits: SQLite's integers have a sign.
		salt := int64(binary.LittleEndian.Uint64(raw[:]) >> 1)
		_, err := tx.NonconcurrentDB().NewQuery(`INSERT INTO journal_meta (id, epoch, salt, seq) VALUES (1, {:epoch}, {:salt}, 0) ON CONFLICT DO NOTHING`).
			Bind(dbx.Params{"epoch": newEpoch(), "salt": salt}).Execute()
		if err != nil {
			return err
		}
		db := &writer{db: tx.NonconcurrentDB()}
		defer db.close()
		// Each look at the records asks when a collection was last saved, which lies behind
		// long texts in the row.
		if err := db.exec(`CREATE INDEX IF NOT EXISTS journal_collections_saved ON _collections (updated)`); err != nil {
			return err
		}
		if err := j.sumUp(db); err != nil {
			return err
		}
		return j.Prepare(tx)
	})
	if err != nil {
		return fmt.Errorf("open journal: %w", err)
	}
	j.forgetAll()
	return nil
}

// newEpoch is 30 bits: a commune has a handful of histories, and every exchange says
// the name of one twice.
func newEpoch() string { return strings.ToLower(rand.Text()[:6]) }

// Head is a place in the history.
type Head struct {
	Epoch string
	Seq   int64
}

// Declared tells whether the collection of this name is shared.
func (j *Journal) Declared(name string) bool { _, ok := j.collections[name]; return ok }
