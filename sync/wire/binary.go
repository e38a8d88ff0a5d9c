package wire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"sync"

	"github.com/fxamacker/cbor/v2"

	"langso/sync/sum"
)

// The first bytes of the binary form; neither begins a JSON text.
const (
	binaryAskMark    = 0xb1 // compressed with the dictionary
	binaryPlainMark  = 0xb3 // not compressed
	binaryAnswerMark = 0xb2
)

// IsBinary tells whether a request's body is of the binary form.
func IsBinary(body []byte) bool {
	return len(body) > 0 && (body[0] == binaryAskMark || body[0] == binaryPlainMark)
}

// ErrBinary is returned for a body that is not of the binary form, or cut.
var ErrBinary = errors.New("unreadable binary form")

// WriteBinaryAsk writes an ask in the binary form, signed by sign over the bytes
// that [SigningBytes] makes of the body without its signature.
func WriteBinaryAsk(ask *Ask, phone string, d *Dictionary, sign func(body []byte) []byte) ([]byte, error) {
	small := binaryAsk{App: ask.App, Epoch: ask.Epoch, Cursor: ask.Cursor, Standing: hash16(ask.Standing), Told: hash16(ask.Told), Resume: ask.Resume,
		Compare: ask.Compare, Snapshots: ask.Snapshots, Loaded: ask.Loaded, Confirmed: ask.Confirmed, Want: ask.Want, Waiting: ask.Waiting, Clock: ask.Clock, Shape: hash16(ask.Shape), Lost: ask.Lost}
	for _, e := range ask.Edits {
		small.Edits = append(small.Edits, string(e))
	}
	if c := ask.Check; c != nil {
		small.Check = &binaryCheck{Deep: c.Deep}
		for circle, s := range c.Sums {
			if small.Check.Sums == nil {
				small.Check.Sums = map[string][]byte{}
			}
			small.Check.Sums[circle] = sumBytes(s)
		}
		for _, l := range c.Lists {
			has, _ := l.Has.MarshalBinary()
			small.Check.Lists = append(small.Check.Lists, binaryList{l.In, l.Bits, l.Parts, has})
		}
	}
	plain, err := encoding.Marshal(small)
	if err != nil {
		return nil, err
	}
	packed, with := d.deflate(plain)
	head := []byte{binaryPlainMark, 0, byte(len(phone))}
	if with {
		head[0] = binaryAskMark
	}
	if d != nil {
		head[1] = d.Version // the answer may use it in any case
	}
	head = append(head, phone...)
	signature := sign(append(bytes.Clone(head), packed...))
	return append(append(head, signature...), packed...), nil
}

// BinaryAsk is an ask in the binary form, taken apart and not yet believed.
type BinaryAsk struct {
	Phone     string
	Signature []byte
	Signed    []byte // what the signature is over, see [SigningBytes]
	// Version is the dictionary that the phone has, 0 for none.
	Version byte
	packed  []byte
	plain   bool
}

const signatureSize = 64

// ParseBinaryAsk takes the body of a request apart.
func ParseBinaryAsk(body []byte) (*BinaryAsk, error) {
	if !IsBinary(body) || len(body) < 3 {
		return nil, ErrBinary
	}
	n := int(body[2])
	if len(body) < 3+n+signatureSize {
		return nil, ErrBinary
	}
	head, rest := body[:3+n], body[3+n:]
	return &BinaryAsk{Phone: string(head[3:]), Signature: rest[:signatureSize], Signed: append(bytes.Clone(head), rest[signatureSize:]...),
		Version: head[1], packed: rest[signatureSize:], plain: head[0] == binaryPlainMark}, nil
}

// Ask reads the ask as [DecodeAsk] does; the error is an *[AskError].
func (b *BinaryAsk) Ask() (*Ask, error) {
	plain := b.packed
	if !b.plain {
		d := FindDictionary(b.Version)
		if d == nil {
			return nil, &AskError{400, Failure{Code: "dictionary", Say: "Ứng dụng và máy chủ khác từ điển, máy sẽ gửi lại cách khác.", Versions: DictionaryVersions()}}
		}
		var err error
		if plain, err = d.inflate(b.packed, MaxBody); err != nil {
			return nil, tooBig(MaxBody)
		}
	}
	var small binaryAsk
	if err := decoding.Unmarshal(plain, &small); err != nil {
		return nil, badAsk(0)
	}
	ask := &Ask{V: Version, App: small.App, Epoch: small.Epoch, Cursor: small.Cursor, Standing: string(small.Standing), Told: string(small.Told), Resume: small.Resume,
		Compare: small.Compare, Snapshots: small.Snapshots, Loaded: small.Loaded, Confirmed: small.Confirmed, Want: small.Want, Waiting: small.Waiting, Clock: small.Clock, Shape: string(small.Shape), Lost: small.Lost}
	for _, e := range small.Edits {
		ask.Edits = append(ask.Edits, json.RawMessage(e))
	}
	if c := small.Check; c != nil {
		ask.Check = &Check{Deep: c.Deep}
		for circle, raw := range c.Sums {
			s, err := sumOf(raw)
			if err != nil {
				return nil, badAsk(0)
			}
			if ask.Check.Sums == nil {
				ask.Check.Sums = map[string]sum.Sum{}
			}
			ask.Check.Sums[circle] = s
		}
		for _, l := range c.Lists {
			list := List{In: l.In, Bits: l.Bits, Parts: l.Parts}
			if list.Has.UnmarshalBinary(l.Has) != nil {
				return nil, badAsk(0)
			}
			ask.Check.Lists = append(ask.Check.Lists, list)
		}
	}
	return ask.checked()
}

// WriteBinary writes the lines of an answer in the binary form.
func WriteBinary(lines []Line, d *Dictionary) ([]byte, error) {
	packing <- struct{}{}
	defer func() { <-packing }()
	w := chunkWriter{out: []byte{binaryAnswerMark, 0}, dict: d}
	defer w.fresh()
	if d != nil {
		w.out[1] = d.Version
	}
	space := chunks.Get().(*[]byte)
	defer chunks.Put(space)
	chunk := (*space)[:0]
	for _, line := range lines {
		if line.Apart {
			w.fresh()
		}
		var err error
		if chunk, err = line.appendTo(chunk); err != nil {
			return nil, err
		}
		if line.Ends() {
			w.add(chunk)
			chunk = chunk[:0]
		}
	}
	if len(chunk) > 0 {
		w.add(chunk)
	}
	*space = chunk
	return w.out, nil
}

// chunks are memory for one before it is compressed.
var chunks = sync.Pool{New: func() any { b := make([]byte, 0, 2*ChunkSize); return &b }}

// appendTo appends the line in CBOR.
func (l Line) appendTo(b []byte) ([]byte, error) {
	if l.Changes != nil {
		// Nearly all of an answer: written as it is, and not by way of other shapes.
		if out, ok := l.Changes.appendTo(append(b, majorMap<<5|1, 10)); ok {
			return out, nil
		}
	}
	small, err := l.binary()
	if err != nil {
		return nil, err
	}
	raw, err := encoding.Marshal(small)
	return append(b, raw...), err
}

func (l Line) binary() (*binaryLine, error) {
	out := &binaryLine{Acked: l.Acked, SendFrom: l.SendFrom, Problems: l.Problems, Load: l.Load, Drop: l.Drop, Gone: l.Gone, Check: l.Check,
		Mark: l.Mark, More: l.More, RetryIn: l.RetryIn, Shape: hash16(l.Shape)}
	if e := l.Epoch; e != nil {
		out.Epoch = &binaryEpoch{e.Is, e.Reset, e.Compare}
	}
	if s := l.Standing; s != nil {
		out.Standing = &binaryStanding{hash16(s.Hash), s.Circles}
	}
	if s := l.Sums; s != nil {
		list, _ := s.List.MarshalBinary()
		out.Sums = &binarySums{s.In, s.Bits, list}
	}
	if c := l.Complete; c != nil {
		out.Complete = &binaryComplete{c.Cursor, c.Epoch, sumBytes(c.Sum)}
	}
	var err error
	if l.Changes != nil {
		if out.Changes, err = l.Changes.binary(); err != nil {
			return nil, err
		}
	}
	out.Taken, out.Verdicts, err = binaryVerdicts(l.Verdicts)
	return out, err
}

// binaryVerdicts puts the taken ones at the beginning into two numbers.
func binaryVerdicts(vs []Verdict) (taken []int64, rest []binaryVerdict, err error) {
	i := 0
	for i < len(vs) && vs[i].Is == Taken && vs[i].Result == nil && vs[i].Met == nil && vs[i].N == vs[0].N+int64(i) {
		i++
	}
	if i > 0 {
		taken = []int64{vs[0].N, int64(i)}
	}
	for _, v := range vs[i:] {
		b := binaryVerdict{N: v.N, Is: string(v.Is), Was: string(v.Was), Code: v.Code, Say: v.Say}
		if v.Met != nil || v.Result != nil {
			raw, err := json.Marshal(Verdict{Met: v.Met, Result: v.Result})
			if err != nil {
				return nil, nil, err
			}
			b.More = string(raw)
		}
		rest = append(rest, b)
	}
	return taken, rest, nil
}

func (b *binaryLine) text() (l Line, err error) {
	l = Line{Acked: b.Acked, SendFrom: b.SendFrom, Problems: b.Problems, Load: b.Load, Drop: b.Drop, Gone: b.Gone, Check: b.Check, Mark: b.Mark, More: b.More, RetryIn: b.RetryIn, Shape: string(b.Shape)}
	if e := b.Epoch; e != nil {
		l.Epoch = &EpochLine{e.Is, e.Reset, e.Compare}
	}
	if s := b.Standing; s != nil {
		l.Standing = &StandingLine{string(s.Hash), s.Circles}
	}
	if s := b.Sums; s != nil {
		l.Sums = &Sums{In: s.In, Bits: s.Bits}
		if err = l.Sums.List.UnmarshalBinary(s.List); err != nil {
			return l, err
		}
	}
	if c := b.Complete; c != nil {
		l.Complete = &Complete{Cursor: c.Cursor, Epoch: c.Epoch}
		if l.Complete.Sum, err = sumOf(c.Sum); err != nil {
			return l, err
		}
	}
	if b.Changes != nil {
		if l.Changes, err = b.Changes.text(); err != nil {
			return l, err
		}
	}
	if len(b.Taken) == 2 && b.Taken[1] >= 0 && b.Taken[1] <= MaxEdits {
		for i := range b.Taken[1] {
			l.Verdicts = append(l.Verdicts, Verdict{N: b.Taken[0] + i, Is: Taken})
		}
	}
	for _, v := range b.Verdicts {
		one := Verdict{}
		if v.More != "" {
			if err = json.Unmarshal([]byte(v.More), &one); err != nil {
				return l, err
			}
		}
		one.N, one.Is, one.Was, one.Code, one.Say = v.N, Is(v.Is), Is(v.Was), v.Code, v.Say
		l.Verdicts = append(l.Verdicts, one)
	}
	return l, nil
}

// BinaryAnswers reads an answer of the binary form chunk by chunk, like [Answers].
type BinaryAnswers struct {
	read   *bufio.Reader
	chunks chunkReader
	end    bool
}

// ReadBinaryAnswer begins to read an answer; ErrBinary means that it is something
// else, a captive portal's page.
func ReadBinaryAnswer(r io.Reader) (*BinaryAnswers, error) {
	a := &BinaryAnswers{read: bufio.NewReader(r)}
	var head [2]byte
	if _, err := io.ReadFull(a.read, head[:]); err != nil || head[0] != binaryAnswerMark {
		return nil, ErrBinary
	}
	if head[1] != 0 {
		if a.chunks.dict = FindDictionary(head[1]); a.chunks.dict == nil {
			return nil, ErrBinary
		}
	}
	return a, nil
}

// mostChunk bounds a chunk on the way and unpacked.
const mostChunk = 8 << 20

// Next returns the lines of the next whole chunk, or false at the end or the cut.
func (a *BinaryAnswers) Next() ([]Line, bool) {
	if a.end {
		return nil, false
	}
	lines, err := a.next()
	if err != nil || len(lines) == 0 {
		a.end = true
		return nil, false
	}
	return lines, true
}

func (a *BinaryAnswers) next() ([]Line, error) {
	n, err := binary.ReadUvarint(a.read)
	if err != nil || n>>2 > mostChunk {
		return nil, ErrBinary
	}
	size := uint64(0)
	if n&3 != chunkPlain {
		if size, err = binary.ReadUvarint(a.read); err != nil || size > mostChunk {
			return nil, ErrBinary
		}
	}
	var crc [4]byte
	if _, err := io.ReadFull(a.read, crc[:]); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if got, err := io.CopyN(&b, a.read, int64(n>>2)); err != nil || got != int64(n>>2) {
		return nil, ErrBinary
	}
	if crc32.Checksum(b.Bytes(), castagnoli) != binary.BigEndian.Uint32(crc[:]) {
		return nil, ErrBinary
	}
	plain, err := a.chunks.open(n&3, b.Bytes(), int(size))
	if err != nil {
		return nil, err
	}
	var lines []Line
	d := decoding.NewDecoder(bytes.NewReader(plain))
	for d.NumBytesRead() < len(plain) {
		var small binaryLine
		if err := d.Decode(&small); err != nil {
			return nil, err
		}
		line, err := small.text()
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}

var _ cbor.Marshaler = hash16("")
