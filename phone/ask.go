package phone

import (
	"encoding/json"
	"time"

	"github.com/klauspost/compress/zstd"

	"langso/sync/wire"
)

func pack(body []byte) []byte {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<17))
	if err != nil { // only for options that do not exist
		return body
	}
	return w.EncodeAll(body, nil)
}

// askRoom keeps an ask well under wire.MaxBody.
const askRoom = wire.MaxBody - 64<<10

// asking is an ask with what this phone must remember of it.
type asking struct {
	*wire.Ask
	listed [][]member // the records of Check.Lists
	more   bool       // not all edits that wait found room
}

// ask says how far this phone is, with the edits that wait.
func (p *Phone) ask() (*asking, error) {
	ask := &wire.Ask{V: wire.Version}
	more, err := p.fillAsk(ask)
	return &asking{Ask: ask, more: more}, err
}

func (p *Phone) fillAsk(ask *wire.Ask) (more bool, err error) {
	for key, into := range map[string]*string{"epoch": &ask.Epoch, "standing": &ask.Standing, "resume": &ask.Resume} {
		if *into, err = getMeta(p.db, key); err != nil {
			return false, err
		}
	}
	cursor, err := getNumber(p.db, "cursor")
	if err != nil {
		return false, err
	}
	ask.Cursor = wire.Cursor(cursor)
	if cursor > 0 {
		if err = tell(p.db, ask); err != nil {
			return false, err
		}
	}
	compare, err := getMeta(p.db, "compare")
	if err != nil {
		return false, err
	}
	ask.Compare = compare != ""
	if ask.Snapshots = cursor == 0; ask.Snapshots {
		if ask.Loaded, err = p.loaded(); err != nil {
			return false, err
		}
	}
	err = p.db.QueryRow(`SELECT coalesce(min(n) - 1, (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'n'), 0) FROM edits WHERE state = 'waiting'`).Scan(&ask.Confirmed)
	if err != nil {
		return false, err
	}
	if ask.Shape, err = p.shape(); err != nil {
		return false, err
	}
	edits, err := readEdits(p.db, `state = 'waiting'`)
	if err != nil {
		return false, err
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
	// Which app this is the server was told, unless it is another now; with edits it
	// is told once more, for the people who look after a queue.
	told, err := getMeta(p.db, "app")
	if err != nil {
		return false, err
	}
	if told != p.app || len(ask.Edits) > 0 {
		ask.App = p.app
	}
	if len(ask.Edits) > 0 {
		ask.Clock = p.now().UTC().Format(time.RFC3339)
	}
	return more, nil
}
