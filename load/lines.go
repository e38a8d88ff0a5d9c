package load

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// longest is the most bytes a row may have.
const longest = 1 << 20

var errLong = errors.New("longer than a row may be")

// lines reads physical lines and counts them; lines may be given back.
type lines struct {
	r    *bufio.Reader
	no   int      // of the last line given out, from 1
	back [][]byte // given back, the next one last
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, 64<<10)} }

// next returns the next line with its end (\n or \r\n), which the caller may
// keep. Of a line that is too long it returns errLong and goes on behind it.
// The last line may lack its end; after it comes io.EOF.
func (l *lines) next() ([]byte, error) {
	if n := len(l.back); n > 0 {
		line := l.back[n-1]
		l.back = l.back[:n-1]
		l.no++
		return line, nil
	}
	var line []byte
	long := false
	for {
		part, err := l.r.ReadSlice('\n')
		if long = long || len(line)+len(part) > longest; long {
			line = nil
		} else {
			line = append(line, part...)
		}
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && len(line) == 0 && !long:
			return nil, io.EOF
		case err != nil && err != io.EOF:
			return nil, err
		}
		l.no++
		if long {
			return nil, errLong
		}
		return line, nil
	}
}

// giveBack makes the last len(lines) lines come again.
func (l *lines) giveBack(lines [][]byte) {
	for i := len(lines) - 1; i >= 0; i-- {
		l.back = append(l.back, lines[i])
	}
	l.no -= len(lines)
}

func trimEnd(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte{'\n'}), []byte{'\r'})
}
