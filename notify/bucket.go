package notify

import (
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
	// A bucket at or below this mark is written down; any other is in memory
	// alone. After a restart a phone without a row is taken to be at the mark, so
	// that no crash lets more through, and a broadcast writes no row a phone.
	bucketMark = 16.0
)

// buckets holds the phones' buckets that are not full.
type buckets struct {
	mu     sync.Mutex
	seed   maphash.Seed
	opened time.Time
	level  map[uint64]bucket
	low    map[string]bucket // at or below the mark, to be written
}

type bucket struct {
	tokens float32
	at     uint32 // Unix seconds
}

func (b bucket) now(now time.Time) float64 {
	passed := float64(now.Unix()) - float64(b.at)
	return min(bucketSize, float64(b.tokens)+max(0, passed)/bucketRefill)
}

// openBuckets reads what was written down.
func openBuckets(app core.App, now time.Time) (*buckets, error) {
	b := &buckets{seed: maphash.MakeSeed(), opened: now, level: map[uint64]bucket{}, low: map[string]bucket{}}
	var rows []struct {
		Phone  string
		Tokens float64
		At     int64
	}
	if err := app.ConcurrentDB().NewQuery(`SELECT phone, tokens, at FROM wake_buckets`).All(&rows); err != nil {
		return nil, fmt.Errorf("read buckets: %w", err)
	}
	for _, r := range rows {
		b.level[b.key(r.Phone)] = bucket{float32(r.Tokens), uint32(r.At)}
	}
	return b, nil
}

func (b *buckets) key(phone string) uint64 { return maphash.String(b.seed, phone) }

// take takes a token of the phone's, or says when there will be one.
func (b *buckets) take(phone string, now time.Time) (ok bool, next time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := b.key(phone)
	have, known := b.level[key]
	if !known {
		have = bucket{bucketSize, uint32(now.Unix())}
		if now.Sub(b.opened) < time.Duration((bucketSize-bucketMark)*bucketRefill)*time.Second {
			have = bucket{bucketMark, uint32(b.opened.Unix())}
		}
	}
	tokens := have.now(now)
	if tokens < 1 {
		return false, now.Add(time.Duration((1-tokens)*bucketRefill*float64(time.Second)) + time.Second)
	}
	left := bucket{float32(tokens - 1), uint32(now.Unix())}
	b.level[key] = left
	if left.tokens <= bucketMark {
		b.low[phone] = left
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

func saveBuckets(tx core.App, low map[string]bucket) error {
	for phone, have := range low {
		_, err := tx.NonconcurrentDB().NewQuery(`INSERT INTO wake_buckets (phone, tokens, at) VALUES ({:phone}, {:tokens}, {:at})
			ON CONFLICT (phone) DO UPDATE SET tokens = excluded.tokens, at = excluded.at`).
			Bind(params{"phone": phone, "tokens": have.tokens, "at": have.at}).Execute()
		if err != nil {
			return fmt.Errorf("write bucket: %w", err)
		}
	}
	return nil
}

// sweep forgets the buckets that are full again.
func (b *buckets) sweep(app core.App, now time.Time) error {
	b.mu.Lock()
	for key, have := range b.level {
		if have.now(now) >= bucketSize {
			delete(b.level, key)
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
