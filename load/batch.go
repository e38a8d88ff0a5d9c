package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"

	"langso/commune"
)

// batch is some rows of one collection, looked up together and written in one
// transaction.
type batch struct {
	*layout
	seen *seen

	new, changed, same int
	errors             []RowError

	tx                  core.App
	now                 time.Time
	items               []*item
	records             map[string]map[string]string // collection → external id → record id
	olds                map[string]*core.Record      // by key
	routed              map[string]string            // values of routes, met in this batch
	inserting, updating *dbx.Query
}

// item is one row that was read well.
type item struct {
	row      Row
	layout   *layout
	external string
	given    []bool // by column: the row has it
	values   []any  // by column
}

// text is what the row gives for a field of texts.
func (it *item) text(field string) string {
	i, ok := it.layout.byName[field]
	if !ok {
		return ""
	}
	s, _ := it.values[i].(string)
	return s
}

// load writes the rows. An error means that none of them was written.
func (b *batch) load(app core.App, rows []Row) error {
	b.records = map[string]map[string]string{}
	b.routed = map[string]string{}
	for _, row := range rows {
		it, err := b.read(row)
		if err == nil && !b.seen.first(it.external) {
			err = commune.Refuse("twice", "Mã «%s» đã gặp ở một dòng trước của lần nạp này.", it.external)
		}
		if err != nil {
			b.reject(row, err)
			continue
		}
		b.items = append(b.items, it)
	}
	if len(b.items) == 0 {
		return nil
	}
	return app.RunInTransaction(b.write)
}

func (b *batch) reject(row Row, err error) {
	e := RowError{File: row.File, Line: row.Line, Code: "failed", Sentence: "Không ghi được: " + err.Error()}
	if e.File == "" {
		e.File = b.name
	}
	var refusal *commune.Refusal
	if p := commune.Parked(err); p != nil {
		refusal = &p.Refusal
	} else {
		refusal = commune.Refused(err)
	}
	if refusal != nil {
		e.Code, e.Sentence = refusal.Code, refusal.Sentence
	}
	b.errors = append(b.errors, e)
}

// read turns a row into values and notes which other records it names.
func (b *batch) read(row Row) (*item, error) {
	it := &item{row: row, layout: b.layout, given: make([]bool, len(b.columns)), values: make([]any, len(b.columns))}
	for _, cell := range row.Cells {
		i, ok := b.byName[cell.Name]
		if cell.Name == "external" && (!ok || b.columns[i].form != text) {
			s, err := (&column{name: "external"}).text(cell.Value)
			if err != nil {
				return nil, err
			}
			it.external = strings.TrimSpace(s)
			continue
		}
		if !ok || b.columns[i].form == closed || b.columns[i].form == stamp {
			return nil, commune.Refuse("unknown_column", "Không có cột «%s», hoặc cột này máy chủ tự ghi.", cell.Name)
		}
		if it.given[i] {
			return nil, commune.Refuse("bad_row", "Cột «%s» có hai lần trong một dòng.", cell.Name)
		}
		v, err := b.columns[i].value(cell.Value)
		if err != nil {
			return nil, err
		}
		if cell.Name == b.key {
			it.external = strings.TrimSpace(v.(string))
			v = it.external
		}
		it.given[i], it.values[i] = true, v
	}
	if it.external == "" {
		return nil, commune.Refuse("no_external", "Thiếu cột «external»: mã riêng của dòng này, để nạp lại không thành hai.")
	}
	_, err := b.references(it, func(collection, external string) (string, error) {
		if b.records[collection] == nil {
			b.records[collection] = map[string]string{}
		}
		b.records[collection][external] = ""
		return "", nil
	})
	return it, err
}

// references passes every external id that the row names through id and
// returns the row's values with what comes back in their place.
func (b *batch) references(it *item, id resolve) ([]any, error) {
	values := append([]any(nil), it.values...)
	for i := range b.columns {
		c := &b.columns[i]
		var err error
		switch {
		case !it.given[i]:
		case c.loose != nil:
			values[i], err = c.loose(it, it.values[i], id)
		case c.form == reference && it.values[i] != "":
			values[i], err = id(c.to, it.values[i].(string))
		}
		if err != nil {
			return nil, err
		}
	}
	return values, nil
}

// write is the transaction.
func (b *batch) write(tx core.App) error {
	b.tx, b.now = tx, time.Now()
	if err := b.find(); err != nil {
		return err
	}
	db := tx.NonconcurrentDB()
	b.inserting, b.updating = db.NewQuery(b.insert).Prepare(), db.NewQuery(b.update).Prepare()
	defer b.inserting.Close()
	defer b.updating.Close()
	for _, it := range b.items {
		err := b.one(it)
		var broken *fatal
		if errors.As(err, &broken) {
			return broken.error
		}
		if err != nil {
			b.reject(it.row, err)
		}
	}
	return nil
}

// fatal ends the batch: the database cannot be read or written.
type fatal struct{ error }

// find reads which records the rows name, and the records that the rows
// themselves made in an earlier load.
func (b *batch) find() error {
	for collection, ids := range b.records {
		if err := findRecords(b.tx, collection, ids); err != nil {
			return err
		}
	}
	keys := make([]string, len(b.items))
	for i, it := range b.items {
		if keys[i] = it.external; b.key == "id" {
			keys[i] = ID(b.name, it.external)
		}
	}
	var olds []*core.Record
	query := b.tx.RecordQuery(b.collection).AndWhere(among(b.key, keys))
	if err := query.All(&olds); err != nil {
		return err
	}
	b.olds = make(map[string]*core.Record, len(olds))
	for _, old := range olds {
		b.olds[old.GetString(b.key)] = old
	}
	return nil
}

// among is a condition that the unique index on a column of external ids can
// serve: it holds only those that are not empty.
func among(column string, values []string) dbx.Expression {
	raw, _ := json.Marshal(values) // texts always marshal
	return dbx.NewExp("[["+column+"]] IN (SELECT value FROM json_each({:values})) AND [["+column+"]] != ''", dbx.Params{"values": string(raw)})
}

// findRecords fills ids, external id → record id, from a collection.
func findRecords(tx core.App, collection string, ids map[string]string) error {
	col, err := tx.FindCachedCollectionByNameOrId(collection)
	if err != nil {
		return err
	}
	key := keyOf(col)
	asked := make(map[string]string, len(ids)) // value of key → external id
	keys := make([]string, 0, len(ids))
	for external := range ids {
		k := external
		if key == "id" && known(collection) {
			k = ID(collection, external)
		}
		asked[k] = external
		keys = append(keys, k)
	}
	rows, err := tx.DB().Select("[["+key+"]]", "id").From(col.Name).Where(among(key, keys)).Rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var k, id string
		if err := rows.Scan(&k, &id); err != nil {
			return err
		}
		ids[asked[k]] = id
	}
	return rows.Err()
}

// one writes one row, or tells why not.
func (b *batch) one(it *item) error {
	values, err := b.references(it, b.record)
	if err != nil {
		return err
	}
	key := it.external
	if b.key == "id" {
		key = ID(b.name, it.external)
	}
	old := b.olds[key]
	r, c := core.NewRecord(b.collection), &commune.Case{App: b.tx, Now: b.now, At: b.now}
	if old != nil {
		r, c.Old = old.Fresh(), old
	} else {
		r.Id = ID(b.name, it.external)
	}
	c.New = r
	moved := old == nil
	for i := range b.columns {
		if col := &b.columns[i]; it.given[i] {
			v := col.stored(r, values[i])
			moved = moved || !same(v, old.GetRaw(col.name))
			r.SetRaw(col.name, v)
		}
	}
	if moved {
		if err := b.complete(c); err != nil {
			return err
		}
		// Fill may have brought the row back to what stands: 0912 345 678.
		moved = old == nil || b.differ(old, r)
	}
	if !moved {
		b.same++
		return nil
	}
	if err := b.save(r, old == nil); err != nil {
		return err
	}
	if old == nil {
		b.new++
	} else {
		b.changed++
	}
	if own := b.records[b.name]; own != nil {
		own[it.external] = r.Id // a later row of this batch may name it
	}
	return nil
}

func (b *batch) differ(old, r *core.Record) bool {
	for i := range b.columns {
		if name := b.columns[i].name; !same(r.GetRaw(name), old.GetRaw(name)) {
			return true
		}
	}
	return false
}

// record gives the id of the record with an external id.
func (b *batch) record(collection, external string) (string, error) {
	if id := b.records[collection][external]; id != "" {
		return id, nil
	}
	return "", commune.Refuse("ref_missing", "Không có dòng nào mang mã «%s» trong bảng «%s».", external, collection)
}

// complete fills and checks a record as a write in the dashboard would.
func (b *batch) complete(c *commune.Case) error {
	for _, r := range b.routes {
		v, err := b.follow(r, c.New.GetString(r.Via))
		if err != nil {
			return err
		}
		c.New.SetRaw(r.field, v)
	}
	if b.declared != nil && b.declared.Fill != nil {
		if err := b.declared.Fill(c); err != nil {
			return err
		}
	}
	for i := range b.columns {
		if err := b.columns[i].check(b.tx, c.New); err != nil {
			return err
		}
	}
	if b.declared != nil && b.declared.Check != nil {
		return b.declared.Check(c)
	}
	return nil
}

// follow reads the value of a route, once a batch.
func (b *batch) follow(r routed, id string) (string, error) {
	if id == "" {
		return "", nil
	}
	place := r.Of + "." + r.From + "." + id
	v, known := b.routed[place]
	if known {
		return v, nil
	}
	err := b.tx.DB().Select("[[" + r.From + "]]").From(r.Of).Where(dbx.HashExp{"id": id}).Row(&v)
	if err != nil {
		return "", &fatal{err}
	}
	b.routed[place] = v
	return v, nil
}

// check applies the field's own constraints. That a record is there to be
// pointed at was seen when the row's references were looked up.
func (c *column) check(app core.App, r *core.Record) error {
	if c.form == closed || c.form == stamp {
		return nil
	}
	if c.form == reference {
		if c.required && r.GetString(c.name) == "" {
			return c.bad("required", "không được để trống")
		}
		return nil
	}
	err := c.ValidateValue(context.Background(), app, r)
	if err == nil {
		return nil
	}
	var v validation.Error
	if !errors.As(err, &v) {
		return c.bad("bad_value", "không hợp lệ: "+err.Error())
	}
	say, told := fieldErrors[v.Code()]
	if !told {
		return c.bad("bad_value", "không hợp lệ: "+v.Error())
	}
	for name, value := range v.Params() {
		say.sentence = strings.ReplaceAll(say.sentence, "{"+name+"}", fmt.Sprint(value))
	}
	return c.bad(say.code, say.sentence)
}

// fieldErrors says PocketBase's own refusals in words.
var fieldErrors = map[string]struct{ code, sentence string }{
	"validation_required":              {"required", "không được để trống"},
	"validation_max_text_constraint":   {"too_long", "dài quá {max} chữ"},
	"validation_min_text_constraint":   {"too_short", "phải có ít nhất {min} chữ"},
	"validation_invalid_format":        {"bad_format", "chưa đúng dạng"},
	"validation_invalid_value":         {"bad_value", "không có giá trị «{value}» trong danh sách"},
	"validation_only_int_constraint":   {"bad_number", "phải là số nguyên"},
	"validation_min_number_constraint": {"bad_number", "phải từ {min} trở lên"},
	"validation_max_number_constraint": {"bad_number", "phải từ {max} trở xuống"},
	"validation_not_a_number":          {"bad_number", "không phải là số"},
	"validation_json_size_limit":       {"too_long", "dài quá {maxSize} byte"},
	"validation_invalid_json":          {"bad_value", "không phải là JSON đúng"},
}

// save writes the record with the prepared statement.
func (b *batch) save(r *core.Record, fresh bool) error {
	params := make(dbx.Params, len(b.columns))
	now := types.DateTime{}
	for i := range b.columns {
		c := &b.columns[i]
		if auto, is := c.Field.(*core.AutodateField); is && (fresh && auto.OnCreate || !fresh && auto.OnUpdate) {
			if now.IsZero() {
				now, _ = types.ParseDateTime(b.now)
			}
			r.SetRaw(c.name, now)
		}
		if d, is := c.Field.(core.DriverValuer); is {
			v, err := d.DriverValue(r)
			if err != nil {
				return err
			}
			params[c.name] = v
			continue
		}
		params[c.name] = r.GetRaw(c.name)
	}
	query := b.updating
	if fresh {
		query = b.inserting
	}
	_, err := query.Bind(params).Execute()
	if err == nil {
		return nil
	}
	if strings.Contains(err.Error(), "constraint failed") {
		return commune.Refuse("taken", "Trùng với một mục đang có (%s).", constraint(err))
	}
	return &fatal{err}
}

// constraint names the columns of SQLite's "constraint failed: UNIQUE
// constraint failed: dossiers.code (2067)".
func constraint(err error) string {
	s := err.Error()
	s = s[strings.LastIndex(s, "failed:")+len("failed:"):]
	if i := strings.IndexByte(s, '('); i >= 0 {
		s = s[:i]
	}
	return strings.TrimSpace(s)
}
