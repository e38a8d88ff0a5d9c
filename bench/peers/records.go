package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
)

// Record is one record of the workload, as a phone holds it.
type Record struct {
	Coll   string         `json:"coll"`
	ID     string         `json:"id"`
	Fields map[string]any `json:"fields"`
}

// Workload is what every engine holds and does: the same records, changes and
// edits for all.
type Workload struct {
	Person, Household, Stall string // whose phone it is
	Records                  []Record
	Changes                  []Record   // one changed field each
	Edits                    [][]Record // what the person writes offline, one list for each phone
	File                     string     // the records, one JSON object a line
	Kinds                    map[string]map[string]string
}

// public are the collections that everybody who is signed in reads; the other
// records are the person's own.
var public = []string{"announcements", "procedures", "products", "stalls", "stations", "villages"}

// newWorkload plans the changes and edits over the records of a person's phone
// and writes the records into a file.
func newWorkload(person, file string, records []Record) (*Workload, error) {
	w := &Workload{Person: person, Records: records, File: file, Kinds: kinds(records)}
	for _, r := range records {
		switch r.Coll {
		case "persons":
			w.Household, _ = r.Fields["household"].(string)
		case "stalls":
			if r.Fields["owner"] == person {
				w.Stall = r.ID
			}
		}
	}
	w.change("products", 14, "price", func(was any) any { n, _ := was.(float64); return n + 100 })
	w.change("stalls", 3, "pickup", func(any) any { return "Nhà văn hóa số 7" })
	w.change("orders", 3, "note", func(any) any { return "Giao buổi sáng 7" })
	w.write(2)
	return w, writeLines(file, records)
}

// change plans n changes of one field, scattered over the collection.
func (w *Workload) change(coll string, n int, field string, to func(was any) any) {
	var of []Record
	for _, r := range w.Records {
		if r.Coll == coll {
			of = append(of, r)
		}
	}
	slices.SortFunc(of, func(a, b Record) int { return strings.Compare(a.ID[6:], b.ID[6:]) })
	for i := range min(n, len(of)) {
		r := of[i*len(of)/n]
		w.Changes = append(w.Changes, Record{coll, r.ID, map[string]any{field: to(r.Fields[field])}})
	}
}

// write plans 20 measurements a phone.
func (w *Workload) write(phones int) {
	for p := range phones {
		var all []Record
		for i := range 20 {
			all = append(all, Record{"health_entries", fmt.Sprintf("m%dk3x9q2v7t%04d", p, i*271), map[string]any{"person": w.Person, "kind": "measurement", "code": "weight",
				"data": map[string]any{"value": float64(50 + i)}, "occurred_on": "2026-11-01", "source": "told"}})
		}
		w.Edits = append(w.Edits, all)
	}
}

// Changed are the records after the changes.
func (w *Workload) Changed() []Record { return apply(w.Records, w.Changes) }

// apply returns the records with fields changed, or added where they are new.
func apply(records, changes []Record) []Record {
	at := map[string]int{}
	out := slices.Clone(records)
	for i, r := range out {
		at[r.Coll+"/"+r.ID] = i
	}
	for _, c := range changes {
		i, ok := at[c.Coll+"/"+c.ID]
		if !ok {
			out = append(out, c)
			continue
		}
		fields := maps.Clone(out[i].Fields)
		maps.Copy(fields, c.Fields)
		out[i].Fields = fields
	}
	return out
}

// kinds tells of each field of each collection what it holds: text, number,
// bool or json.
func kinds(records []Record) map[string]map[string]string {
	out := map[string]map[string]string{}
	for _, r := range records {
		if out[r.Coll] == nil {
			out[r.Coll] = map[string]string{}
		}
		for k, v := range r.Fields {
			switch v.(type) {
			case string:
				out[r.Coll][k] = "text"
			case float64:
				out[r.Coll][k] = "number"
			case bool:
				out[r.Coll][k] = "bool"
			default:
				out[r.Coll][k] = "json"
			}
		}
	}
	return out
}

// Differ tells how two sets of records differ, at most three of the
// differences; empty when they say the same. A field that is absent says the same
// as one that is null, empty, zero or false: engines with tables know no absence.
func Differ(want, got []Record) string {
	w, g := index(want), index(got)
	var all []string
	for k, f := range w {
		switch other, ok := g[k]; {
		case !ok:
			all = append(all, k+" is missing")
		case !reflect.DeepEqual(f, other):
			all = append(all, fmt.Sprintf("%s is %v, want %v", k, other, f))
		}
	}
	for k := range g {
		if _, ok := w[k]; !ok {
			all = append(all, k+" is too much")
		}
	}
	if len(all) == 0 {
		return ""
	}
	slices.Sort(all)
	n := len(all)
	return fmt.Sprintf("%d records differ: %s", n, strings.Join(all[:min(n, 3)], "; "))
}

func index(records []Record) map[string]map[string]any {
	out := map[string]map[string]any{}
	for _, r := range records {
		fields := map[string]any{}
		for k, v := range r.Fields {
			if v != nil && v != "" && v != 0.0 && v != false {
				fields[k] = v
			}
		}
		out[r.Coll+"/"+r.ID] = fields
	}
	return out
}

func writeLines(file string, records []Record) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	for _, r := range records {
		if err := out.Encode(r); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
