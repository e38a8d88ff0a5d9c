package push

import (
	"errors"
	"sync"

	"github.com/pocketbase/pocketbase/core"

	"langso/sync/sqlite"
	"langso/sync/wire"
)

// together is how many edits asks may have to share a commit: whoever else writes
// waits for it.
const together = 200

// turns has asks that come while another is being committed share the next commit.
// The fsync, and what each transaction begins and ends with, they pay once. Nobody
// waits for company: who comes alone goes alone at once.
//
// An ask shares nothing else. What goes wrong with one undoes the transaction, and
// then each of them goes alone.
type turns struct {
	mu      sync.Mutex
	waiting []*turn
	led     bool // somebody is committing, and hands on to who waits
}

// turn is one ask's edits on their way through a transaction.
type turn struct {
	*session
	edits []numbered
	next  chan next

	// Of the transaction, until it is committed:
	verdicts []wire.Verdict
	acked    int64
	sendFrom int64
}

// next is what becomes of a turn that waited.
type next int

const (
	through next = iota // it is committed
	alone               // it shared a transaction that failed
	lead                // it commits, for itself and whoever waits
)

// commit judges a turn's edits in a transaction. The error is the transaction's.
func (q *turns) commit(t *turn) error {
	switch q.enter(t) {
	case through:
		return nil
	case alone:
		return transact(t)
	}
	defer q.leave() // whatever happens, or nobody writes any more
	share := q.take()
	err := errors.New("the transaction was not brought to its end")
	if len(share) > 1 {
		defer func() {
			for _, other := range share[1:] {
				if err == nil {
					other.next <- through
				} else {
					other.next <- alone
				}
			}
		}()
	}
	if err = transact(share...); err != nil && len(share) > 1 {
		return transact(t)
	}
	return err
}

// enter waits until the turn is over, or leads.
func (q *turns) enter(t *turn) next {
	q.mu.Lock()
	if !q.led {
		q.led = true
		q.waiting = append(q.waiting, t)
		q.mu.Unlock()
		return lead
	}
	t.next = make(chan next, 1)
	q.waiting = append(q.waiting, t)
	q.mu.Unlock()
	return <-t.next
}

// take takes who shares the commit, in their order; the first leads.
func (q *turns) take() []*turn {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, edits := 1, len(q.waiting[0].edits)
	for n < len(q.waiting) && edits+len(q.waiting[n].edits) <= together {
		edits += len(q.waiting[n].edits)
		n++
	}
	share := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	return share
}

// leave hands on to who has waited longest.
func (q *turns) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.led = len(q.waiting) > 0; q.led {
		q.waiting[0].next <- lead
	}
}

// transact judges the edits of turns in one transaction.
func transact(share ...*turn) error {
	j := share[0].Judge
	err := j.App.RunInTransaction(func(tx core.App) error {
		sqlite.Remember(j.App.NonconcurrentDB(), tx.NonconcurrentDB())
		view, err := j.Journal.View(tx)
		if err != nil {
			return err
		}
		defer view.Close()
		// What others wrote must be seen before an edit is judged against it: an
		// officer's write that is not yet absorbed would be overwritten unseen. Only
		// these phones write from here on, each after the edits of the one before it
		// were absorbed; see [session.settled].
		if err := view.Absorb(0); err != nil {
			return err
		}
		for _, t := range share {
			if err := t.judgeAll(tx, view); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, t := range share {
		t.took()
	}
	return nil
}
