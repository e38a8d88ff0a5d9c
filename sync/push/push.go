// Package push judges what people did on their phones.
//
// Edits come in the phone's own order, n = 1, 2, 3 … Each gets a verdict that is
// kept, and the effects of an edit, its verdict and "acked n" are one commit: an
// edit sent again gets the verdict it got, and is not done twice. The queue
// never blocks: a refused edit is stored as refused and the next one is judged;
// an edit that depends on a refused one is parked.
//
// All edits of an exchange are judged in one transaction, because a commit costs
// an fsync, and exchanges that come meanwhile share the next one (turns.go). A
// refusal normally comes before anything is written. When an edit fails after it
// has written something, that whole transaction is undone and the edits are judged
// again one transaction each, so that nothing of the failed one stays. (Savepoints would do it in one, but PocketBase would then announce the
// saves that were undone.)
package push

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/sync/journal"
	"langso/sync/wire"
)

// Judge applies edits by the domains' declarations.
type Judge struct {
	App     core.App
	Journal *journal.Journal
	Domains []commune.Domain
	Sign    func([]byte) string // the server's signature for receipts
	// Called is what a person is called; nil: nobody is called anything.
	Called func(app core.App, person string) string

	turns turns
}

// Phone is who sends.
type Phone struct {
	ID        string
	No        int64 // the phone's number in the journal
	Acked     int64
	Confirmed int64 // verdicts up to here are stored on the phone
	// Blocked phones hand in what they have: everything is parked for a person.
	Blocked bool
	// Foreign says that the phone's numbers are of another history: a base means
	// nothing, and everything was changed apart.
	Foreign bool
}

// Outcome is what became of an ask's edits.
type Outcome struct {
	Verdicts []wire.Verdict
	Problems []wire.Problem
	Acked    int64
	SendFrom int64 // a gap: nothing from there on was looked at
}

// errDirty undoes a transaction in which an edit failed halfway.
var errDirty = errors.New("an edit failed after it had written")

// Push judges the edits of one ask. author is the phone's person with the
// standing of now; skew is added to the phone's times. The error is of the
// server (disk full, interrupted), not of an edit; then nothing was acked that
// is not committed.
func (j *Judge) Push(ctx context.Context, p Phone, author commune.Author, edits []json.RawMessage, now time.Time, skew time.Duration) (Outcome, error) {
	s := &session{Judge: j, ctx: ctx, phone: p, author: author, now: now, skew: skew}
	todo := s.number(edits)
	err := s.transact(todo)
	if errors.Is(err, errDirty) {
		err = nil
		for _, e := range todo {
			if err = s.transact([]numbered{e}); errors.Is(err, errDirty) {
				err = s.transact([]numbered{{n: e.n, raw: e.raw, failed: s.failed}})
			}
			if err != nil || s.out.SendFrom != 0 {
				break
			}
		}
	}
	s.out.Acked = s.phone.Acked
	return s.out, err
}

// numbered is an edit whose number could be read.
type numbered struct {
	n      int64
	raw    json.RawMessage
	failed *wire.Verdict // it was tried, wrote, and failed: only this is to be stored
}

// session is one ask's edits being judged.
type session struct {
	*Judge
	ctx    context.Context
	phone  Phone
	author commune.Author
	now    time.Time
	skew   time.Duration

	out Outcome
	// Of the transaction at hand:
	judged map[int64]wire.Verdict
	view   *journal.View // shared with the other asks of the commit
	keep   *dbx.Query    // stores a verdict
	before int64         // rows written before the edit at hand

	forked bool // numbers of this ask were used before with other content
	failed *wire.Verdict
}

func (s *session) number(edits []json.RawMessage) []numbered {
	var out []numbered
	for i, raw := range edits {
		n, ok := wire.EditNumber(raw)
		if !ok {
			s.out.Problems = append(s.out.Problems, wire.Problem{At: i, Code: "bad_edit", Say: "Một việc gửi lên không có số thứ tự, máy chủ không đọc được."})
			continue
		}
		out = append(out, numbered{n: n, raw: raw})
	}
	return out
}

// transact judges edits in a transaction, shared with others or alone.
func (s *session) transact(edits []numbered) error {
	if len(edits) == 0 {
		return nil
	}
	return s.turns.commit(&turn{session: s, edits: edits})
}

// judgeAll judges edits in a transaction. The session itself changes only when
// that is committed, see [turn.took].
func (t *turn) judgeAll(tx core.App, view *journal.View) error {
	// Read where it is written: the same ask may be judged twice at once.
	err := tx.NonconcurrentDB().NewQuery(`SELECT acked FROM sync_phones WHERE phone = {:phone}`).Bind(dbx.Params{"phone": t.phone.ID}).Row(&t.acked)
	if err != nil {
		return err
	}
	t.verdicts, t.sendFrom = nil, 0
	forked := t.forked
	t.judged, t.view = map[int64]wire.Verdict{}, view
	t.keep = tx.NonconcurrentDB().NewQuery(`INSERT INTO sync_verdicts (phone, n, hash, verdict, at) VALUES ({:phone}, {:n}, {:hash}, {:verdict}, {:at})`).Prepare()
	defer t.keep.Close()
	for _, e := range t.edits {
		// Another copy of this phone used the numbers: what comes after is the
		// phone's own too, and gets new numbers with it.
		if forked && e.n > t.acked {
			break
		}
		if e.n > t.acked+1 {
			t.sendFrom = t.acked + 1
			break // what stood before the gap is done, and is noted as done
		}
		v, err := t.one(tx, e, t.acked)
		if err != nil {
			return err
		}
		t.verdicts = append(t.verdicts, v)
		t.acked, forked = max(t.acked, e.n), forked || v.Code == "fork"
	}
	if err := view.Absorb(t.phone.No); err != nil {
		return err
	}
	return t.confirm(tx, t.acked)
}

// took: the transaction is committed.
func (t *turn) took() {
	for _, v := range t.verdicts {
		t.forked = t.forked || v.Code == "fork"
	}
	t.out.Verdicts = append(t.out.Verdicts, t.verdicts...)
	t.phone.Acked, t.out.SendFrom = t.acked, t.sendFrom
}

// confirm notes how far the edits are judged, and which verdicts the phone has:
// those may be forgotten in time.
func (s *session) confirm(tx core.App, acked int64) error {
	_, err := tx.NonconcurrentDB().NewQuery(`UPDATE sync_phones SET acked = {:acked}, confirmed = max(confirmed, min({:acked}, {:n})) WHERE phone = {:phone}`).
		Bind(dbx.Params{"acked": acked, "n": s.phone.Confirmed, "phone": s.phone.ID}).Execute()
	return err
}

// one judges one edit and stores its verdict.
func (s *session) one(tx core.App, e numbered, acked int64) (wire.Verdict, error) {
	hash := sha256.Sum256(e.raw)
	if e.n <= acked {
		return s.known(tx, e.n, hash[:])
	}
	v := e.failed
	if v == nil {
		var err error
		if s.before, err = s.view.Changes(); err != nil {
			return wire.Verdict{}, err
		}
		judged, clean := s.judge(tx, e)
		if !clean.ok {
			if clean.err != nil {
				return wire.Verdict{}, clean.err
			}
			after, err := s.view.Changes()
			if err != nil {
				return wire.Verdict{}, err
			}
			if after != s.before {
				s.failed = &judged
				return wire.Verdict{}, errDirty
			}
		}
		v = &judged
	}
	if v.Is == wire.Parked {
		if err := s.park(tx, e, *v); err != nil {
			return wire.Verdict{}, err
		}
	}
	s.judged[e.n] = *v
	return *v, s.store(*v, hash[:])
}

// known returns the verdict that the edit got when it first came.
func (s *session) known(tx core.App, n int64, hash []byte) (wire.Verdict, error) {
	var row struct {
		Hash    []byte `db:"hash"`
		Verdict string `db:"verdict"`
	}
	err := tx.NonconcurrentDB().NewQuery(`SELECT hash, verdict FROM sync_verdicts WHERE phone = {:phone} AND n = {:n}`).
		Bind(dbx.Params{"phone": s.phone.ID, "n": n}).One(&row)
	if notFound(err) {
		// Judged long ago, confirmed, and forgotten: whether this is the same edit
		// nobody can tell any more, so a person looks.
		return wire.Verdict{N: n, Is: wire.Known, Was: wire.Parked, Code: "forgotten", Say: "Việc này máy chủ đã xem từ lâu, không còn giữ kết quả."}, nil
	}
	if err != nil {
		return wire.Verdict{}, err
	}
	if string(row.Hash) != string(hash) {
		return wire.Verdict{N: n, Is: wire.Refused, Code: "fork",
			Say: "Điện thoại này có hai bản dữ liệu khác nhau, hãy nhờ người quản lý kiểm tra."}, nil
	}
	var v wire.Verdict
	if err := json.Unmarshal([]byte(row.Verdict), &v); err != nil {
		return wire.Verdict{}, fmt.Errorf("read verdict %d: %w", n, err)
	}
	v.Is, v.Was = wire.Known, v.Is
	return v, nil
}

func (s *session) store(v wire.Verdict, hash []byte) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write verdict %d: %w", v.N, err)
	}
	_, err = s.keep.Bind(dbx.Params{"phone": s.phone.ID, "n": v.N, "hash": hash, "verdict": string(text), "at": s.now.UTC().Format(time.RFC3339)}).Execute()
	return err
}

// park keeps an edit, word for word, where officers see it.
func (s *session) park(tx core.App, e numbered, v wire.Verdict) error {
	coll, err := tx.FindCachedCollectionByNameOrId("parked_edits")
	if err != nil {
		return err
	}
	r := core.NewRecord(coll)
	r.Set("phone", s.phone.ID)
	r.Set("n", e.n)
	r.Set("person", s.author.Person)
	r.Set("code", v.Code)
	r.Set("state", "waiting")
	r.Set("edit", string(e.raw))
	r.Set("theirs", v.Met)
	var what struct {
		Coll, ID, Do string
		Fixes        int64
	}
	if json.Unmarshal(e.raw, &what) == nil {
		r.Set("coll", clip(what.Coll+what.Do))
		r.Set("record", clip(what.ID))
	}
	if err := s.show(tx, r); err != nil {
		return err
	}
	if what.Fixes > 0 { // it stands in the place of the other, which its maker put aside
		if err := s.settle(tx, what.Fixes); err != nil {
			return err
		}
	}
	return tx.SaveNoValidate(r)
}

func clip(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "")
	}
	return s
}
