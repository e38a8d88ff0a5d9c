package courier

import (
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net/http"

	"langso/sync/wire"
)

// Why a bundle or an answer cannot be opened. Nothing of it was believed.
var (
	ErrBad   = errors.New("damaged, or not for this key")
	ErrOther = errors.New("sealed to another key")
	ErrSize  = errors.New("too large for a courier")
)

// tag is what HPKE adds: the encapsulated key and the tag of AES-GCM.
const (
	tag      = point + 16
	sigSize  = 64
	maxPhone = 64
)

// Encodings of a body.
const (
	plain   = 0
	gzipped = 1
)

const (
	askInfo    = "langso courier ask"
	answerInfo = "langso courier answer"
)

func seal(to hpke.PublicKey, e Envelope, info string, content []byte) (Envelope, error) {
	size := header + tag + len(content)
	padded := make([]byte, len(content)+(Block-size%Block)%Block)
	copy(padded, content)
	// The head is bound in with the length that it will have.
	e.Box = make([]byte, tag+len(padded))
	box, err := hpke.Seal(to, hpke.HKDFSHA256(), hpke.AES128GCM(), append([]byte(info), e.head()...), padded)
	if err != nil {
		return Envelope{}, err
	}
	e.Box = box
	return e, nil
}

func open(k hpke.PrivateKey, e Envelope, info string) ([]byte, error) {
	if len(e.Box) < tag {
		return nil, ErrBad
	}
	content, err := hpke.Open(k, hpke.HKDFSHA256(), hpke.AES128GCM(), append([]byte(info), e.head()...), e.Box)
	if err != nil {
		return nil, ErrBad
	}
	return content, nil
}

// Letter is what a bundle holds.
type Letter struct {
	ID        ID
	Server    KeyID
	Phone     string // id of the phone that asks
	Signature []byte // of the phone, over SigningBytes(POST, Path, Signed())
	Reply     []byte // the public key that the answer is sealed to
	encoding  byte
	body      []byte // the ask, as it was packed
	box       [sha256.Size]byte
}

// Signed is the BODY that the phone signs: the ask as it is packed, with the
// bundle's id, the server's key and the key of the answer, so that nothing of
// it can be put into another bundle.
func (l *Letter) Signed() []byte {
	b := make([]byte, 0, 8+8+point+1+len(l.body))
	b = append(b, l.ID[:]...)
	b = append(b, l.Server[:]...)
	b = append(b, l.Reply...)
	b = append(b, l.encoding)
	return append(b, l.body...)
}

// Ask returns the ask, unpacked: JSON, at most wire.MaxBody bytes.
func (l *Letter) Ask() ([]byte, error) { return unpack(l.encoding, l.body, wire.MaxBody) }

// Sealed is a bundle as its owner must remember it to read the answer.
type Sealed struct {
	Envelope
	Reply []byte // the private key of the answer
	Box   [sha256.Size]byte
}

// Seal packs an ask into a bundle: sign is the phone's signature, 64 bytes over
// what it is given. The error is an [ErrSize] when it weighs more than MaxBundle.
func Seal(server hpke.PublicKey, phone string, sign func([]byte) []byte, ask []byte) (Sealed, error) {
	reply, err := kem.GenerateKey()
	if err != nil {
		return Sealed{}, err
	}
	private, err := reply.Bytes()
	if err != nil {
		return Sealed{}, err
	}
	l := &Letter{Server: keyID(server), Phone: phone, Reply: reply.PublicKey().Bytes()}
	if _, err := rand.Read(l.ID[:]); err != nil {
		return Sealed{}, err
	}
	l.encoding, l.body = pack(wire.Text{Body: ask})
	l.Signature = sign(wire.SigningBytes(http.MethodPost, Path, l.Signed()))
	if len(phone) == 0 || len(phone) > maxPhone || len(l.Signature) != sigSize {
		return Sealed{}, errors.New("seal bundle: not a phone's name or signature")
	}
	if header+tag+len(l.content()) > MaxBundle {
		return Sealed{}, ErrSize
	}
	e, err := seal(server, Envelope{Kind: Bundle, ID: l.ID, To: l.Server}, askInfo, l.content())
	if err != nil {
		return Sealed{}, err
	}
	return Sealed{Envelope: e, Reply: private, Box: sha256.Sum256(e.Bytes())}, nil
}

func (l *Letter) content() []byte {
	b := append([]byte{byte(len(l.Phone))}, l.Phone...)
	b = append(b, l.Signature...)
	b = append(b, l.Reply...)
	b = append(b, l.encoding)
	b = binary.BigEndian.AppendUint32(b, uint32(len(l.body)))
	return append(b, l.body...)
}

// Open opens a bundle. The signature is not looked at: who it is of, only a
// database tells. The error is [ErrOther] when the bundle names another key,
// else [ErrBad].
func Open(k hpke.PrivateKey, e Envelope) (*Letter, error) {
	if e.Kind != Bundle {
		return nil, ErrBad
	}
	if e.To != keyID(k.PublicKey()) {
		return nil, ErrOther
	}
	content, err := open(k, e, askInfo)
	if err != nil {
		return nil, err
	}
	l := &Letter{ID: e.ID, Server: e.To, box: sha256.Sum256(e.Bytes())}
	name, rest, ok := cut(content, 1)
	if !ok {
		return nil, ErrBad
	}
	phone, rest, ok := cut(rest, int(name[0]))
	if !ok || len(phone) == 0 || len(phone) > maxPhone {
		return nil, ErrBad
	}
	fixed, rest, ok := cut(rest, sigSize+point+1+4)
	if !ok {
		return nil, ErrBad
	}
	l.Phone, l.Signature, l.Reply, l.encoding = string(phone), fixed[:sigSize], fixed[sigSize:sigSize+point], fixed[sigSize+point]
	n := binary.BigEndian.Uint32(fixed[sigSize+point+1:])
	if l.body, _, ok = cut(rest, int(n)); !ok {
		return nil, ErrBad
	}
	if _, err := publicKey(l.Reply); err != nil {
		return nil, ErrBad
	}
	return l, nil
}

func cut(b []byte, n int) (head, rest []byte, ok bool) {
	if n < 0 || n > len(b) {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

// Room tells whether an answer's body is small enough to go back in one
// envelope of size bytes.
func Room(body wire.Text, size int) bool {
	_, packed := pack(body)
	return header+tag+2+1+4+len(packed) <= size
}

// Answer seals what the server says: the status and the body that a direct ask
// would have got. The error is an [ErrSize] above MaxAnswer.
func (l *Letter) Answer(status int, body wire.Text) (Envelope, error) {
	reply, err := publicKey(l.Reply)
	if err != nil {
		return Envelope{}, err
	}
	encoding, packed := pack(body)
	content := binary.BigEndian.AppendUint16(nil, uint16(status))
	content = append(content, encoding)
	content = binary.BigEndian.AppendUint32(content, uint32(len(packed)))
	content = append(content, packed...)
	if header+tag+len(content) > MaxAnswer {
		return Envelope{}, ErrSize
	}
	return seal(reply, Envelope{Kind: Answer, ID: l.ID, To: keyID(reply)}, answerInfo+string(l.box[:]), content)
}

// OpenAnswer opens the answer to a bundle with what its owner remembered of it:
// the private key and the hash of the bundle.
func OpenAnswer(reply []byte, box [sha256.Size]byte, e Envelope) (status int, body []byte, err error) {
	k, err := PrivateKey(reply)
	if err != nil {
		return 0, nil, err
	}
	if e.Kind != Answer {
		return 0, nil, ErrBad
	}
	if e.To != keyID(k.PublicKey()) {
		return 0, nil, ErrOther
	}
	content, err := open(k, e, answerInfo+string(box[:]))
	if err != nil {
		return 0, nil, err
	}
	fixed, rest, ok := cut(content, 2+1+4)
	if !ok {
		return 0, nil, ErrBad
	}
	packed, _, ok := cut(rest, int(binary.BigEndian.Uint32(fixed[3:])))
	if !ok {
		return 0, nil, ErrBad
	}
	body, err = unpack(fixed[2], packed, 2*wire.WantMost)
	return int(binary.BigEndian.Uint16(fixed)), body, err
}

// pack compresses where that helps, nothing of an answer by what stands apart from
// it: the carrier sees how long it is. Every browser that has CompressionStream has gzip.
func pack(t wire.Text) (encoding byte, packed []byte) {
	if packed := t.Gzip(false); len(packed) < len(t.Body) {
		return gzipped, packed
	}
	return plain, t.Body
}

func unpack(encoding byte, body []byte, limit int) ([]byte, error) {
	name := ""
	switch encoding {
	case plain:
	case gzipped:
		name = "gzip"
	default:
		return nil, ErrBad
	}
	out, err := wire.Unpack(body, name, limit)
	if err != nil {
		return nil, ErrBad
	}
	return out, nil
}
