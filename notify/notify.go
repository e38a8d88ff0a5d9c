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
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// Most characters of a notice's title and body, as its collection allows.
const (
	maxTitle = 200
	maxBody  = 1000
)

// ID is commune.NoticeID.
func ID(to commune.Circle, key string) string { return commune.NoticeID(to, key) }

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
		"link": n.Link, "urgent": n.Class.Or(n.Urgent) == commune.Emergency, "at": commune.Moment(now), "class": int(n.Class.Or(n.Urgent)),
	})
	if !n.Expires.IsZero() {
		r.Set("expires", commune.Moment(n.Expires))
	}
	if err := tx.Save(r); err != nil {
		return fmt.Errorf("save notice %q: %w", n.Kind, err)
	}
	return nil
}

// saveDelivery writes the delivery that wakes phones and, of a notice that
// presses, those of the ladder: a handful of rows, however many people it is to.
func saveDelivery(tx core.App, id string, n commune.Notice, now time.Time) error {
	deliveries, err := tx.FindCachedCollectionByNameOrId("deliveries")
	if err != nil {
		return fmt.Errorf("find deliveries: %w", err)
	}
	class := n.Class.Or(n.Urgent)
	for _, r := range rungsOf(class, n, id, now) {
		one := core.NewRecord(deliveries)
		one.Load(map[string]any{
			"key": r.key, "notice": id, "circle": string(n.To), "state": waiting, "urgent": class.Shown(), "class": int(class),
			"rung": r.rung, "expires": unix(n.Expires), "next_at": r.at.Unix(),
		})
		if err := tx.Save(one); err != nil {
			return fmt.Errorf("save delivery of notice %q: %w", n.Kind, err)
		}
	}
	return nil
}

// Nudge leaves word, with tx, that records of a circle changed: its phones are
// asked to sync, at the pace that FCM allows. Nothing is shown to anybody. There
// is one delivery a circle, however often it is nudged.
func Nudge(tx core.App, to commune.Circle, now time.Time) error {
	key := "data:" + string(to)
	_, err := tx.NonconcurrentDB().NewQuery(`INSERT INTO deliveries (id, key, circle, state, class, next_at, created, updated)
		VALUES ({:id}, {:key}, {:circle}, 'waiting', {:class}, {:next}, {:now}, {:now})
		ON CONFLICT (key) DO UPDATE SET state = 'waiting', lease = '', lease_until = 0, updated = excluded.updated,
			attempt = CASE state WHEN 'waiting' THEN attempt ELSE 0 END,
			next_at = CASE WHEN state = 'waiting' AND lease_until = 0 THEN next_at ELSE excluded.next_at END`).
		Bind(params{"id": ID(to, "data"), "key": key, "circle": string(to), "class": commune.DataOnly,
			"next": unix(now.Add(rules[commune.DataOnly].debounce)), "now": commune.Moment(now)}).Execute()
	if err != nil {
		return fmt.Errorf("nudge circle: %w", err)
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
