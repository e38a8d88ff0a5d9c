package load

import (
	"encoding/json"
	"slices"
	"strings"

	"langso/commune"
)

// kind is a collection that can be loaded.
type kind struct {
	name string
	// key is the field that knows a row where it is not "external": a natural
	// key (procedures have a national code). A collection without the field
	// "external" and without a key knows its rows by the id made of it.
	key string
	// own are fields that the domain fills in by itself, whatever a file says.
	own []string
	// loose are fields that hold ids of other records without being relations.
	loose map[string]loose
}

// loose rewrites external ids inside a value to record ids. It is called twice
// with the same row: first to learn which ids it will ask for, then to rewrite.
type loose func(row *item, value any, id resolve) (any, error)

// resolve gives the id of the record with an external id.
type resolve func(collection, external string) (string, error)

// kinds are the collections in the order of their references.
// A reference inside one collection points to an earlier row.
var kinds = []kind{
	{name: "stations"},
	{name: "villages"},
	{name: "households"},
	{name: "persons", own: []string{"search", "corrections"}},
	{name: "guardians"},
	{name: "stalls"},
	{name: "products"},
	{name: "duties", loose: map[string]loose{"place": placeOfDuty}},
	{name: "procedures", key: "code"},
	{name: "announcements"},
	{name: "health_entries", own: []string{"root"}, loose: map[string]loose{"amends": entryIDs}},
	{name: "dossiers"},
	{name: "dossier_events"},
	{name: "orders", loose: map[string]loose{"lines": productsOfLines}},
}

// Collections lists what can be loaded, in the order of loading.
func Collections() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

func known(collection string) bool {
	return slices.ContainsFunc(kinds, func(k kind) bool { return k.name == collection })
}

// placeOfDuty reads the place of a duty as a village, a station or a stall, as
// its role has it.
func placeOfDuty(row *item, value any, id resolve) (any, error) {
	place, _ := value.(string)
	place = strings.TrimSpace(place)
	at := ""
	switch row.text("role") {
	case "village_health":
		at = "villages"
	case "station":
		at = "stations"
	case "seller", "clerk":
		at = "stalls"
	}
	if place == "" || at == "" {
		return place, nil
	}
	return id(at, place)
}

func entryIDs(_ *item, value any, id resolve) (any, error) {
	raw, _ := value.(json.RawMessage)
	if len(raw) == 0 || string(raw) == "null" {
		return raw, nil
	}
	var entries []string
	if json.Unmarshal(raw, &entries) != nil {
		return nil, commune.Refuse("bad_value", "Cột «amends» phải là danh sách mã, dạng [\"M1\",\"M2\"].")
	}
	for i, entry := range entries {
		var err error
		if entries[i], err = id("health_entries", entry); err != nil {
			return nil, err
		}
	}
	return writeJSON(entries)
}

// productsOfLines rewrites the product of each line of an order; a line without
// one (goods no longer sold) keeps its name and price.
func productsOfLines(_ *item, value any, id resolve) (any, error) {
	raw, _ := value.(json.RawMessage)
	if len(raw) == 0 || string(raw) == "null" {
		return raw, nil
	}
	var lines []map[string]json.RawMessage
	if json.Unmarshal(raw, &lines) != nil {
		return nil, commune.Refuse("bad_value", "Cột «lines» phải là danh sách dòng hàng, dạng [{\"product\":\"…\",\"price\":45000,\"quantity\":3}].")
	}
	for _, line := range lines {
		var product string
		if raw, has := line["product"]; !has || json.Unmarshal(raw, &product) != nil || product == "" {
			continue
		}
		record, err := id("products", product)
		if err != nil {
			return nil, err
		}
		line["product"] = json.RawMessage(`"` + record + `"`)
	}
	return writeJSON(lines)
}
