package wire

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// small answers gain nothing from compression and lose a header.
const small = 256

var (
	zstdWriters = sync.Pool{New: func() any {
		w, _ := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<18))
		return w
	}}
	gzipWriters   = sync.Pool{New: func() any { w, _ := gzip.NewWriterLevel(nil, 6); return w }}
	flateWriters  = sync.Pool{New: func() any { w, _ := flate.NewWriter(nil, effort); return w }}
	brotliWriters = sync.Pool{New: func() any { return brotli.NewWriterLevel(nil, 5) }}
)

// Pack compresses an answer as the headers of the request allow and returns the
// name for Content-Encoding, "" when it stays as it is. At the end of each chunk
// the compressor is flushed: what has arrived can be read.
//
// What is a person's own is not packed by what others wrote: who can write into
// the market and see lengths go by would learn of the health book. Of the ways
// to pack only gzip can begin anew inside one body and be read by every browser.
func (t Text) Pack(request http.Header) ([]byte, string) {
	packing <- struct{}{}
	defer func() { <-packing }()
	accept := request.Get("Accept-Encoding")
	if len(t.Apart) > 0 {
		if !accepts(accept, "gzip") {
			return t.Body, ""
		}
		return t.Gzip(true), "gzip"
	}
	if d := named(request.Get("Available-Dictionary")); d != nil && strings.Contains(accept, "dcz") && len(t.Body) > 64 {
		return t.packWith(d), "dcz"
	}
	if len(t.Body) < small {
		return t.Body, ""
	}
	var out bytes.Buffer
	switch encoding := choose(accept); encoding {
	case "zstd":
		w := zstdWriters.Get().(*zstd.Encoder)
		defer zstdWriters.Put(w)
		if len(t.Ends) < 2 {
			return w.EncodeAll(t.Body, make([]byte, 0, len(t.Body)/4)), encoding
		}
		w.Reset(&out)
		t.write(w)
		return out.Bytes(), encoding
	case "br":
		w := brotliWriters.Get().(*brotli.Writer)
		defer brotliWriters.Put(w)
		w.Reset(&out)
		t.write(w)
		return out.Bytes(), encoding
	case "gzip":
		w := gzipWriters.Get().(*gzip.Writer)
		defer gzipWriters.Put(w)
		w.Reset(&out)
		t.write(w)
		return out.Bytes(), encoding
	}
	return t.Body, ""
}

// Gzip packs the text as gzip (RFC 1952) whose compressor begins anew at each
// parting: a flush ends at a whole byte, and the next block refers to nothing
// before it. With chunks each can be read when it has arrived.
func (t Text) Gzip(chunks bool) []byte {
	out := bytes.NewBuffer([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff})
	w := flateWriters.Get().(*flate.Writer)
	defer flateWriters.Put(w)
	w.Reset(out)
	from := 0
	for i, end := range t.Ends {
		if slices.Contains(t.Apart, from) {
			w.Reset(out)
		}
		_, _ = w.Write(t.Body[from:end]) // into memory, which takes all
		if (chunks || slices.Contains(t.Apart, end)) && (i < len(t.Ends)-1 || end < len(t.Body)) {
			_ = w.Flush()
		}
		from = end
	}
	_, _ = w.Write(t.Body[from:])
	_ = w.Close()
	end := binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(t.Body))
	out.Write(binary.LittleEndian.AppendUint32(end, uint32(len(t.Body))))
	return out.Bytes()
}

// packing bounds how many are packed at once: it is work of the processor alone,
// and each compressor has megabytes of tables.
var packing = make(chan struct{}, runtime.GOMAXPROCS(0))

// named finds the dictionary that a browser has, by its hash (RFC 9842 §2.2).
func named(header string) *Dictionary {
	if header == "" {
		return nil
	}
	for _, d := range dictionaries {
		if header == ":"+base64.StdEncoding.EncodeToString(d.Hash[:])+":" {
			return d
		}
	}
	return nil
}

// packWith writes dictionary-compressed Zstandard (RFC 9842 §5): eight fixed
// bytes, the dictionary's hash, and a frame.
func (t Text) packWith(d *Dictionary) []byte {
	out := bytes.NewBuffer([]byte{0x5e, 0x2a, 0x4d, 0x18, 0x20, 0, 0, 0})
	out.Write(d.Hash[:])
	w := d.frames.Get().(*zstd.Encoder)
	defer d.frames.Put(w)
	w.Reset(out)
	t.write(w)
	return out.Bytes()
}

// compressor is what the three have in common.
type compressor interface {
	io.WriteCloser
	Flush() error
}

// write writes chunk by chunk; it goes into memory, which takes all.
func (t Text) write(w compressor) {
	from := 0
	for i, end := range t.Ends {
		_, _ = w.Write(t.Body[from:end])
		if i < len(t.Ends)-1 {
			_ = w.Flush()
		}
		from = end
	}
	_, _ = w.Write(t.Body[from:])
	_ = w.Close()
}

// choose returns the best encoding that a request accepts, "" when none.
func choose(accept string) string {
	for _, name := range []string{"zstd", "br", "gzip"} {
		if accepts(accept, name) {
			return name
		}
	}
	return ""
}

func accepts(accept, encoding string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(name) == encoding {
			q = strings.ReplaceAll(q, " ", "")
			return q != "q=0" && !strings.HasPrefix(q, "q=0.0")
		}
	}
	return false
}

// ErrPacked is returned for a body whose compression is broken, unknown, or
// that unpacks to more than the limit.
var ErrPacked = errors.New("unreadable compression")

// Unpack undoes a Content-Encoding, up to limit bytes: a small body that
// swells to gigabytes is refused before it does.
func Unpack(body []byte, encoding string, limit int) ([]byte, error) {
	var r io.Reader
	switch encoding {
	case "", "identity":
		if len(body) > limit {
			return nil, ErrPacked
		}
		return body, nil
	case "zstd":
		d, err := zstd.NewReader(bytes.NewReader(body), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return nil, ErrPacked
		}
		defer d.Close()
		r = d
	case "br":
		r = brotli.NewReader(bytes.NewReader(body))
	case "gzip":
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, ErrPacked
		}
		r = z
	default:
		return nil, ErrPacked
	}
	out, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil || len(out) > limit {
		return nil, ErrPacked
	}
	return out, nil
}

// Unpacked streams an answer through its Content-Encoding.
func Unpacked(body io.Reader, encoding string) (io.Reader, error) {
	switch encoding {
	case "", "identity":
		return body, nil
	case "zstd":
		d, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, ErrPacked
		}
		return d.IOReadCloser(), nil
	case "br":
		return brotli.NewReader(body), nil
	case "gzip":
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, ErrPacked
		}
		return z, nil
	}
	return nil, ErrPacked
}
