package phone

import (
	"database/sql"
	"encoding/json"
	"slices"
	"strconv"
)

// renumber puts right a phone that was restored from its own backup, or copied:
// it has used numbers that the server knows with other content. acked is the
// last number that the server judged, forked the first that it knows otherwise,
// 0 for none. That edit and those after it which still wait have never been
// judged, since they were made after the restoring: they get new numbers, in
// their order, and what depends on them names those.
func (a *answer) renumber(tx *sql.Tx, forked, acked int64) (bool, error) {
	last, err := getNumber(tx, "n")
	if err != nil {
		return false, err
	}
	if acked > last {
		last = acked
		if err := setMeta(tx, "n", strconv.FormatInt(last, 10)); err != nil {
			return false, err
		}
	}
	if forked == 0 {
		return false, nil
	}
	edits, err := readEdits(tx, `n >= ? AND state = 'waiting'`, forked)
	if err != nil {
		return false, err
	}
	next := max(acked, forked-1)
	became := map[int64]int64{}
	for i, e := range edits {
		became[e.N] = next + int64(i) + 1
	}
	// From the last to the first: each new number is above all old ones.
	for _, old := range slices.Backward(edits) {
		e := old.Edit
		e.N, e.After = became[e.N], follow(e.After, became)
		body, err := json.Marshal(e)
		if err != nil {
			return false, err
		}
		if _, err := tx.Exec(`UPDATE edits SET n = ?, body = ? WHERE n = ?`, e.N, string(body), old.N); err != nil {
			return false, err
		}
	}
	a.report.Renumbered += len(edits)
	return len(edits) > 0, setMeta(tx, "n", strconv.FormatInt(next+int64(len(edits)), 10))
}

func follow(after []int64, became map[int64]int64) []int64 {
	out := make([]int64, len(after))
	for i, n := range after {
		out[i] = n
		if now, ok := became[n]; ok {
			out[i] = now
		}
	}
	return out
}
