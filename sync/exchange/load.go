package exchange

import "langso/sync/wire"

// Load names the snapshot files that a new phone of a person may begin with, so
// that it can get them before its first ask; none when that cannot be told.
func (x *Engine) Load(person string) []wire.Snapshot {
	if x.Offer == nil {
		return nil
	}
	circles, err := x.Circles(person)
	if err != nil {
		return nil // the first ask tells it, or why not
	}
	head, err := x.journal.Head()
	if err != nil {
		return nil
	}
	return x.Offer(circles, head)
}
