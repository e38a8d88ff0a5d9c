package exchange

import (
	"github.com/pocketbase/pocketbase/core"

	"langso/sync/push"
)

// Settle carries out an administrator's decision about a parked edit, in the
// transaction tx that saves it; the error is a refusal.
func (x *Engine) Settle(tx core.App, parked *core.Record, d push.Decision) error {
	if err := x.journal.Absorb(tx, 0); err != nil {
		return err
	}
	return x.judge.Settle(tx, parked, d)
}
