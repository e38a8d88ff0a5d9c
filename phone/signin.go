package phone

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"langso/sync/wire"
)

// Failure is a refusal of a whole request, in the server's words.
type Failure struct {
	Status int
	wire.Failure
}

func (f *Failure) Error() string { return f.Code + ": " + f.Say }

// ErrNoServer means that what answered was not the server: no network, a
// captive portal, a proxy. Try later.
var ErrNoServer = errors.New("no server")

// ErrSignedOut is returned by what needs a signed-in phone.
var ErrSignedOut = errors.New("the phone is not signed in")

// Choice is one of several persons who share a phone number.
type Choice struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Born string `json:"born"`
}

// Code asks for a one-time code by SMS.
func (p *Phone) Code(ctx context.Context, number string) error {
	return p.call(ctx, "/api/phones/code", map[string]string{"number": number}, nil, false)
}

// SignIn signs in with a number and its code. When several persons share the
// number and person is empty, it returns them and signs nobody in.
func (p *Phone) SignIn(ctx context.Context, number, code, person, label string) ([]Choice, error) {
	return p.signIn(ctx, map[string]string{"number": number, "code": code, "person": person, "label": label})
}

// SignInByInvitation signs in with the token of a counter's QR.
func (p *Phone) SignInByInvitation(ctx context.Context, invitation, label string) error {
	_, err := p.signIn(ctx, map[string]string{"invitation": invitation, "label": label})
	return err
}

func (p *Phone) signIn(ctx context.Context, body map[string]string) ([]Choice, error) {
	key, err := p.PublicKey()
	if err != nil {
		return nil, err
	}
	body["key"] = key
	for k, v := range body {
		if v == "" {
			delete(body, k)
		}
	}
	var got struct {
		Phone  string
		Person struct{ ID, Name string }
		Choose []Choice
		Load   []wire.Snapshot
	}
	if err := p.call(ctx, "/api/phones/sign-in", body, &got, false); err != nil {
		return nil, err
	}
	if got.Phone == "" {
		return got.Choose, nil
	}
	if err := p.Adopt(got.Phone, got.Person.ID); err != nil {
		return nil, err
	}
	if err := p.setMeta("name", got.Person.Name); err != nil {
		return nil, err
	}
	if err := p.offered(got.Load); err != nil {
		return nil, err
	}
	_ = p.Greet(ctx) // for the day without a network; whoever packs first without it is told
	return nil, nil
}

// Adopt makes this the phone of that id and person, whose key the server has
// been given by another road: by whoever sets the phone up.
func (p *Phone) Adopt(id, person string) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	return p.transact(func(tx *sql.Tx) error {
		was, err := getMeta(tx, "phone")
		if err != nil {
			return err
		}
		switch was {
		case id:
		case "": // it has no numbers yet that a server knows
			var held bool
			if err = tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM edits WHERE state = 'held' AND person = ?)`, person).Scan(&held); err == nil && held {
				err = takeUp(tx, person)
			}
		default:
			err = begin(tx, person)
		}
		if err != nil {
			return fmt.Errorf("become another phone: %w", err)
		}
		if err := setMeta(tx, "phone", id); err != nil {
			return err
		}
		return setMeta(tx, "person", person)
	})
}

// begin makes the file that of a phone which the server has never heard of. It
// has no records yet and no edits; unsent ones of the same person are numbered
// anew, those of another are held: they are neither lost nor sent in somebody
// else's name.
func begin(tx *sql.Tx, person string) error {
	if err := errors.Join(forgetRecords(tx), setMeta(tx, "meeting", nobody)); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM meta WHERE key IN ('epoch', 'cursor', 'standing', 'resume', 'compare', 'check', 'compared', 'told', 'circles', 'offer', 'lost', 'shape', 'app')`)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(`DELETE FROM bundles`); err != nil { // of the old phone's numbers
		return err
	}
	before, err := getMeta(tx, "person")
	if err != nil {
		return err
	}
	if _, err := tx.Exec(`DELETE FROM edits WHERE state NOT IN ('waiting', 'held')`); err != nil {
		return err
	}
	if before != person {
		if err := hold(tx); err != nil {
			return err
		}
	}
	return takeUp(tx, person)
}

// takeUp takes up again what was held for a person, the older first, behind what
// waits, and numbers all of it anew.
func takeUp(tx *sql.Tx, person string) error {
	held, err := readEdits(tx, `state = 'held' AND person = ?`, person)
	if err != nil {
		return err
	}
	slices.Reverse(held)
	waiting, err := readEdits(tx, `state = 'waiting'`)
	if err != nil {
		return err
	}
	waiting = append(waiting, held...)
	if _, err := tx.Exec(`DELETE FROM edits WHERE state = 'waiting' OR state = 'held' AND person = ?`, person); err != nil {
		return err
	}
	numbers := map[int64]int64{}
	for i, e := range waiting {
		n := int64(i + 1)
		numbers[e.N] = n
		var after []int64
		for _, a := range e.After {
			if m, ok := numbers[a]; ok {
				after = append(after, m)
			}
		}
		e.Edit.N, e.Edit.Base, e.Edit.After, e.Edit.Fixes = n, 0, after, 0
		body, err := json.Marshal(e.Edit)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(`INSERT INTO edits (n, body, state, at) VALUES (?, ?, 'waiting', ?)`, n, string(body), e.Edit.At); err != nil {
			return err
		}
	}
	return setMeta(tx, "n", strconv.Itoa(len(waiting)))
}

// hold keeps what waits for its person, who is leaving this phone. Numbers below
// zero are no phone's: held edits are out of the order.
func hold(tx *sql.Tx) error {
	_, err := tx.Exec(`UPDATE edits SET state = 'held', person = (SELECT value FROM meta WHERE key = 'person'), n = (SELECT coalesce(min(n), 0) FROM edits WHERE n < 0) - n WHERE state = 'waiting'`)
	if err != nil {
		return fmt.Errorf("hold what waits: %w", err)
	}
	return nil
}

// Invite asks for an invitation for a person; for officers at the counter.
func (p *Phone) Invite(ctx context.Context, person string) (link string, err error) {
	var got struct{ Link string }
	err = p.call(ctx, "/api/phones/invitation", map[string]string{"person": person}, &got, true)
	return got.Link, err
}

// SetAddress tells the server where to wake this phone: "fcm" and its token.
func (p *Phone) SetAddress(ctx context.Context, transport, address string) error {
	return p.call(ctx, "/api/phones/address", map[string]string{"transport": transport, "address": address}, nil, true)
}

// SignOut makes the server forget the phone's key and removes the records from
// the phone. It refuses while edits are unsent, unless they are to be given up. One
// that is typed while the server is told, and what is held for others, stays.
func (p *Phone) SignOut(ctx context.Context, giveUpUnsent bool) error {
	status, err := p.Status()
	if err != nil {
		return err
	}
	if status.Waiting > 0 && !giveUpUnsent {
		return fmt.Errorf("sign out: %d edits are unsent", status.Waiting)
	}
	err = p.call(ctx, "/api/phones/sign-out", map[string]string{}, nil, true)
	var f *Failure
	if errors.As(err, &f) && f.Status == http.StatusUnauthorized {
		err = nil // it has forgotten us already: the answer to an earlier sign-out was lost
	}
	if err != nil {
		return err
	}
	err = p.transact(func(tx *sql.Tx) error {
		if !giveUpUnsent {
			if err := hold(tx); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`DELETE FROM records; DELETE FROM kept; DELETE FROM edits WHERE state != 'held'; DELETE FROM bundles; DELETE FROM meta WHERE key NOT IN ('server', 'seal', 'greeted')`)
		return errors.Join(err, setMeta(tx, "meeting", nobody), soiled(tx))
	})
	if err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	return p.scrubIfDue()
}

// Self returns the ids of the phone and its person, "" when signed out.
func (p *Phone) Self() (phone, person string, err error) {
	if phone, err = getMeta(p.db, "phone"); err != nil {
		return "", "", err
	}
	person, err = getMeta(p.db, "person")
	return phone, person, err
}

// call posts JSON and reads JSON.
func (p *Phone) call(ctx context.Context, path string, in, out any, signed bool) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	response, err := p.post(ctx, path, body, "", signed)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if kind := response.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		return fmt.Errorf("%w: answered as %q", ErrNoServer, kind)
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(out); err != nil {
		return fmt.Errorf("read answer of %s: %w", path, err)
	}
	return nil
}

// post sends a request in the text form; an answer of status 400 or more is a *Failure.
func (p *Phone) post(ctx context.Context, path string, body []byte, encoding string, signed bool) (*http.Response, error) {
	request, err := p.newPost(ctx, path, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", wire.ContentAsk)
	request.Header.Set("Accept-Encoding", "zstd, br, gzip")
	request.Header.Set("User-Agent", "langso")
	if encoding != "" {
		request.Header.Set("Content-Encoding", encoding)
	}
	if signed {
		if err := p.authorize(request, path, body); err != nil {
			return nil, err
		}
	}
	return p.do(request)
}

// authorize signs a request to a path; signed stands in the place of the body.
func (p *Phone) authorize(request *http.Request, path string, signed []byte) error {
	id, _, err := p.Self()
	if err != nil {
		return err
	}
	if id == "" {
		return ErrSignedOut
	}
	key, err := p.key()
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", wire.Authorization(id, ed25519.Sign(key, wire.SigningBytes(request.Method, path, signed))))
	return nil
}

// newPost is a POST to the server, without any headers.
func (p *Phone) newPost(ctx context.Context, path string, body []byte) (*http.Request, error) {
	server, err := getMeta(p.db, "server")
	if err != nil {
		return nil, err
	}
	return http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(server, "/")+path, bytes.NewReader(body))
}

// do sends a request; an answer of status 400 or more is a *Failure.
func (p *Phone) do(request *http.Request) (*http.Response, error) {
	response, err := p.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoServer, err)
	}
	if response.StatusCode < 400 {
		return response, nil
	}
	defer response.Body.Close()
	f := &Failure{Status: response.StatusCode}
	raw, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil || json.Unmarshal(raw, &f.Failure) != nil || f.Code == "" {
		return nil, fmt.Errorf("%w: status %d", ErrNoServer, response.StatusCode)
	}
	return nil, f
}
