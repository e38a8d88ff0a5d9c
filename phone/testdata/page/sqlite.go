//go:build js

package main

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall/js"
)

// page is a driver "sqlite" over sql.js, which is SQLite compiled for pages and
// lies ready in the global SQL: what package phone asks of a page.
type page struct{ files map[string]js.Value }

func init() { sql.Register("sqlite", &page{map[string]js.Value{}}) }

// Open implements driver.Driver. A file is in memory, and the same each time.
func (d *page) Open(name string) (driver.Conn, error) {
	path, _, _ := strings.Cut(name, "?")
	if _, ok := d.files[path]; !ok {
		d.files[path] = js.Global().Get("SQL").Get("Database").New()
	}
	return &conn{d.files[path]}, nil
}

type conn struct{ db js.Value }

func (c *conn) Close() error { return nil }

func (c *conn) Begin() (driver.Tx, error) { return c, c.do("BEGIN IMMEDIATE") }
func (c *conn) Commit() error             { return c.do("COMMIT") }
func (c *conn) Rollback() error           { return c.do("ROLLBACK") }

func (c *conn) do(query string) error {
	_, err := try(func() js.Value { return c.db.Call("exec", query) })
	return err
}

// try turns what JavaScript throws into an error.
func try(f func() js.Value) (v js.Value, err error) {
	defer func() {
		switch thrown := recover().(type) {
		case nil:
		case js.Error:
			err = errors.New(thrown.Error())
		default:
			panic(thrown)
		}
	}()
	return f(), nil
}

// Exec implements driver.Execer: several statements, as long as there are no values.
func (c *conn) Exec(query string, values []driver.Value) (driver.Result, error) {
	if len(values) == 0 {
		return c, c.do(query)
	}
	return nil, driver.ErrSkip
}

func (c *conn) LastInsertId() (int64, error) { return 0, errors.ErrUnsupported }
func (c *conn) RowsAffected() (int64, error) {
	n, err := try(func() js.Value { return c.db.Call("getRowsModified") })
	if err != nil {
		return 0, err
	}
	return int64(n.Int()), nil
}

func (c *conn) Prepare(query string) (driver.Stmt, error) {
	s, err := try(func() js.Value { return c.db.Call("prepare", query) })
	return &stmt{c, s}, err
}

type stmt struct {
	conn *conn
	js   js.Value
}

func (s *stmt) Close() error  { _, err := try(func() js.Value { return s.js.Call("free") }); return err }
func (s *stmt) NumInput() int { return -1 }

func (s *stmt) bind(values []driver.Value) error {
	list := js.Global().Get("Array").New()
	for i, v := range values {
		switch x := v.(type) {
		case nil:
			list.SetIndex(i, js.Null())
		case []byte:
			b := js.Global().Get("Uint8Array").New(len(x))
			js.CopyBytesToJS(b, x)
			list.SetIndex(i, b)
		case int64, float64, string, bool:
			list.SetIndex(i, js.ValueOf(x))
		default:
			return fmt.Errorf("a value of type %T", v)
		}
	}
	_, err := try(func() js.Value { return s.js.Call("bind", list) })
	return err
}

func (s *stmt) Exec(values []driver.Value) (driver.Result, error) {
	if err := s.bind(values); err != nil {
		return nil, err
	}
	for more := true; more; {
		step, err := try(func() js.Value { return s.js.Call("step") })
		if err != nil {
			return nil, err
		}
		more = step.Bool()
	}
	return s.conn, nil
}

func (s *stmt) Query(values []driver.Value) (driver.Rows, error) {
	return &rows{s}, s.bind(values)
}

type rows struct{ stmt *stmt }

func (r *rows) Columns() (names []string) {
	list := r.stmt.js.Call("getColumnNames")
	for i := range list.Length() {
		names = append(names, list.Index(i).String())
	}
	return names
}

func (r *rows) Close() error {
	_, err := try(func() js.Value { return r.stmt.js.Call("reset") })
	return err
}

func (r *rows) Next(into []driver.Value) error {
	step, err := try(func() js.Value { return r.stmt.js.Call("step") })
	if err != nil {
		return err
	}
	if !step.Bool() {
		return io.EOF
	}
	list, err := try(func() js.Value { return r.stmt.js.Call("get") })
	if err != nil {
		return err
	}
	for i := range into {
		switch v := list.Index(i); v.Type() {
		case js.TypeNull:
			into[i] = nil
		case js.TypeString:
			into[i] = v.String()
		case js.TypeNumber:
			if f := v.Float(); f == float64(int64(f)) {
				into[i] = int64(f)
			} else {
				into[i] = f
			}
		default:
			b := make([]byte, v.Length())
			js.CopyBytesToGo(b, v)
			into[i] = b
		}
	}
	return nil
}
