package phone

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"langso/sync/courier"
	"langso/sync/wire"
)

// The other side of the courier: this phone carries what it cannot read.

// ErrFull means that this phone carries as much for others as it may.
var ErrFull = errors.New("this phone carries enough for others")

// Carry keeps a neighbour's bundles until there is a road, at most 20 at a time
// and each for at most 7 days, and tells how many of the file are kept. What it
// has already is kept once. The error is an [ErrFull], or a [courier.ErrFile]
// for what is no bundle; what stands before it is kept.
func (p *Phone) Carry(file []byte) (kept int, err error) {
	if err := p.forgetOld(); err != nil {
		return 0, err
	}
	all, bad := courier.Parse(file, 20*courier.MaxCarried)
	for _, e := range all {
		if e.Kind != courier.Bundle {
			return kept, fmt.Errorf("carry: %w", courier.ErrFile)
		}
		raw := e.Bytes()
		// By the whole content: a false bundle of the same id must not keep out the true one.
		hash := sha256.Sum256(raw)
		result, err := p.db.Exec(`INSERT INTO carried (hash, bundle, at) SELECT ?1, ?2, ?3
			WHERE (SELECT count(*) FROM carried) < ?4 OR EXISTS (SELECT 1 FROM carried WHERE hash = ?1)
			ON CONFLICT (hash) DO UPDATE SET at = at`, hash[:], raw, p.now().UTC().Format(time.RFC3339), courier.MaxCarried)
		if err != nil {
			return kept, fmt.Errorf("carry: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return kept, errors.Join(ErrFull, err)
		}
		kept++
	}
	return kept, bad
}

// Carried tells how many bundles of others this phone carries: those still to be
// delivered, and those whose answers are to be given back.
func (p *Phone) Carried() (waiting, answered int, err error) {
	if err := p.forgetOld(); err != nil {
		return 0, 0, err
	}
	err = p.db.QueryRow(`SELECT count(*) - count(answer), count(answer) FROM carried`).Scan(&waiting, &answered)
	return waiting, answered, err
}

// Delivered is what Deliver did.
type Delivered struct {
	Bundles  int // that were delivered
	Answers  int // sealed ones, to be given back
	Refused  []wire.Failure
	Up, Down int // bytes
}

// Deliver brings the bundles of others to the server, a few a request. What is
// done is kept at once; an error means that not all of it is, and it may be
// called again at any time.
func (p *Phone) Deliver(ctx context.Context) (Delivered, error) {
	var out Delivered
	if err := p.forgetOld(); err != nil {
		return out, err
	}
	for {
		before := out.Bundles
		batch, err := p.toDeliver()
		if err != nil || len(batch) == 0 {
			return out, err
		}
		if err := p.deliver(ctx, batch, &out); err != nil {
			return out, fmt.Errorf("deliver: %w", err)
		}
		if out.Bundles == before {
			return out, nil // the server asks for patience with all of them
		}
	}
}

func (p *Phone) toDeliver() (batch []courier.Envelope, err error) {
	rows, err := p.db.Query(`SELECT bundle FROM carried WHERE answer IS NULL ORDER BY at, hash`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	size := 0
	for rows.Next() {
		var raw []byte
		if err := rows.Scan(&raw); err != nil {
			return nil, err
		}
		if size += len(raw); size > deliverBytes && len(batch) > 0 {
			break
		}
		one, err := courier.Parse(raw, 1)
		if err != nil {
			return nil, err
		}
		batch = append(batch, one[0])
	}
	return batch, rows.Err()
}

func (p *Phone) deliver(ctx context.Context, batch []courier.Envelope, out *Delivered) error {
	body := courier.File(batch)
	out.Up += len(body)
	response, err := p.send(ctx, http.MethodPost, courier.Path, courier.ContentType, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if kind := response.Header.Get("Content-Type"); !strings.HasPrefix(kind, courier.ContentType) {
		return fmt.Errorf("%w: answered as %q", ErrNoServer, kind)
	}
	raw, cut := io.ReadAll(io.LimitReader(response.Body, courier.MaxFile))
	out.Down += len(raw)
	answers, bad := courier.Parse(raw, len(batch))
	for i, a := range answers {
		if a.ID != batch[i].ID || a.Kind == courier.Bundle {
			return fmt.Errorf("%w: an answer to something else", ErrNoServer)
		}
		if a.Kind == courier.Refused {
			var f wire.Failure
			if json.Unmarshal(a.Box, &f) != nil || f.Code == "busy" {
				continue
			}
			out.Refused = append(out.Refused, f)
		} else {
			out.Answers++
		}
		out.Bundles++
		hash := sha256.Sum256(batch[i].Bytes())
		if _, err := p.db.Exec(`UPDATE carried SET answer = ? WHERE hash = ?`, a.Bytes(), hash[:]); err != nil {
			return err
		}
	}
	if cut != nil || bad != nil || len(answers) < len(batch) {
		return errors.Join(ErrCut, cut)
	}
	return nil
}

// Answers writes the file with the answers that are to be given back, and tells
// how many there are. It may be written again, until [Phone.GivenBack].
func (p *Phone) Answers() (file []byte, n int, err error) {
	rows, err := p.db.Query(`SELECT answer FROM carried WHERE answer IS NOT NULL ORDER BY at, hash`)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var raw []byte
		if err := rows.Scan(&raw); err != nil {
			return nil, 0, err
		}
		file, n = append(file, raw...), n+1
	}
	return file, n, rows.Err()
}

// GivenBack forgets the bundles whose answers their owners have.
func (p *Phone) GivenBack() error {
	_, err := p.db.Exec(`DELETE FROM carried WHERE answer IS NOT NULL`)
	return err
}
