package dashboard

import (
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/search"
)

var (
	via    = regexp.MustCompile(`^(\w+)_via_(\w+)$`)
	oldVia = regexp.MustCompile(`^(\w+)\((\w+)\)$`)

	errPath = refuse(http.StatusForbidden, "personal_path", "Không lọc hay xếp được theo mục riêng từ một bảng khác: hãy mở chính mục ấy và tìm trong đó.")
)

// query judges the parts of a request's address that lead from its collection
// into others. Whether a record matches is an answer too, so no filter or sort
// may lead into a personal collection, opened or not: there would be nobody
// in whose log it could stand. An expand may lead into opened ones; of a
// closed one it shows only what the pointing record says itself, the id.
func (g *gate) query(e *core.RequestEvent, base *core.Collection) error {
	values := e.Request.URL.Query()
	for _, filter := range values[search.FilterQueryParam] {
		if err := g.filter(e.App, base, filter); err != nil {
			return err
		}
	}
	for _, sort := range values[search.SortQueryParam] {
		for _, field := range search.ParseSortFromString(sort) {
			if g.reaches(e.App, base, field.Name) {
				return errPath
			}
		}
	}
	for _, expand := range values["expand"] {
		for path := range strings.SplitSeq(expand, ",") {
			if err := g.expand(e, base, strings.TrimSpace(path)); err != nil {
				return err
			}
		}
	}
	return nil
}

// filter reads an expression exactly as PocketBase will: by its own parser,
// which asks for each name it meets.
func (g *gate) filter(app core.App, base *core.Collection, filter string) error {
	if filter == "" {
		return nil
	}
	names := &names{reaches: func(name string) bool { return g.reaches(app, base, name) }}
	_, err := search.FilterData(filter).BuildExpr(names)
	if names.personal {
		return errPath
	}
	if err != nil {
		return refuse(http.StatusBadRequest, "bad_filter", "Điều kiện lọc không đọc được.")
	}
	return nil
}

// names is a resolver that resolves nothing: it looks at names as they come.
type names struct {
	reaches  func(string) bool
	personal bool
}

var errReached = errors.New("reaches a personal collection")

// UpdateQuery implements search.FieldResolver.
func (n *names) UpdateQuery(*dbx.SelectQuery) error { return nil }

// Resolve implements search.FieldResolver.
func (n *names) Resolve(name string) (*search.ResolverResult, error) {
	if n.reaches(name) {
		n.personal = true
		return nil, errReached
	}
	return &search.ResolverResult{Identifier: "1"}, nil
}

// reaches tells whether a field's path, in a filter, a sort or a rule on base,
// leads into a personal collection.
func (g *gate) reaches(app core.App, base *core.Collection, name string) bool {
	parts := strings.Split(name, ".")
	switch {
	case parts[0] == "@collection" && len(parts) > 2:
		of, _, _ := strings.Cut(parts[1], ":")
		c, err := app.FindCachedCollectionByNameOrId(of)
		return err == nil && (g.find(c) != nil || g.walks(app, c, parts[2:]))
	case parts[0] == "@request" && len(parts) > 2 && parts[1] == "body":
		return g.walks(app, base, parts[2:])
	case parts[0] == "@request" && len(parts) > 2 && parts[1] == "auth":
		auths, err := app.FindAllCollections(core.CollectionTypeAuth)
		if err != nil {
			return true
		}
		for _, c := range auths {
			if g.walks(app, c, parts[2:]) {
				return true
			}
		}
		return false
	case strings.HasPrefix(parts[0], "@"):
		return false
	}
	return g.walks(app, base, parts)
}

// walks follows a path of relations. Its last part is a field of the
// collection reached, so a plain relation at the end stays where it is.
func (g *gate) walks(app core.App, c *core.Collection, parts []string) bool {
	for i, part := range parts {
		part, _, _ = strings.Cut(part, ":")
		next, back := step(app, c, part)
		if next == nil || !back && i == len(parts)-1 {
			return false
		}
		if g.find(next) != nil {
			return true
		}
		c = next
	}
	return false
}

// step returns the collection to which one part of a path leads from c, and
// whether it does so backwards; nil when it leads nowhere.
func step(app core.App, c *core.Collection, part string) (next *core.Collection, back bool) {
	if f, ok := c.Fields.GetByName(part).(*core.RelationField); ok {
		next, _ = app.FindCachedCollectionByNameOrId(f.CollectionId)
		return next, false
	}
	if c.Fields.GetByName(part) != nil {
		return nil, false
	}
	m := via.FindStringSubmatch(part)
	if m == nil {
		m = oldVia.FindStringSubmatch(part)
	}
	if m == nil {
		return nil, false
	}
	next, _ = app.FindCachedCollectionByNameOrId(m[1])
	return next, true
}

// expand refuses a path that leads backwards into a closed collection, which
// would tell who is in it, or through one to what lies behind.
func (g *gate) expand(e *core.RequestEvent, c *core.Collection, path string) error {
	parts := strings.Split(path, ".")
	for i, part := range parts {
		next, back := step(e.App, c, part)
		if next == nil {
			return nil // PocketBase leaves it out
		}
		if p := g.find(next); p != nil && (back || i < len(parts)-1) {
			if err := g.allow(e, next); err != nil {
				return err
			}
		}
		c = next
	}
	return nil
}
