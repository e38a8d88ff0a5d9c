package push

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"langso/sync/wire"
)

// Unknown tells whether an edit is parked because this server knows its collection,
// field or action not yet (or no more).
func Unknown(v wire.Verdict) bool {
	return v.Final() == wire.Parked && strings.HasPrefix(v.Code, "unknown_")
}

// Shape is a fingerprint of all that an edit may name: collections, fields and
// actions. While it is the same, an edit that is unknown stays unknown.
func (j *Judge) Shape(app core.App) (string, error) {
	h := sha256.New()
	for _, d := range j.Domains {
		for _, a := range d.Actions {
			fmt.Fprintf(h, "do %s\n", a.Name)
		}
		for _, c := range d.Collections {
			coll, err := app.FindCachedCollectionByNameOrId(c.Name)
			if notFound(err) {
				continue
			}
			if err != nil {
				return "", fmt.Errorf("read shape of %s: %w", c.Name, err)
			}
			names := []string{}
			for _, f := range coll.Fields {
				if !f.GetHidden() {
					names = append(names, f.GetName())
				}
			}
			for _, old := range slices.Sorted(maps.Keys(c.Aliases)) {
				names = append(names, old+" until "+c.Aliases[old].Until)
			}
			slices.Sort(names)
			fmt.Fprintf(h, "in %s %q\n", c.Name, names)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}
