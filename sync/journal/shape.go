package journal

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// mode says what the journal does with a column.
type mode byte

const (
	off     mode = iota // hidden, or the server's own: as if it were always zero
	tracked             // compared, because others are routed by it; never sent
	sent
)

// column is one field of a shared collection.
type column struct {
	no   int64
	id   string // PocketBase's id of the field: stable when it is renamed
	name string
	kind kind
	mode mode
}

// shape is a shared collection as its table is now.
type shape struct {
	Collection
	no      int64
	id      string // PocketBase's id of the collection
	columns []column
	byNo    map[int64]int
	query   string // SELECT of the columns, ready for a WHERE
}

// shapes are all of them, as of one version of the database's schema.
type shapes struct {
	version int64  // SQLite's: grows with each change of a table
	saved   string // when a collection was last saved: a hidden field changes no table
	salt    int64
	byName  map[string]*shape
	byID    map[string]*shape
	byNo    map[int64]*shape
	names   map[int64]string // also of collections that are no more
}

// rower is anything that runs a query with positional arguments.
type rower interface {
	query(sql string, args ...any) (*dbx.Rows, error)
}

// load reads the shapes from the database, through the transaction at hand, so
// that they are those of the very state that is read with them.
func (j *Journal) load(q rower) (*shapes, error) {
	s := &shapes{byName: map[string]*shape{}, byID: map[string]*shape{}, byNo: map[int64]*shape{}, names: map[int64]string{}}
	if err := scanOne(q, `SELECT schema_version, (SELECT max(updated) FROM _collections) FROM pragma_schema_version`, nil, &s.version, &s.saved); err != nil {
		return nil, err
	}
	j.mu.RLock()
	have := j.shapes
	j.mu.RUnlock()
	if have != nil && have.version == s.version && have.saved == s.saved {
		return have, nil
	}
	if err := scanOne(q, `SELECT salt FROM journal_meta`, nil, &s.salt); err != nil {
		return nil, err
	}
	numbers := map[string]int64{}
	fields := map[int64]map[string]int64{}
	err := scanAll(q, `SELECT no, coll, name FROM journal_collections`, nil, func(rows *dbx.Rows) error {
		var no int64
		var id, name string
		if err := rows.Scan(&no, &id, &name); err != nil {
			return err
		}
		numbers[id], s.names[no] = no, name
		fields[no] = map[string]int64{}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = scanAll(q, `SELECT coll, no, field FROM journal_fields`, nil, func(rows *dbx.Rows) error {
		var coll, no int64
		var id string
		if err := rows.Scan(&coll, &no, &id); err != nil {
			return err
		}
		if fields[coll] != nil {
			fields[coll][id] = no
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = scanAll(q, `SELECT id, name, fields FROM _collections WHERE type != 'view'`, nil, func(rows *dbx.Rows) error {
		var id, name, raw string
		if err := rows.Scan(&id, &name, &raw); err != nil {
			return err
		}
		c, declared := j.collections[name]
		if no := numbers[id]; declared && no != 0 {
			sh, err := newShape(c, no, id, raw, fields[no])
			if err != nil {
				return err
			}
			s.byName[name], s.byID[id], s.byNo[no] = sh, sh, sh
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func newShape(c Collection, no int64, id, raw string, numbers map[string]int64) (*shape, error) {
	var fs []struct {
		ID, Name, Type string
		Hidden         bool
		MaxSelect      int
	}
	if err := json.Unmarshal([]byte(raw), &fs); err != nil {
		return nil, fmt.Errorf("read fields of %s: %w", c.Name, err)
	}
	sh := &shape{Collection: c, no: no, id: id, byNo: map[int64]int{}}
	names := []string{"[[id]]"}
	for _, f := range fs {
		if f.Name == "id" {
			continue
		}
		col := column{no: numbers[f.ID], id: f.ID, name: f.Name, mode: sent}
		switch f.Type {
		case "number":
			col.kind = kindNumber
		case "bool":
			col.kind = kindBool
		case "json", "geoPoint":
			col.kind = kindJSON
		case "select", "relation", "file":
			if f.MaxSelect > 1 {
				col.kind = kindList
			}
		case "autodate", "password":
			continue
		}
		if f.Hidden || f.Type == "file" || col.no == 0 {
			col.mode = off
		}
		for _, r := range c.Routes {
			if r.Field == f.Name && !r.Shown {
				col.mode = tracked
			}
		}
		if col.no != 0 {
			sh.byNo[col.no] = len(sh.columns)
		}
		sh.columns = append(sh.columns, col)
		names = append(names, "[["+f.Name+"]]")
	}
	sh.query = "SELECT " + strings.Join(names, ", ") + " FROM {{" + c.Name + "}} WHERE "
	return sh, nil
}

// fingerprint changes when every record must be looked at again: other circle
// rules, or a field that was kept from phones and no longer is. Its last line
// names what phones know.
func (sh *shape) fingerprint() string {
	var kept, known []string
	for _, c := range sh.columns {
		if c.mode == sent {
			known = append(known, c.id+":"+c.name)
		} else {
			kept = append(kept, c.id)
		}
	}
	sort.Strings(kept)
	sort.Strings(known)
	return sh.Rules + "\n" + strings.Join(kept, " ") + "\n" + strings.Join(known, " ")
}

// lost tells whether phones know a field that is no more, by another name, or
// hidden now: a difference cannot say that surely (a field may be hidden and then
// renamed before a phone hears of either), so they need the records whole.
func lost(before, now string) bool {
	was := strings.Split(before, "\n")
	is := strings.Split(now, "\n")
	if len(was) != 3 || len(is) != 3 {
		return false
	}
	have := strings.Fields(is[2])
	return slices.ContainsFunc(strings.Fields(was[2]), func(field string) bool { return !slices.Contains(have, field) })
}

// Forget makes the journal read the shapes anew: a collection was saved.
func (j *Journal) Forget() {
	j.mu.Lock()
	j.shapes = nil
	j.mu.Unlock()
}

// keep stores shapes that were read from a committed state.
func (j *Journal) keep(s *shapes) {
	j.mu.Lock()
	if j.shapes == nil || j.shapes.version < s.version || j.shapes.saved < s.saved {
		j.shapes = s
	}
	j.mu.Unlock()
}

// Prepare makes numbers and triggers for all shared collections that exist,
// and touches what may have changed unseen. It is idempotent; call it inside
// the transaction that saves or imports a collection, and at start.
func (j *Journal) Prepare(tx core.App) error {
	db := &writer{db: tx.NonconcurrentDB()}
	defer db.close()
	type saved struct{ id, name, fields string }
	var all []saved
	err := scanAll(db, `SELECT id, name, fields FROM _collections WHERE type != 'view' ORDER BY name`, nil, func(rows *dbx.Rows) error {
		var s saved
		if err := rows.Scan(&s.id, &s.name, &s.fields); err != nil {
			return err
		}
		if j.Declared(s.name) {
			all = append(all, s)
		}
		return nil
	})
	if err != nil {
		return err
	}
	have, err := triggers(db)
	if err != nil {
		return err
	}
	for _, s := range all {
		if err := j.prepare(db, s.id, s.name, s.fields, have[s.name]); err != nil {
			return fmt.Errorf("prepare %s: %w", s.name, err)
		}
	}
	j.Forget()
	return nil
}

// triggers are the names of all triggers by table. A renamed table carries its
// triggers along, rewritten by SQLite: it is the trigger's table that counts, not
// the letter of its text.
func triggers(db *writer) (map[string]map[string]bool, error) {
	have := map[string]map[string]bool{}
	err := scanAll(db, `SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'`, nil, func(rows *dbx.Rows) error {
		var table, name string
		err := rows.Scan(&table, &name)
		if have[table] == nil {
			have[table] = map[string]bool{}
		}
		have[table][name] = true
		return err
	})
	return have, err
}

func (j *Journal) prepare(db *writer, id, name, fields string, triggers map[string]bool) error {
	if err := db.exec(`INSERT INTO journal_collections (coll, name, declared) VALUES ({:p0}, {:p1}, '') ON CONFLICT DO NOTHING`, id, name); err != nil {
		return err
	}
	var no int64
	var declared string
	if err := scanOne(db, `SELECT no, declared FROM journal_collections WHERE coll = {:p0}`, []any{id}, &no, &declared); err != nil {
		return err
	}
	var fs []struct{ ID string }
	if err := json.Unmarshal([]byte(fields), &fs); err != nil {
		return err
	}
	numbers := map[string]int64{}
	err := scanAll(db, `SELECT field, no FROM journal_fields WHERE coll = {:p0}`, []any{no}, func(rows *dbx.Rows) error {
		var field string
		var n int64
		err := rows.Scan(&field, &n)
		numbers[field] = n
		return err
	})
	if err != nil {
		return err
	}
	for _, f := range fs {
		if numbers[f.ID] != 0 {
			continue
		}
		if err := db.exec(`INSERT INTO journal_fields (coll, no, field) SELECT {:p0}, 1 + coalesce(max(no), 0), {:p1} FROM journal_fields WHERE coll = {:p0}`, no, f.ID); err != nil {
			return err
		}
		numbers[f.ID] = 1 // any: the shape is made again when it is read
	}
	sh, err := newShape(j.collections[name], no, id, fields, numbers)
	if err != nil {
		return err
	}
	fresh, err := makeTriggers(db, id, name, triggers)
	if err != nil {
		return err
	}
	print := sh.fingerprint()
	if !fresh && print == declared {
		return j.touchMissing(db, id, no, name)
	}
	if err := db.exec(`INSERT INTO journal_touched (coll, rid) SELECT {:p0}, [[id]] FROM {{`+name+`}} WHERE true ON CONFLICT DO NOTHING`, id); err != nil {
		return err
	}
	if err := touchLive(db, id, no); err != nil {
		return err
	}
	if lost(declared, print) {
		// As if each had left and come back: they go out whole.
		if err := db.exec(`UPDATE journal_records SET gone = seq WHERE coll = {:p0} AND gone = 0`, no); err != nil {
			return err
		}
	}
	return db.exec(`UPDATE journal_collections SET declared = {:p1} WHERE no = {:p0}`, no, print)
}

// touchMissing touches rows that the journal has not, and entries without a
// row: a foreign tool may have written with the triggers off.
func (j *Journal) touchMissing(db *writer, id string, no int64, name string) error {
	err := db.exec(`INSERT INTO journal_touched (coll, rid) SELECT {:p0}, [[id]] FROM {{`+name+`}} AS t
		WHERE NOT EXISTS (SELECT 1 FROM journal_records r WHERE r.coll = {:p1} AND r.rid = t.[[id]] AND r.gone = 0) ON CONFLICT DO NOTHING`, id, no)
	if err != nil {
		return err
	}
	return db.exec(`INSERT INTO journal_touched (coll, rid) SELECT {:p0}, r.rid FROM journal_records r WHERE r.coll = {:p1} AND r.gone = 0
		AND NOT EXISTS (SELECT 1 FROM {{`+name+`}} AS t WHERE t.[[id]] = r.rid) ON CONFLICT DO NOTHING`, id, no)
}

func touchLive(db *writer, id string, no int64) error {
	return db.exec(`INSERT INTO journal_touched (coll, rid) SELECT {:p0}, rid FROM journal_records WHERE coll = {:p1} AND gone = 0 ON CONFLICT DO NOTHING`, id, no)
}

// Drop touches all records of a collection that is being deleted: DROP TABLE
// fires no trigger. Call it in the same transaction.
func (j *Journal) Drop(tx core.App, id string) error {
	db := &writer{db: tx.NonconcurrentDB()}
	defer db.close()
	var no int64
	if err := scanOne(db, `SELECT coalesce(max(no), 0) FROM journal_collections WHERE coll = {:p0}`, []any{id}, &no); err != nil || no == 0 {
		return err
	}
	j.Forget()
	return touchLive(db, id, no)
}

// makeTriggers makes the four triggers of a table unless they stand as they
// should; it tells whether it had to.
func makeTriggers(db *writer, id, table string, have map[string]bool) (bool, error) {
	want := map[string]string{}
	add := func(name, event, row string) {
		full := "touch_" + id + "_" + name
		want[full] = fmt.Sprintf("CREATE TRIGGER `%s` AFTER %s ON `%s` BEGIN INSERT INTO journal_touched (coll, rid) VALUES ('%s', %s.id) ON CONFLICT DO NOTHING; END",
			full, event, table, id, row)
	}
	add("ins", "INSERT", "NEW")
	add("upd", "UPDATE", "OLD")
	add("mov", "UPDATE OF id", "NEW") // raw SQL may change an id: both are touched
	add("del", "DELETE", "OLD")
	fresh := false
	for name, sql := range want {
		if have[name] {
			continue
		}
		fresh = true
		if err := db.exec("DROP TRIGGER IF EXISTS `" + name + "`"); err != nil {
			return false, err
		}
		if err := db.exec(sql); err != nil {
			return false, err
		}
	}
	return fresh, nil
}
