package pull

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"langso/sync/journal"
	"langso/sync/sum"
	"langso/sync/wire"
)

// Check compares what a phone says it holds with a state. drops are to be carried
// out before the changes of the answer; lines are sums, and whole rows of what the
// phone lacks or holds otherwise. Circles that the phone does not stand in are
// passed over: nothing is learned of them.
func (s *Rows) Check(ctx context.Context, c *wire.Check) (drops, lines []wire.Line, err error) {
	stands := map[string]bool{}
	for _, name := range s.phone.Now {
		stands[name] = true
	}
	for _, name := range s.phone.Now {
		theirs, asked := c.Sums[name]
		if !asked {
			continue
		}
		line, err := s.sums(ctx, name, theirs, c.Deep)
		if err != nil {
			return nil, nil, err
		}
		if line != nil {
			lines = append(lines, wire.Line{Sums: line})
		}
	}
	mended := false
	for _, list := range c.Lists {
		// Once for each circle: it costs a look at all that lies in it.
		if !stands[list.In] || list.Bits < 0 || list.Bits > sum.MostBits {
			continue
		}
		delete(stands, list.In)
		drop, rows, err := s.mend(ctx, list, c.Deep)
		if err != nil {
			return nil, nil, err
		}
		if len(drop) > 0 {
			drops = append(drops, wire.Line{Drop: &wire.Drop{In: list.In, At: drop}})
		}
		if rows := s.mended(rows); len(rows) > 0 {
			// What lies in another circle others may have written: not compressed together.
			if mended {
				none := ""
				lines = append(lines, wire.Line{Mark: &none})
			}
			rows[0].Apart, mended = true, true
			lines = append(lines, rows...)
		}
	}
	return drops, lines, nil
}

// mostMended is about how many bytes of rows stand in one chunk: they are whole
// or not at all only together with complete, but no reader takes a chunk of any size.
const mostMended = 256 << 10

// mended writes whole rows, in chunks that every reader takes and parted as those of
// any answer.
func (s *Rows) mended(rows map[string][]wire.Row) (lines []wire.Line) {
	colls := slices.SortedFunc(maps.Keys(rows), func(a, b string) int {
		return cmp.Or(cmp.Compare(s.class(a), s.class(b)), cmp.Compare(a, b))
	})
	none := ""
	spent, of, before := 0, 0, false
	for _, coll := range colls {
		alone := s.known.Alone[coll]
		apart := s.class(coll) != of || alone || before
		of, before = s.class(coll), alone
		if apart && spent > 0 {
			lines, spent = append(lines, wire.Line{Mark: &none}), 0
		}
		from := 0
		for i, row := range rows[coll] {
			spent += 30 + size(row.Set)
			full := spent >= mostMended || alone
			if !full && i < len(rows[coll])-1 {
				continue
			}
			part := changes(coll, rows[coll][from:i+1])
			part[0].Apart, apart = apart, alone
			lines, from = append(lines, part...), i+1
			if full {
				lines, spent = append(lines, wire.Line{Mark: &none}), 0
			}
		}
	}
	return lines
}

// sums returns the sums of a circle's parts, when its sum is another than theirs.
func (s *Rows) sums(ctx context.Context, circle string, theirs sum.Sum, deep bool) (*wire.Sums, error) {
	if !deep {
		total, err := s.r.Totals(ctx, []string{circle})
		if err != nil || total[circle].Sum == theirs {
			return nil, err
		}
	}
	members, numbers, err := s.numbers(ctx, circle, deep)
	if err != nil {
		return nil, err
	}
	bits := sum.BitsFor(len(members))
	out := &wire.Sums{In: circle, Bits: bits, List: make(wire.Numbers, 1<<bits)}
	var total sum.Sum
	for i, m := range members {
		total = total.Plus(numbers[i])
		out.List[sum.Part(m.Coll, m.ID, bits)] += numbers[i].A
	}
	if total == theirs {
		return nil, nil
	}
	return out, nil
}

// mend finds what of a list is not so here, and what is here and not in the list.
func (s *Rows) mend(ctx context.Context, list wire.List, deep bool) (drop []int, rows map[string][]wire.Row, err error) {
	members, numbers, err := s.numbers(ctx, list.In, deep)
	if err != nil {
		return nil, nil, err
	}
	parts := map[int]bool{}
	for _, p := range list.Parts {
		parts[p] = true
	}
	has := map[uint32]int{}
	for _, n := range list.Has {
		has[n]++
	}
	here := map[uint32]int{}
	lacks := map[string][]string{}
	for i, m := range members {
		if !parts[sum.Part(m.Coll, m.ID, list.Bits)] {
			continue
		}
		n := numbers[i].A
		here[n]++
		if has[n] == 0 {
			lacks[m.Coll] = append(lacks[m.Coll], m.ID)
		}
	}
	for at, n := range list.Has {
		if here[n] == 0 {
			drop = append(drop, at)
		}
	}
	rows = map[string][]wire.Row{}
	for coll, ids := range lacks {
		records, err := s.r.Records(coll, ids)
		if err != nil {
			return nil, nil, err
		}
		for _, id := range ids {
			if rec := records[id]; rec != nil {
				rows[coll] = append(rows[coll], s.whole(rec))
			}
		}
	}
	return drop, rows, nil
}

// numbers are a circle's records with the number of each.
func (s *Rows) numbers(ctx context.Context, circle string, deep bool) ([]journal.Member, []sum.Sum, error) {
	members, err := s.r.Members(ctx, circle)
	if err != nil {
		return nil, nil, err
	}
	out := make([]sum.Sum, len(members))
	for from := 0; from < len(members); {
		to := from
		var ids []string
		for to < len(members) && members[to].Coll == members[from].Coll && to-from < batch {
			ids = append(ids, members[to].ID)
			to++
		}
		var records map[string]*journal.Record
		if deep {
			if records, err = s.r.Records(members[from].Coll, ids); err != nil {
				return nil, nil, err
			}
		}
		for i := from; i < to; i++ {
			p := sum.Place{Circle: circle, Coll: members[i].Coll, ID: members[i].ID, Seq: members[i].Seq}
			if rec := records[p.ID]; rec != nil {
				content, err := rec.Content()
				if err != nil {
					return nil, nil, err
				}
				out[i] = p.Deep(content)
			} else {
				out[i] = p.Sum()
			}
		}
		from = to
	}
	return members, out, nil
}
