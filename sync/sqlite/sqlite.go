// Package sqlite opens SQLite files whose connections keep compiled statements.
//
// SQLite compiles each statement before it runs it, and for the small ones of a
// sync that costs more than running them: a record by its id is found in 5 µs
// and compiled for in 40. PocketBase and dbx hand texts to database/sql, which
// compiles each anew. So the memory lies beneath them, in the driver: a
// connection keeps what it compiled under its text, and whoever uses
// [database/sql] gets it without knowing. A statement that is kept is reset: it
// holds no lock and no row. When the schema changes SQLite itself compiles it
// again at its next step.
package sqlite

import (
	"container/list"
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"
	"sync"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// kept is how many statements a connection keeps, some kilobytes each: about
// twice what a commune's server says in a day.
const kept = 160

// longest is the length in bytes of a text worth keeping: a longer one lists
// values, and does not come again.
const longest = 4096

// Open opens a database, whose name is written as for the driver "sqlite". Like
// [sql.Open] it does not touch the file yet.
func Open(name string) *sql.DB { return sql.OpenDB(connector(name)) }

// connector makes connections to the database of a name.
type connector string

// plain is the driver beneath.
var plain = sync.OnceValue(func() driver.Driver {
	db, err := sql.Open("sqlite", "")
	if err != nil {
		panic(err) // the driver is linked in
	}
	defer db.Close()
	return db.Driver()
})

// Driver returns the driver beneath.
func (connector) Driver() driver.Driver { return plain() }

// Connect opens a connection.
func (c connector) Connect(context.Context) (driver.Conn, error) {
	holdPages()
	below, err := plain().Open(string(c))
	if err != nil {
		return nil, err
	}
	return &conn{below: below.(connection), byText: map[string]*list.Element{}}, nil
}

// connection is what a connection of the driver beneath can do.
type connection interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// conn is a connection with the statements it keeps, the latest used first.
// database/sql lets one goroutine at a time use it.
type conn struct {
	below    connection
	byText   map[string]*list.Element
	latest   list.List // of *compiled
	compiled int       // statements so far, for tests
}

// worth tells whether a text may come again. What changes the schema or the
// connection does not.
func worth(text string) bool {
	if len(text) > longest {
		return false
	}
	text = strings.TrimLeft(text, " \t\r\n")
	if i := strings.IndexAny(text, " \t\r\n"); i >= 0 {
		text = text[:i]
	}
	switch strings.ToUpper(text) {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "REPLACE":
		return true
	}
	return false
}

// take returns the statement of a text, which nobody else uses until it is
// given back.
func (c *conn) take(ctx context.Context, text string) (*compiled, error) {
	if at, ok := c.byText[text]; ok {
		delete(c.byText, text)
		return c.latest.Remove(at).(*compiled), nil
	}
	s, err := c.below.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	c.compiled++
	return &compiled{conn: c, text: text, below: s.(statement)}, nil
}

// give keeps a statement that nobody uses any more.
func (c *conn) give(s *compiled) error {
	if s.broken || c.byText[s.text] != nil {
		return s.below.Close()
	}
	c.byText[s.text] = c.latest.PushFront(s)
	if c.latest.Len() <= kept {
		return nil
	}
	old := c.latest.Remove(c.latest.Back()).(*compiled)
	delete(c.byText, old.text)
	return old.below.Close()
}

// QueryContext runs a text that returns rows.
func (c *conn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	if !worth(text) {
		return c.below.QueryContext(ctx, text, args)
	}
	s, err := c.take(ctx, text)
	if err != nil {
		return nil, err
	}
	s.closing = true // with its rows
	r, err := s.QueryContext(ctx, args)
	if err != nil {
		_ = c.give(s) // the failure is what is told
	}
	return r, err
}

// ExecContext runs a text that returns none.
func (c *conn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	if !worth(text) {
		return c.below.ExecContext(ctx, text, args)
	}
	s, err := c.take(ctx, text)
	if err != nil {
		return nil, err
	}
	result, err := s.ExecContext(ctx, args)
	if e := c.give(s); err == nil {
		err = e
	}
	return result, err
}

// PrepareContext returns the statement of a text until it is closed.
func (c *conn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	if !worth(text) {
		return c.below.PrepareContext(ctx, text)
	}
	s, err := c.take(ctx, text)
	if err != nil {
		return nil, err
	}
	s.closing = false
	return s, nil
}

// Prepare is PrepareContext without a context.
func (c *conn) Prepare(text string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), text)
}

// Close closes the connection and the statements it keeps.
func (c *conn) Close() error {
	for at := c.latest.Front(); at != nil; at = at.Next() {
		_ = at.Value.(*compiled).below.Close() // the connection takes them along
	}
	c.byText = nil
	c.latest.Init()
	return c.below.Close()
}

func (c *conn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}
func (c *conn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return c.below.BeginTx(ctx, o)
}
func (c *conn) Ping(ctx context.Context) error         { return c.below.Ping(ctx) }
func (c *conn) ResetSession(ctx context.Context) error { return c.below.ResetSession(ctx) }
func (c *conn) IsValid() bool                          { return c.below.IsValid() }
