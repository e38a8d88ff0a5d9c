package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
)

// statement is what a statement of the driver beneath can do.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// compiled is a statement in use, or kept.
type compiled struct {
	conn    *conn
	text    string
	below   statement
	open    int  // rows of it that are read
	closing bool // nobody will ask it again: with the last rows it is given back
	broken  bool // it failed once: it is compiled anew
}

// QueryContext runs the statement and returns its rows.
func (s *compiled) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	below, err := s.below.QueryContext(ctx, args)
	if err != nil {
		s.broken = true
		return nil, err
	}
	s.open++
	return &rows{rowsBelow: below.(rowsBelow), of: s}, nil
}

// ExecContext runs the statement.
func (s *compiled) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	result, err := s.below.ExecContext(ctx, args)
	s.broken = s.broken || err != nil
	return result, err
}

// Close gives the statement back, when its last rows are read.
func (s *compiled) Close() error {
	if s.open > 0 {
		s.closing = true
		return nil
	}
	return s.conn.give(s)
}

// NumInput leaves counting to SQLite, which knows numbered arguments.
func (s *compiled) NumInput() int { return s.below.NumInput() }

// Exec and Query are of an older driver interface; database/sql asks neither.
func (s *compiled) Exec([]driver.Value) (driver.Result, error) { return nil, errOld }
func (s *compiled) Query([]driver.Value) (driver.Rows, error)  { return nil, errOld }

var errOld = errors.New("statement without a context")

// rowsBelow is what rows of the driver beneath can tell.
type rowsBelow interface {
	driver.Rows
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypeNullable
	driver.RowsColumnTypePrecisionScale
	driver.RowsColumnTypeScanType
}

// rows of a statement; when they are closed it is free.
type rows struct {
	rowsBelow
	of *compiled
}

// Close ends the reading. It may be said twice.
func (r *rows) Close() error {
	s := r.of
	if s == nil {
		return nil
	}
	r.of = nil
	err := r.rowsBelow.Close()
	s.broken = s.broken || err != nil
	s.open--
	if s.open == 0 && s.closing {
		err = errors.Join(err, s.conn.give(s))
	}
	return err
}
