package commune

import (
	"context"
	"encoding/json"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// Call is one action asked for by a person.
type Call struct {
	App    core.App // inside the edit's transaction; never keep it
	Author Author
	Args   json.RawMessage
	Now    time.Time // server time: the one that counts
	At     time.Time // when the person pressed, by the phone's corrected clock: data

	// Result is told to the phone in the verdict: the order's state, a receipt.
	Result map[string]any

	sign func([]byte) string
}

// NewCall is for the engine and for tests. sign makes the server's signature
// over a receipt, base64url.
func NewCall(app core.App, who Author, args json.RawMessage, now, at time.Time, sign func([]byte) string) *Call {
	return &Call{App: app, Author: who, Args: args, Now: now, At: at, sign: sign}
}

// Read decodes the arguments into v. Arguments of the wrong shape are a
// refusal; members that v does not know are passed over.
func (c *Call) Read(v any) error {
	if len(c.Args) == 0 {
		return Refuse("bad_args", "Thiếu nội dung của việc này.")
	}
	if err := json.Unmarshal(c.Args, v); err != nil {
		return Refuse("bad_args", "Nội dung của việc này không đọc được.")
	}
	return nil
}

// Find returns the record, or a refusal "not_found". Another person's record
// is answered like a missing one: the caller checks who may see it.
func (c *Call) Find(collection, id string) (*core.Record, error) {
	r, err := c.App.FindRecordById(collection, id)
	if err != nil {
		return nil, Refuse("not_found", "Không tìm thấy mục này.")
	}
	return r, nil
}

// New returns an empty record of the collection with an id made by the phone.
func (c *Call) New(collection, id string) (*core.Record, error) {
	if !ValidID(id) {
		return nil, Refuse("bad_id", "Mã của mục không hợp lệ.")
	}
	col, err := c.App.FindCachedCollectionByNameOrId(collection)
	if err != nil {
		return nil, err
	}
	r := core.NewRecord(col)
	r.Id = id
	return r, nil
}

// Save writes a record as this call's author: checks and notices of its
// collection apply.
func (c *Call) Save(r *core.Record) error {
	return c.App.SaveWithContext(WithAuthor(context.Background(), c.Author, c.At), r)
}

// Tell adds to the verdict's result.
func (c *Call) Tell(key string, value any) {
	if c.Result == nil {
		c.Result = map[string]any{}
	}
	c.Result[key] = value
}

// Sign returns the server's signature over text, base64url: a receipt that a
// phone checks with the server's public key and no network.
func (c *Call) Sign(text string) string {
	if c.sign == nil {
		return ""
	}
	return c.sign([]byte(text))
}

// ValidID tells whether id may name a record: 15 characters a–z and 0–9, as
// PocketBase makes them and phones do too.
func ValidID(id string) bool {
	if len(id) != 15 {
		return false
	}
	for _, b := range []byte(id) {
		if (b < 'a' || b > 'z') && (b < '0' || b > '9') {
			return false
		}
	}
	return true
}

type authorKey struct{}

type signed struct {
	who Author
	at  time.Time
}

// WithAuthor marks ctx so that a save made with it is known as the author's,
// done at the given moment.
func WithAuthor(ctx context.Context, who Author, at time.Time) context.Context {
	return context.WithValue(ctx, authorKey{}, signed{who, at})
}

// AuthorOf returns whom ctx was marked with, and when they did it; the zero
// Author is the server itself.
func AuthorOf(ctx context.Context) (Author, time.Time) {
	if ctx == nil {
		return Author{}, time.Time{}
	}
	s, _ := ctx.Value(authorKey{}).(signed)
	return s.who, s.at
}
