// Package load brings a commune in from files.
//
// A folder holds one file a collection, persons.csv or persons.jsonl; any of
// them may be missing (docs/IMPORT.md describes the columns). A row is known by
// its external id: the first time it makes a record, later it updates that
// record, and a row that says what already stands changes nothing. So a folder
// may be loaded again, whole or in part, as often as one likes.
//
// Rows obey the rules of a write in the dashboard: the constraints of the
// fields, the domain's Fill and Check. Only notices are not raised: who loads
// ten thousand old entries does not mean to wake anybody.
//
// A bad row is reported with its file, line, code and sentence, and stops
// nothing: the rows around it are loaded. Rows are streamed, never held: some
// hundred at a time are read, looked up together and written in one
// transaction with prepared statements, and between two transactions the
// writer is free for phones.
package load

import (
	"context"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// One transaction takes this many rows, or less when they are long.
const (
	batchRows  = 1000
	batchBytes = 4 << 20
)

// Source gives the rows of a commune, a collection at a time.
type Source interface {
	// Rows yields the rows of one collection, in order. The loader asks for
	// the collections in the order of their references. A [RowError] counts as
	// a bad row and is passed over; any other error ends the load.
	Rows(collection string) iter.Seq2[Row, error]
	// Count tells about how many rows will come, for the progress bar; 0 is
	// unknown.
	Count(collection string) int
}

// Row is one row of a source.
type Row struct {
	File  string // as the report names it; may be empty
	Line  int    // where the row begins, from 1; 0 is unknown
	Size  int    // about how many bytes it holds; bounds the memory of a batch
	Cells []Cell
}

// Cell is one named value. Value is nil, string, bool, int, float64, [Loose] or
// json.RawMessage; references are the external ids of other rows.
type Cell struct {
	Name  string
	Value any
}

// Loose is the text of a cell in a file that does not tell texts from numbers.
type Loose string

// RowError is what is wrong with one row: a stable code and a Vietnamese
// sentence, as in a refusal.
type RowError struct {
	File     string
	Line     int
	Code     string
	Sentence string
}

func (e *RowError) Error() string {
	return fmt.Sprintf("%s:%d %s %s", e.File, e.Line, e.Code, e.Sentence)
}

// Tally counts what became of the rows of one collection.
type Tally struct {
	Collection              string
	New, Changed, Same, Bad int
	Took                    time.Duration
}

// Rows is how many rows were looked at.
func (t Tally) Rows() int { return t.New + t.Changed + t.Same + t.Bad }

// A report keeps and prints so many row errors, and so many that say the same
// of the same file; all are counted.
const (
	keptErrors = 100
	keptAlike  = 3
)

// Report is what became of a load.
type Report struct {
	Tallies []Tally    // of the collections that had rows
	Errors  []RowError // the first hundred; the tallies count all
	Took    time.Duration
}

// Total adds up the tallies.
func (r Report) Total() Tally {
	sum := Tally{Took: r.Took}
	for _, t := range r.Tallies {
		sum.New += t.New
		sum.Changed += t.Changed
		sum.Same += t.Same
		sum.Bad += t.Bad
	}
	return sum
}

// Run loads all rows of src into app and tells out how it goes, in Vietnamese:
// a progress bar on a terminal, else a line a collection; then the row errors.
// The error tells that the load could not go on; what was committed before
// stays, and the report counts it.
func Run(ctx context.Context, app core.App, domains []commune.Domain, src Source, out io.Writer) (Report, error) {
	start := time.Now()
	l := &loader{app: app, domains: domains, show: newShow(out)}
	err := l.all(ctx, src)
	l.report.Took = time.Since(start)
	l.show.end(l.report)
	return l.report, err
}

type loader struct {
	app     core.App
	domains []commune.Domain
	show    *show
	report  Report
}

func (l *loader) all(ctx context.Context, src Source) error {
	for _, k := range kinds {
		if err := l.collection(ctx, k, src); err != nil {
			return fmt.Errorf("load %s: %w", k.name, err)
		}
	}
	if misfit, ok := src.(interface{ Misfits() []RowError }); ok {
		for _, e := range misfit.Misfits() {
			l.report.Tallies = append(l.report.Tallies, Tally{Collection: e.File, Bad: 1})
			l.keep(e)
		}
	}
	return nil
}

// collection loads all rows of one collection.
func (l *loader) collection(ctx context.Context, k kind, src Source) error {
	var lay *layout // made when the first row is there
	tally := Tally{Collection: k.name}
	start := time.Now()
	seen := newSeen()
	var rows []Row
	size := 0
	flush := func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(rows) == 0 {
			return nil
		}
		if lay == nil {
			var err error
			if lay, err = newLayout(l.app, l.domains, k); err != nil {
				return err
			}
		}
		b := &batch{layout: lay, seen: seen}
		if err := b.load(l.app, rows); err != nil {
			return err
		}
		tally.New, tally.Changed, tally.Same = tally.New+b.new, tally.Changed+b.changed, tally.Same+b.same
		for _, e := range b.errors {
			tally.Bad++
			l.keep(e)
		}
		clear(rows)
		rows, size = rows[:0], 0
		return nil
	}
	err := func() error {
		for row, err := range src.Rows(k.name) {
			if bad, ok := err.(*RowError); ok {
				tally.Bad++
				l.keep(*bad)
				continue
			}
			if err != nil {
				return err
			}
			rows = append(rows, row)
			if size += row.Size; len(rows) < batchRows && size < batchBytes {
				continue
			}
			if err := flush(); err != nil {
				return err
			}
			l.show.step(tally, src.Count(k.name), time.Since(start))
		}
		return flush()
	}()
	if tally.Took = time.Since(start); tally.Rows() > 0 {
		l.report.Tallies = append(l.report.Tallies, tally)
		l.show.done(tally)
	}
	return err
}

// keep remembers a row error. A mistake that runs through a whole file (a column
// of an unknown name) is kept three times, so that others are seen as well.
func (l *loader) keep(e RowError) {
	alike := 0
	for _, k := range l.report.Errors {
		if k.File == e.File && k.Code == e.Code && k.Sentence == e.Sentence {
			alike++
		}
	}
	if alike < keptAlike && len(l.report.Errors) < keptErrors {
		l.report.Errors = append(l.report.Errors, e)
	}
}
