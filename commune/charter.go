package commune

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Charter prints who may do what, from the declarations alone: domains,
// collections, actions and jobs in the order of their names, one thing a line,
// so that a diff shows when somebody may suddenly read more.
func Charter(domains []Domain) string {
	var b strings.Builder
	for i, d := range sortedBy(domains, func(d Domain) string { return d.Name }) {
		if i > 0 {
			b.WriteByte('\n')
		}
		d.charter(&b)
	}
	return b.String()
}

func (d Domain) charter(b *strings.Builder) {
	fmt.Fprintf(b, "%s (%s)\n", d.Name, d.Title)
	for _, c := range sortedBy(d.Collections, func(c Collection) string { return c.Name }) {
		c.charter(b, d.Actions)
	}
	for _, a := range sortedBy(d.Actions, func(a Action) string { return a.Name }) {
		fmt.Fprintf(b, "  %s (%s)\n", a.Name, a.Title)
		entry(b, "by", a.By)
		entry(b, "writes", sortedList(a.Writes))
	}
	for _, j := range sortedBy(d.Jobs, func(j Job) string { return j.Name }) {
		fmt.Fprintf(b, "  job: %s\n", j.Name)
		entry(b, "at", j.At+" UTC")
	}
	if d.Standing.Of != nil {
		b.WriteString("  standing\n")
		entry(b, "from", sortedList(d.Standing.From))
	}
}

func (c Collection) charter(b *strings.Builder, actions []Action) {
	fmt.Fprintf(b, "  %s (%s)\n", c.Name, c.Title)
	entry(b, "read", orNobody(c.Read.String()))
	entry(b, "write", c.writers(actions))
	if len(c.Write) > 0 {
		entry(b, "apart", c.policies())
		if len(c.Settle) > 0 {
			entry(b, "settle", c.Settle.String())
		} else if c.asks() {
			entry(b, "settle", c.Settlers().String())
		}
	}
	for _, old := range slices.Sorted(maps.Keys(c.Aliases)) {
		entry(b, "old name", fmt.Sprintf("%s, now %s, until %s", old, c.Aliases[old].Field, c.Aliases[old].Until))
	}
	entry(b, "by server", sortedList(c.ServerFields))
	entry(b, "files", sortedList(c.Files))
	for _, field := range slices.Sorted(maps.Keys(c.Routes)) {
		r := c.Routes[field]
		shown := ""
		if r.Shown {
			shown = ", shown"
		}
		entry(b, "follows", fmt.Sprintf("%s = %s.%s of %s%s", field, r.Of, r.From, r.Via, shown))
	}
	if len(c.Snapshot) > 0 {
		names := make([]string, len(c.Snapshot))
		for i, circle := range c.Snapshot {
			names[i] = string(circle)
		}
		entry(b, "in file", sortedList(names))
	}
	if c.Personal {
		owner := c.Owner
		if owner == "" {
			owner = "the record itself"
		}
		entry(b, "personal", "of "+owner)
	}
}

// writers names the circles that write by edits, or else the actions.
func (c Collection) writers(actions []Action) string {
	if len(c.Write) > 0 {
		return c.Write.String()
	}
	var names []string
	for _, a := range actions {
		if slices.Contains(a.Writes, c.Name) {
			names = append(names, a.Name)
		}
	}
	if len(names) == 0 {
		return "only the dashboard and the server"
	}
	return "only " + sortedList(names)
}

func (c Collection) policies() string {
	out := c.Conflict.String()
	for _, field := range slices.Sorted(maps.Keys(c.Fields)) {
		out += "; " + field + ": " + c.Fields[field].String()
	}
	return out
}

// entry prints one aspect, unless there is nothing to say about it.
func entry(b *strings.Builder, what, text string) {
	if text != "" {
		fmt.Fprintf(b, "    %-10s%s\n", what, text)
	}
}

func orNobody(s string) string {
	if s == "" {
		return "nobody"
	}
	return s
}

func sortedList(words []string) string {
	return strings.Join(slices.Sorted(slices.Values(words)), ", ")
}

func sortedBy[T any](of []T, name func(T) string) []T {
	return slices.SortedFunc(slices.Values(of), func(a, b T) int { return strings.Compare(name(a), name(b)) })
}
