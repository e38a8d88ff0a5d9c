package phone

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/klauspost/compress/zstd"

	"langso/sync/wire"
)

// The budgets of answers over a road that breaks: each cut halves it, a
// complete answer opens it again.
const (
	wantAfterCut = 256 << 10
	wantLeast    = 8 << 10
)

// narrow notes that an answer was cut: the next one is to be smaller, so that
// each brings something home.
func (p *Phone) narrow() error {
	want, err := getNumber(p.db, "want")
	if err != nil {
		return err
	}
	switch {
	case want == 0:
		want = wantAfterCut
	default:
		want = max(want/2, wantLeast)
	}
	return errors.Join(ErrCut, p.setMeta("want", strconv.FormatInt(want, 10)))
}

func pack(body []byte) []byte {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<17))
	if err != nil { // only for options that do not exist
		return body
	}
	return w.EncodeAll(body, nil)
}

// askRoom keeps an ask well under wire.MaxBody.
const askRoom = wire.MaxBody - 64<<10

// ask says how far this phone is, with the edits that wait; more tells that not
// all found room.
func (p *Phone) ask() (ask *wire.Ask, more bool, err error) {
	ask = &wire.Ask{V: wire.Version, App: p.app}
	for key, into := range map[string]*string{"epoch": &ask.Epoch, "standing": &ask.Standing, "resume": &ask.Resume} {
		if *into, err = getMeta(p.db, key); err != nil {
			return nil, false, err
		}
	}
	cursor, err := getNumber(p.db, "cursor")
	if err != nil {
		return nil, false, err
	}
	ask.Cursor = wire.Cursor(cursor)
	if told, err := getMeta(p.db, "told"); err != nil {
		return nil, false, err
	} else if cursor > 0 && told != ask.Standing {
		ask.Told = told
	}
	want, err := getNumber(p.db, "want")
	if err != nil {
		return nil, false, err
	}
	ask.Want = int(want)
	err = p.db.QueryRow(`SELECT coalesce(min(n) - 1, (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'n'), 0) FROM edits WHERE state = 'waiting'`).Scan(&ask.Confirmed)
	if err != nil {
		return nil, false, err
	}
	edits, err := readEdits(p.db, `state = 'waiting'`)
	if err != nil {
		return nil, false, err
	}
	size := 0
	for i, e := range edits {
		if size += len(e.body); i == wire.MaxEdits || size > askRoom {
			more = true
			ask.Waiting = len(edits) - i
			break
		}
		ask.Edits = append(ask.Edits, json.RawMessage(e.body))
	}
	if len(ask.Edits) > 0 {
		ask.Clock = p.now().UTC().Format(time.RFC3339)
	}
	return ask, more, nil
}
