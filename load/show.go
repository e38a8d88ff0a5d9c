package load

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// show tells how a load goes: on a terminal a bar that moves, else one line a
// collection.
type show struct {
	out      io.Writer
	terminal bool
	last     time.Time
}

func newShow(out io.Writer) *show {
	if out == nil {
		out = io.Discard
	}
	s := &show{out: out}
	if f, is := out.(*os.File); is {
		info, err := f.Stat()
		s.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return s
}

// step draws the bar, ten times a second at most.
func (s *show) step(t Tally, count int, took time.Duration) {
	if !s.terminal || time.Since(s.last) < 100*time.Millisecond {
		return
	}
	s.last = time.Now()
	const width = 24
	filled := 0
	if count > 0 {
		filled = min(width, width*t.Rows()/count)
	}
	fmt.Fprintf(s.out, "\r%-15s [%s%s] %s dòng, %s dòng/giây ", t.Collection,
		strings.Repeat("█", filled), strings.Repeat("·", width-filled), grouping(t.Rows()), grouping(rate(t.Rows(), took)))
}

func (s *show) done(t Tally) {
	if s.terminal {
		fmt.Fprint(s.out, "\r\x1b[K")
	}
	fmt.Fprintf(s.out, "%-15s %s\n", t.Collection, words(t))
}

func (s *show) end(r Report) {
	sum := r.Total()
	fmt.Fprintf(s.out, "%-15s %s\n", "Tất cả", words(sum))
	for _, e := range r.Errors {
		fmt.Fprintln(s.out, e.Error())
	}
	if more := sum.Bad - len(r.Errors); more > 0 {
		fmt.Fprintf(s.out, "… và %s dòng lỗi nữa.\n", grouping(more))
	}
}

func words(t Tally) string {
	return fmt.Sprintf("%s dòng: mới %s, sửa %s, giữ nguyên %s, lỗi %s; %s dòng/giây", grouping(t.Rows()),
		grouping(t.New), grouping(t.Changed), grouping(t.Same), grouping(t.Bad), grouping(rate(t.Rows(), t.Took)))
}

func rate(rows int, took time.Duration) int {
	if took <= 0 {
		return 0
	}
	return int(float64(rows) / took.Seconds())
}

// grouping writes a number as Vietnamese readers expect it: 277.500.
func grouping(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "." + s[i:]
	}
	return s
}
