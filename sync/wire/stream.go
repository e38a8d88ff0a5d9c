package wire

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"io"
	"sync"
)

// Chunks of the binary form are compressed one after the other, each beginning
// with what the ones before it held: a chunk needs those, which have arrived, and
// none that come. Where something secret begins or ends the compressor starts
// anew from the dictionary, so that what others write never tells, by its length,
// what stands beside it.

// The two lowest bits of a chunk's length.
const (
	chunkPlain = 0 // not compressed
	chunkFresh = 1 // compressed, from the dictionary alone
	chunkNext  = 3 // compressed, going on from the chunk before
)

// syncTail ends each chunk on the way through the compressor and is left out on
// the wire (as in RFC 7692 §7.2.1).
var syncTail = []byte{0, 0, 0xff, 0xff}

// effort is the level of DEFLATE: the highest makes an answer half a hundredth
// smaller and takes a third longer.
const effort = 6

var plainWriters = sync.Pool{New: func() any { w, _ := flate.NewWriter(nil, effort); return w }}

func (d *Dictionary) writer() (*flate.Writer, func(any)) {
	if d == nil {
		return plainWriters.Get().(*flate.Writer), plainWriters.Put
	}
	return d.writers.Get().(*flate.Writer), d.writers.Put
}

// chunkWriter writes chunks.
type chunkWriter struct {
	out  []byte
	dict *Dictionary
	w    *flate.Writer
	back func(any)
	buf  bytes.Buffer
}

// fresh makes the next chunk begin from the dictionary alone.
func (c *chunkWriter) fresh() {
	if c.w != nil {
		c.back(c.w)
		c.w = nil
	}
}

// add writes a chunk: its length with the two bits, its plain length when it is
// compressed, its check, its bytes.
func (c *chunkWriter) add(plain []byte) {
	if c.w == nil && len(plain) < tooShort {
		c.write(chunkPlain, plain, 0)
		return
	}
	kind := uint64(chunkNext)
	if c.w == nil {
		kind = chunkFresh
		c.w, c.back = c.dict.writer()
		c.buf.Reset()
		c.w.Reset(&c.buf)
	}
	from := c.buf.Len()
	_, _ = c.w.Write(plain) // memory takes all
	_ = c.w.Flush()
	packed := bytes.TrimSuffix(c.buf.Bytes()[from:], syncTail)
	if kind == chunkFresh && len(packed)+1 >= len(plain) {
		// Too short to gain: sent as it is, and the next one is fresh.
		c.fresh()
		kind, packed = chunkPlain, plain
	}
	c.write(kind, packed, len(plain))
}

// tooShort is a chunk that surely gains nothing: where nothing is new, it is all
// that is told, and to begin a compressor takes longer than all the rest.
const tooShort = 40

func (c *chunkWriter) write(kind uint64, packed []byte, plain int) {
	c.out = binary.AppendUvarint(c.out, uint64(len(packed))<<2|kind)
	if kind != chunkPlain {
		c.out = binary.AppendUvarint(c.out, uint64(plain))
	}
	c.out = binary.BigEndian.AppendUint32(c.out, crc32.Checksum(packed, castagnoli))
	c.out = append(c.out, packed...)
}

// chunkReader undoes it.
type chunkReader struct {
	dict *Dictionary
	feed feed
	r    io.ReadCloser
}

// feed is what has arrived for the decompressor. It never gives more than is asked.
type feed struct{ bytes.Buffer }

func (c *chunkReader) open(kind uint64, packed []byte, plain int) ([]byte, error) {
	switch {
	case kind == chunkPlain:
		c.r = nil
		return packed, nil
	case kind == chunkFresh:
		c.feed.Reset()
		if c.r = flate.NewReader(&c.feed); c.dict != nil {
			c.r = flate.NewReaderDict(&c.feed, c.dict.Text)
		}
	case kind != chunkNext || c.r == nil:
		return nil, ErrBinary
	}
	c.feed.Write(packed)
	c.feed.Write(syncTail)
	out := make([]byte, plain)
	if _, err := io.ReadFull(c.r, out); err != nil {
		return nil, ErrBinary
	}
	return out, nil
}
