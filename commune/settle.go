package commune

import (
	"slices"
	"strings"
)

// The actions by which people settle what waits for them. The engine does them
// itself, in every commune: they are about edits, and edits are of no domain.
const (
	// SettleAction is an officer's decision: {"phone","n","take":"mine"|"theirs"|"value","fields"?}.
	SettleAction = "sync.settle"
	// WithdrawAction is the maker's "never mind": {"n"}.
	WithdrawAction = "sync.withdraw"
)

// Settlers names the circles whose people decide what waits for a person about
// a record: those declared, else the officers among those who write it; where no
// officer does, all who write it.
func (c Collection) Settlers() Circles {
	if len(c.Settle) > 0 {
		return c.Settle
	}
	var officers Circles
	for _, r := range c.Write {
		if r.officers() {
			officers = append(officers, r)
		}
	}
	if len(officers) > 0 {
		return officers
	}
	return c.Write
}

// officers tells whether the rule's circle is one that a duty opens.
func (r Rule) officers() bool {
	return strings.HasPrefix(r.kind, "duty:") || slices.Contains([]string{"station", "village-health", "village-head", "stall"}, r.kind)
}

// asks tells whether a field of the collection may wait for a person.
func (c Collection) asks() bool {
	if c.Conflict.IsAsk() {
		return true
	}
	for _, p := range c.Fields {
		if p.IsAsk() {
			return true
		}
	}
	return false
}
