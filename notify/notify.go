// Package notify brings notices to people's phones.
//
// A notice is a record in the inbox of a circle, and the inbox is the truth:
// it is synced like every other record, so a phone that never hears a wake-up
// still shows everything after its next exchange. [Raise] writes the notice
// together with one delivery, in the transaction of the change that caused it:
// either all three exist or none. The [Outbox] later turns each delivery into
// wake-ups: it finds the phones of the circle, page by page, and hands each
// address to the [Sender] of its road. A wake-up says "sync" and nothing else;
// no word of a notice ever leaves by that road.
//
// What can go wrong is told by the sender in three kinds of error ([Dead],
// [Later], [Config]) and settled here: an address that is gone marks its phone,
// a busy service is left alone for as long as it asked, a service that does
// not know us is stopped with every phone kept. Deliveries are leased, and every
// step is written under that lease, so that two workers, or one that was
// killed and started again, repeat at most one page.
package notify

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// debounce is how long a notice that is not urgent waits for others, so that
// forty steps of one evening wake a phone once.
const debounce = 2 * time.Second

// Most characters of a notice's title and body, as its collection allows.
const (
	maxTitle = 200
	maxBody  = 1000
)

// ID returns the id of the notice about key in the circle's inbox: the first 15
// characters, base 36, of a hash of both. The same circle and key make the same
// notice, whoever raises it and however often.
func ID(to commune.Circle, key string) string {
	sum := sha256.Sum256([]byte(string(to) + "\x00" + key))
	text := new(big.Int).SetBytes(sum[:]).Text(36)
	return (strings.Repeat("0", 15) + text)[len(text):][:15]
}

// Raise writes the notice and its delivery with tx, which is the app of the
// transaction of the change that causes it (any other app: a transaction of
// its own). A notice that was raised before is left as it is. A title or body
// that is too long is cut with "…": a notice never makes the change fail for
// its length.
func Raise(tx core.App, n commune.Notice, now time.Time) error {
	if n.To == "" || n.Key == "" {
		return errors.New("raise notice: no circle or no key")
	}
	return tx.RunInTransaction(func(tx core.App) error {
		id := ID(n.To, n.Key)
		known, err := exists(tx, id)
		if err != nil || known {
			return err
		}
		if err := saveNotice(tx, id, n, now); err != nil {
			return err
		}
		return saveDelivery(tx, id, n, now)
	})
}

// exists tells whether the notice was raised before, even if it has since been
// deleted from the inbox.
func exists(tx core.App, id string) (bool, error) {
	var n int
	err := tx.DB().NewQuery(`SELECT EXISTS (SELECT 1 FROM notices WHERE id = {:id}) OR EXISTS (SELECT 1 FROM deliveries WHERE key = {:id})`).
		Bind(params{"id": id}).Row(&n)
	if err != nil {
		return false, fmt.Errorf("look for notice: %w", err)
	}
	return n != 0, nil
}

func saveNotice(tx core.App, id string, n commune.Notice, now time.Time) error {
	notices, err := tx.FindCachedCollectionByNameOrId("notices")
	if err != nil {
		return fmt.Errorf("find notices: %w", err)
	}
	r := core.NewRecord(notices)
	r.Id = id
	r.Load(map[string]any{
		"circle": string(n.To), "kind": n.Kind, "title": shorten(n.Title, maxTitle), "body": shorten(n.Body, maxBody),
		"link": n.Link, "urgent": n.Urgent, "at": commune.Moment(now),
	})
	if err := tx.Save(r); err != nil {
		return fmt.Errorf("save notice %q: %w", n.Kind, err)
	}
	return nil
}

func saveDelivery(tx core.App, id string, n commune.Notice, now time.Time) error {
	deliveries, err := tx.FindCachedCollectionByNameOrId("deliveries")
	if err != nil {
		return fmt.Errorf("find deliveries: %w", err)
	}
	due := now
	if !n.Urgent {
		due = afterQuiet(now.Add(debounce), id)
	}
	r := core.NewRecord(deliveries)
	r.Load(map[string]any{
		"key": id, "notice": id, "circle": string(n.To), "state": waiting, "urgent": n.Urgent, "next_at": due.Unix(),
	})
	if err := tx.Save(r); err != nil {
		return fmt.Errorf("save delivery of notice %q: %w", n.Kind, err)
	}
	return nil
}

// shorten cuts a text to so many characters, the last being an ellipsis.
func shorten(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}
