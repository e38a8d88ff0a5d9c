package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"unicode/utf8"
)

// ChunkSize is about how many bytes of lines stand in one chunk: some 4 kB when
// compressed, what a slow link brings in a second.
const ChunkSize = 16 << 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func crcOf(b []byte) string { return fmt.Sprintf("%08x", crc32.Checksum(b, castagnoli)) }

// Text is an answer as newline-delimited JSON.
type Text struct {
	Body  []byte
	Ends  []int // where each chunk ends, for the compressor
	Apart []int // chunk ends after which something else is told: nothing there may be packed by what stands before
}

// Write writes lines as text, with the check of each chunk in the line that ends it.
func Write(lines []Line) (Text, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	var t Text
	begin := 0
	for _, line := range lines {
		ends := line.Ends()
		if line.Apart && begin > 0 {
			t.Apart = append(t.Apart, begin)
		}
		if ends && b.Len() > begin {
			line.CRC = crcOf(b.Bytes()[begin:])
		}
		if err := enc.Encode(line); err != nil {
			return t, fmt.Errorf("write answer: %w", err)
		}
		if ends {
			begin = b.Len()
			t.Ends = append(t.Ends, begin)
		}
	}
	t.Body = b.Bytes()
	return t, nil
}

// Answers reads an answer chunk by chunk. It ends without an error at the first
// chunk that is cut, damaged, or not understood: what stands before it counts.
type Answers struct {
	read  io.Reader
	buf   []byte // read and not yet given
	lines []Line // of the chunk that is coming
	done  int    // bytes of buf that those lines are
	end   bool
}

// ReadAnswer begins to read an answer.
func ReadAnswer(r io.Reader) *Answers { return &Answers{read: r} }

// Next returns the lines of the next whole chunk, or false at the end or the cut.
func (a *Answers) Next() ([]Line, bool) {
	for !a.end {
		i := bytes.IndexByte(a.buf[a.done:], '\n')
		if i < 0 {
			a.fill()
			continue
		}
		raw := a.buf[a.done : a.done+i]
		line, ok := readLine(raw)
		if !ok {
			break
		}
		a.lines = append(a.lines, line)
		if !line.Ends() && line.CRC == "" {
			a.done += i + 1
			continue
		}
		if (a.done > 0 || line.CRC != "") && line.CRC != crcOf(a.buf[:a.done]) {
			break
		}
		chunk := a.lines
		a.buf, a.lines, a.done = a.buf[a.done+i+1:], nil, 0
		return chunk, true
	}
	a.end = true
	return nil, false
}

// readLine reads one line; JSON that is no object is something of a later
// protocol, and means nothing.
func readLine(raw []byte) (line Line, ok bool) {
	if !utf8.Valid(raw) {
		return line, false
	}
	if json.Unmarshal(raw, &line) != nil {
		return Line{}, json.Valid(raw) && raw[0] != '{'
	}
	return line, true
}

func (a *Answers) fill() {
	chunk := make([]byte, 32<<10)
	n, err := a.read.Read(chunk)
	a.buf = append(a.buf, chunk[:n]...)
	if err != nil && bytes.IndexByte(a.buf[a.done:], '\n') < 0 {
		a.end = true
	}
}
