package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
)

// open opens a database with a table of goods and one connection, and returns
// what counts the statements that it compiled.
func open(t *testing.T) (*sql.DB, func() int) {
	t.Helper()
	db := Open(filepath.Join(t.TempDir(), "x.db") + "?_pragma=journal_mode(WAL)")
	db.SetMaxOpenConns(1)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	must(t, db, `CREATE TABLE goods (id TEXT PRIMARY KEY, price INTEGER)`)
	must(t, db, `INSERT INTO goods VALUES ('guava', 10), ('honey', 90), ('lychee', 30)`)
	return db, func() (n int) {
		one, err := db.Conn(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		defer one.Close()
		if err := one.Raw(func(c any) error { n = c.(*conn).compiled; return nil }); err != nil {
			t.Fatal(err)
		}
		return n
	}
}

func must(t *testing.T, db *sql.DB, text string, args ...any) {
	t.Helper()
	if _, err := db.Exec(text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func price(t *testing.T, db *sql.DB, id string) (n int) {
	t.Helper()
	if err := db.QueryRow(`SELECT price FROM goods WHERE id = ?`, id).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestATextIsCompiledOnce(t *testing.T) {
	db, count := open(t)
	before := count()
	for i := range 10 {
		must(t, db, `UPDATE goods SET price = ? WHERE id = 'honey'`, i)
		if got := price(t, db, "honey"); got != i {
			t.Fatalf("price %d, want %d", got, i)
		}
		if got := price(t, db, "guava"); got != 10 {
			t.Fatalf("an argument of the last time was read: %d", got)
		}
	}
	if got := count() - before; got != 2 {
		t.Errorf("compiled %d times for two texts", got)
	}
}

func TestPreparedStatementsAndTransactionsShareTheMemory(t *testing.T) {
	db, count := open(t)
	price(t, db, "honey")
	before := count()
	for range 3 {
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		s, err := tx.Prepare(`SELECT price FROM goods WHERE id = ?`)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"guava", "honey"} {
			var n int
			if err := s.QueryRow(id).Scan(&n); err != nil || n == 0 {
				t.Fatal(n, err)
			}
		}
		if err := tx.Commit(); err != nil { // closes s too
			t.Fatal(err)
		}
	}
	if got := count() - before; got != 0 {
		t.Errorf("compiled %d times what was there", got)
	}
}

// While the rows of a text are read, the same text may be asked again.
func TestTheSameTextInsideItself(t *testing.T) {
	db, _ := open(t)
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	const text = `SELECT id FROM goods WHERE price > ? ORDER BY id`
	var got []string
	outer, err := tx.Query(text, 20)
	if err != nil {
		t.Fatal(err)
	}
	defer outer.Close()
	for outer.Next() {
		var a string
		if err := outer.Scan(&a); err != nil {
			t.Fatal(err)
		}
		inner, err := tx.Query(text, 5)
		if err != nil {
			t.Fatal(err)
		}
		for inner.Next() {
			var b string
			if err := inner.Scan(&b); err != nil {
				t.Fatal(err)
			}
			got = append(got, a+"/"+b)
		}
		if err := inner.Close(); err != nil {
			t.Fatal(err)
		}
	}
	want := "[honey/guava honey/honey honey/lychee lychee/guava lychee/honey lychee/lychee]"
	if fmt.Sprint(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A statement closed while its rows are read ends with them, and not before.
func TestClosedWhileItsRowsAreRead(t *testing.T) {
	db, count := open(t)
	one, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	err = one.Raw(func(c any) error {
		s, err := c.(*conn).PrepareContext(context.Background(), `SELECT id FROM goods ORDER BY id`)
		if err != nil {
			return err
		}
		r, err := s.(*compiled).QueryContext(context.Background(), nil)
		if err != nil {
			return err
		}
		if err := s.Close(); err != nil {
			return err
		}
		second, err := c.(*conn).PrepareContext(context.Background(), `SELECT id FROM goods ORDER BY id`)
		if err != nil {
			return err
		}
		if second == s {
			t.Error("a statement whose rows are read was given to another")
		}
		if err := second.Close(); err != nil {
			return err
		}
		return r.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	before := count()
	if _, err := db.Exec(`SELECT id FROM goods ORDER BY id`); err != nil {
		t.Fatal(err)
	}
	if got := count() - before; got != 0 {
		t.Errorf("neither was kept: compiled %d times", got)
	}
}

func TestTheSchemaChangesUnderneath(t *testing.T) {
	db, _ := open(t)
	columns := func() int {
		rows, err := db.Query(`SELECT * FROM goods`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		names, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			into := make([]any, len(names))
			for i := range into {
				into[i] = new(any)
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	if got := columns(); got != 2 {
		t.Fatalf("%d columns", got)
	}
	must(t, db, `ALTER TABLE goods ADD COLUMN season TEXT`)
	if got := columns(); got != 3 {
		t.Errorf("%d columns after one was added", got)
	}
	must(t, db, `DROP TABLE goods`)
	if _, err := db.Query(`SELECT * FROM goods`); err == nil {
		t.Error("a table that is gone was read")
	}
	must(t, db, `CREATE TABLE goods (id TEXT PRIMARY KEY, price INTEGER, season TEXT, stall TEXT)`)
	if got := columns(); got != 4 {
		t.Errorf("%d columns of the table that came anew", got)
	}
	must(t, db, `VACUUM`) // no kept statement holds anything
}

func TestWhatFailedIsUsableAgain(t *testing.T) {
	db, _ := open(t)
	const text = `INSERT INTO goods VALUES (?, ?)`
	must(t, db, text, "pomelo", 5)
	if _, err := db.Exec(text, "pomelo", 6); err == nil {
		t.Fatal("a second pomelo")
	}
	must(t, db, text, "rice wine", 7)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := db.QueryContext(ctx, `SELECT price FROM goods WHERE id = ?`, "pomelo"); err == nil {
		t.Error("an asker who had gone was answered")
	}
	if got := price(t, db, "pomelo"); got != 5 {
		t.Errorf("price %d", got)
	}
}

// Texts that do not come again must not fill the memory.
func TestTheMemoryIsBounded(t *testing.T) {
	db, count := open(t)
	for i := range 3 * kept {
		must(t, db, fmt.Sprintf(`UPDATE goods SET price = %d`, i))
	}
	one, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	err = one.Raw(func(c any) error {
		if n := c.(*conn).latest.Len(); n != kept || n != len(c.(*conn).byText) {
			t.Errorf("%d statements, %d texts are kept, want %d", n, len(c.(*conn).byText), kept)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	before := count()
	must(t, db, fmt.Sprintf(`UPDATE goods SET price = %d`, 3*kept-1))
	must(t, db, `UPDATE goods SET price = 0`)
	if got := count() - before; got != 1 {
		t.Errorf("the latest was forgotten or the first was not: compiled %d", got)
	}
}

func TestWhatIsWorthKeeping(t *testing.T) {
	for text, want := range map[string]bool{
		"SELECT 1":                    true,
		"\n\t select 1":               true,
		"INSERT INTO t VALUES (1)":    true,
		"WITH x AS (SELECT 1) SELECT": true,
		"SELECT\n1":                   true,
		"PRAGMA wal_checkpoint":       false,
		"CREATE TABLE t (x)":          false,
		"BEGIN":                       false,
		"":                            false,
		"SELECT " + string(make([]byte, longest)): false,
	} {
		if got := worth(text); got != want {
			t.Errorf("%.40q: %v", text, got)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	db, _ := open(t)
	db.SetMaxOpenConns(4)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 50 {
				var n int
				if err := db.QueryRow(`SELECT price FROM goods WHERE id = ?`, "honey").Scan(&n); err != nil || n != 90 {
					t.Errorf("reader %d: %d %v", i, n, err)
					return
				}
			}
		})
	}
	all.Wait()
}

// BenchmarkFind finds a record by its id, with compiled statements kept and
// without.
func BenchmarkFind(b *testing.B) {
	for name, open := range map[string]func(string) *sql.DB{"kept": Open, "plain": func(name string) *sql.DB {
		db, err := sql.Open("sqlite", name)
		if err != nil {
			b.Fatal(err)
		}
		return db
	}} {
		b.Run(name, func(b *testing.B) {
			db := open(filepath.Join(b.TempDir(), "x.db"))
			defer db.Close()
			if _, err := db.Exec(`CREATE TABLE goods (id TEXT PRIMARY KEY, price INTEGER); INSERT INTO goods VALUES ('honey', 90)`); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				var n int
				if err := db.QueryRow(`SELECT price FROM goods WHERE id = ?`, "honey").Scan(&n); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
