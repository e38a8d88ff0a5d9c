package load

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// readCSV yields the rows of a CSV file: RFC 4180 with , or ; between cells,
// the first line names the columns. A row whose quotes do not close is given up
// at its first line, and the lines behind it are read as rows of their own, so
// that one lost quote does not swallow the rest of the file.
func readCSV(file string, r io.Reader) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		c := &csvFile{name: file, in: newLines(r)}
		err := c.header()
		if err == io.EOF {
			return
		}
		for err == nil {
			var row Row
			if row, err = c.row(); err == io.EOF {
				return
			}
			if bad, is := err.(*RowError); is {
				if err = nil; !yield(Row{}, bad) {
					return
				}
				continue
			}
			if err == nil && row.Cells != nil && !yield(row, nil) {
				return
			}
		}
		yield(Row{}, err)
	}
}

type csvFile struct {
	name    string
	in      *lines
	comma   byte
	columns []string
}

// header reads the names of the columns. What is wrong with it is one error of
// the file, and none of its rows can be read.
func (c *csvFile) header() error {
	line, err := c.in.next()
	if err == io.EOF {
		return err
	}
	at := Row{File: c.name, Line: c.in.no}
	switch {
	case err == errLong:
		return at.fault(err)
	case err != nil:
		return fmt.Errorf("read %s: %w", c.name, err)
	case bytes.HasPrefix(line, []byte("\xff\xfe")) || bytes.HasPrefix(line, []byte("\xfe\xff")) || !utf8.Valid(line):
		return at.fault(errUTF8)
	}
	line = trimEnd(bytes.TrimPrefix(line, bom))
	c.comma = ','
	if bytes.Count(line, []byte{';'}) > bytes.Count(line, []byte{','}) {
		c.comma = ';'
	}
	p := cells{comma: c.comma}
	if err := p.feed(line); err != nil || p.open {
		return at.fault(errQuotes)
	}
	met := map[string]bool{}
	for _, cell := range p.done {
		name := norm.NFC.String(strings.TrimSpace(cell))
		if name == "" || met[name] {
			return at.fault(fault{"bad_header", fmt.Sprintf("Dòng tiêu đề có cột trống hoặc có hai lần cột «%s».", name)})
		}
		met[name] = true
		c.columns = append(c.columns, name)
	}
	return nil
}

// row reads the next row; a blank line is a row without cells.
func (c *csvFile) row() (Row, error) {
	line, err := c.in.next()
	row := Row{File: c.name, Line: c.in.no, Size: len(line)}
	if err == errLong {
		return row, row.fault(err)
	}
	if err != nil {
		return row, err
	}
	p := cells{comma: c.comma}
	size, valid := len(line), utf8.Valid(line)
	err = p.feed(trimEnd(line))
	var more [][]byte
	for err == nil && p.open {
		// A quoted cell goes on in the next line.
		next, e := c.in.next()
		switch {
		case e == io.EOF || e == errLong:
			err = errQuotes
		case e != nil:
			return row, e
		default:
			more = append(more, next)
			valid = valid && utf8.Valid(next)
			if size += len(next); size > longest || len(more) > tallest {
				err = errQuotes
				break
			}
			p.cell = append(p.cell, '\n')
			err = p.feed(trimEnd(next))
		}
	}
	if err == nil && !valid {
		err = errUTF8
	}
	if err != nil {
		c.in.giveBack(more)
		return row, row.fault(err)
	}
	row.Size = size
	if len(p.done) == 1 && strings.TrimSpace(p.done[0]) == "" {
		return row, nil
	}
	if len(p.done) != len(c.columns) {
		return row, row.fault(fault{"bad_row", fmt.Sprintf("Dòng này có %d ô, dòng tiêu đề có %d cột.", len(p.done), len(c.columns))})
	}
	row.Cells = make([]Cell, len(p.done))
	for i, cell := range p.done {
		row.Cells[i] = Cell{c.columns[i], Loose(cell)}
	}
	return row, nil
}

// tallest is the most lines that one row may go on for: it bounds how often a
// line is read again when quotes do not close.
const tallest = 1000

// cells splits a row that comes line by line.
type cells struct {
	comma byte
	done  []string
	cell  []byte
	open  bool // the text so far ended inside quotes
}

// feed takes the next line, without its end. A quote inside a cell that does
// not begin with one stands for itself.
func (p *cells) feed(text []byte) error {
	for {
		if !p.open {
			if len(text) == 0 || text[0] != '"' {
				i := bytes.IndexByte(text, p.comma)
				if i < 0 {
					p.done = append(p.done, string(text))
					return nil
				}
				p.done = append(p.done, string(text[:i]))
				text = text[i+1:]
				continue
			}
			p.open, p.cell, text = true, p.cell[:0], text[1:]
		}
		i := bytes.IndexByte(text, '"')
		if i < 0 {
			p.cell = append(p.cell, text...)
			return nil
		}
		p.cell = append(p.cell, text[:i]...)
		if text = text[i+1:]; len(text) > 0 && text[0] == '"' {
			p.cell, text = append(p.cell, '"'), text[1:]
			continue
		}
		p.open = false
		p.done = append(p.done, string(p.cell))
		if len(text) == 0 {
			return nil
		}
		if text[0] != p.comma {
			return errQuotes
		}
		text = text[1:]
	}
}
