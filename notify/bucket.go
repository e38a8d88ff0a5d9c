package notify

import (
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// FCM lets twenty collapsible messages through to a phone, then one in three
// minutes; what is above waits there, and so does the one that matters. So we
// keep a bucket of the same shape for each phone and stay within it.
const (
	bucketSize   = 20.0
	bucketRefill = 180.0 // seconds a token
)

// Most buckets are in memory alone: a broadcast must not write a row a phone.
// For all of them together one row is kept, the floor: no bucket without a row of
// its own is lower. It is written before the first wake-up of a start, some way
// below where such buckets are taken to be, and refills as they do, so that
// neither a crash nor many of them let more through.
const (
	floorMost  = 16.0 // phones without a row may always have taken four
	floorStep  = 2.0  // wake-ups a phone that a start may send without a row
	floorLeast = 4.0  // from here down each phone has a row: none must starve for others
	floorRow   = ""   // in place of a phone's id
)

// buckets holds the phones' buckets that are not full.
type buckets struct {
	mu     sync.Mutex
	seed   maphash.Seed
	level  map[uint64]bucket
	rows   map[uint64]bool   // have a row, or will
	low    map[string]bucket // to be written
	opened bucket            // what a phone had at the start that is not known
	floor  bucket
}

type bucket struct {
	tokens float32
	at     uint32 // Unix seconds
}

func (b bucket) now(now time.Time) float64 {
	passed := float64(now.Unix()) - float64(b.at)
	return min(bucketSize, float64(b.tokens)+max(0, passed)/bucketRefill)
}

// openBuckets reads what was written down, and lowers the floor.
func openBuckets(app core.App, now time.Time) (*buckets, error) {
	b := &buckets{seed: maphash.MakeSeed(), level: map[uint64]bucket{}, rows: map[uint64]bool{}, low: map[string]bucket{}}
	var rows []struct {
		Phone  string
		Tokens float64
		At     int64
	}
	if err := app.ConcurrentDB().NewQuery(`SELECT phone, tokens, at FROM wake_buckets`).All(&rows); err != nil {
		return nil, fmt.Errorf("read buckets: %w", err)
	}
	have := floorMost
	for _, r := range rows {
		one := bucket{float32(r.Tokens), uint32(r.At)}
		if r.Phone == floorRow {
			have = min(floorMost, one.now(now))
			continue
		}
		key := b.key(r.Phone)
		b.level[key], b.rows[key] = one, true
	}
	b.opened, b.floor = bucket{float32(have), uint32(now.Unix())}, bucket{float32(have), uint32(now.Unix())}
	if have-floorStep >= floorLeast {
		b.floor.tokens -= floorStep
	}
	return b, saveBuckets(app, map[string]bucket{floorRow: b.floor})
}

func (b *buckets) key(phone string) uint64 { return maphash.String(b.seed, phone) }

// take takes a token of the phone's, or says when there will be one.
func (b *buckets) take(phone string, now time.Time) (ok bool, next time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := b.key(phone)
	have, known := b.level[key]
	if !known {
		have = b.opened
	}
	tokens := have.now(now)
	if tokens < 1 {
		return false, now.Add(time.Duration((1-tokens)*bucketRefill*float64(time.Second)) + time.Second)
	}
	left := bucket{float32(tokens - 1), uint32(now.Unix())}
	b.level[key] = left
	if b.rows[key] || float64(left.tokens) < min(floorMost, b.floor.now(now)) {
		b.low[phone], b.rows[key] = left, true
	}
	return true, time.Time{}
}

// lowered returns the buckets that are to be written down.
func (b *buckets) lowered() map[string]bucket {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.low)
}

// written forgets what was written, unless it is lower by now.
func (b *buckets) written(low map[string]bucket) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for phone, had := range low {
		if b.low[phone] == had {
			delete(b.low, phone)
		}
	}
}

func saveBuckets(tx core.App, low map[string]bucket) (err error) {
	if len(low) == 0 {
		return nil
	}
	q := tx.NonconcurrentDB().NewQuery(`INSERT INTO wake_buckets (phone, tokens, at) VALUES ({:phone}, {:tokens}, {:at})
		ON CONFLICT (phone) DO UPDATE SET tokens = excluded.tokens, at = excluded.at`).Prepare()
	defer func() { err = errors.Join(err, q.Close()) }()
	for phone, have := range low {
		if _, err := q.Bind(params{"phone": phone, "tokens": have.tokens, "at": have.at}).Execute(); err != nil {
			return fmt.Errorf("write bucket: %w", err)
		}
	}
	return nil
}

// sweep forgets the buckets that are full again. The floor's row goes with them:
// without it buckets are taken to be at its top.
func (b *buckets) sweep(app core.App, now time.Time) error {
	b.mu.Lock()
	for key, have := range b.level {
		if have.now(now) >= bucketSize {
			delete(b.level, key)
			delete(b.rows, key)
		}
	}
	b.mu.Unlock()
	_, err := app.NonconcurrentDB().NewQuery(`DELETE FROM wake_buckets WHERE tokens + ({:now} - at) / {:refill} >= {:size}`).
		Bind(params{"now": now.Unix(), "refill": bucketRefill, "size": bucketSize}).Execute()
	if err != nil {
		return fmt.Errorf("sweep buckets: %w", err)
	}
	return nil
}
