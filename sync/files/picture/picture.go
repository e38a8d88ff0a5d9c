// Package picture makes a photo fit to be shared: without what its camera wrote
// beside it, upright, and small.
//
// Where nothing must be turned the pixels are not touched: a JPEG, PNG or WebP
// is read as the list of its parts and only the parts that make the picture are
// written again, by a list of what may stay. A position, a serial number, a
// preview, a second picture behind the first: whatever is not on the list is
// gone, known to us or not. Only a photo that lies on its side is decoded, turned
// and encoded anew. To clean what is clean changes no byte, so a phone that
// cleans before it names a file and a server that cleans again agree on the name.
//
// Size is judged by the header, before a pixel is decoded: a hundred bytes can
// claim three billion pixels.
package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"

	"github.com/disintegration/imaging"
	"golang.org/x/image/webp"
)

// Kind is what a file is, as a media type.
type Kind string

// The kinds that are taken.
const (
	JPEG Kind = "image/jpeg"
	PNG  Kind = "image/png"
	WebP Kind = "image/webp"
	PDF  Kind = "application/pdf"
)

// What is wrong with a file.
var (
	// ErrKind: none of the kinds, or one that cannot be read.
	ErrKind = errors.New("not a picture that can be read")
	// ErrPixels: it would take too much memory to look at.
	ErrPixels = errors.New("too many pixels")
)

// turnedQuality is that of photos which had to be encoded anew: what phones use.
const turnedQuality = 88

// SniffLen is how many bytes Sniff wants to see.
const SniffLen = 12

// Sniff tells the kind by the first bytes; false when it is none of ours.
func Sniff(head []byte) (Kind, bool) {
	switch {
	case bytes.HasPrefix(head, []byte{0xFF, 0xD8, 0xFF}):
		return JPEG, true
	case bytes.HasPrefix(head, []byte(pngSignature)):
		return PNG, true
	case len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP":
		return WebP, true
	case bytes.HasPrefix(head, []byte("%PDF-")):
		return PDF, true
	}
	return "", false
}

// Picture is a file that may be shown to others.
type Picture struct {
	Kind          Kind
	Bytes         []byte
	Width, Height int // 0 for a PDF

	image image.Image
}

// parts is what reading the list of a file's parts gives.
type parts struct {
	clean       []byte
	orientation int // 1 to 8 as in Exif; 0: not said
	// weight multiplies the pixels: how much more memory than usual the decoder takes.
	weight int
}

// Clean reads a file and returns what may be shared of it. Pictures have at most
// maxPixels pixels, half of that where they are of a kind that takes twice the
// memory. A PDF stays as it is. The errors are [ErrKind] and [ErrPixels].
// The returned bytes may be those of b.
func Clean(b []byte, maxPixels int) (*Picture, error) {
	kind, ok := Sniff(b)
	if !ok {
		return nil, ErrKind
	}
	if kind == PDF {
		return &Picture{Kind: PDF, Bytes: b}, nil
	}
	codec := codecs[kind]
	p, err := codec.parts(b, maxPixels)
	if err != nil {
		return nil, err
	}
	size, err := codec.size(bytes.NewReader(p.clean))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKind, err)
	}
	if err := fits(size.Width, size.Height, p.weight, maxPixels); err != nil {
		return nil, err
	}
	img, err := codec.decode(bytes.NewReader(p.clean))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKind, err)
	}
	out := &Picture{Kind: kind, Bytes: p.clean, image: img}
	if p.orientation > 1 {
		if err := out.turn(p.orientation); err != nil {
			return nil, err
		}
	}
	out.Width, out.Height = out.image.Bounds().Dx(), out.image.Bounds().Dy()
	return out, nil
}

// fits tells whether a picture of that size may be decoded.
func fits(width, height, weight, maxPixels int) error {
	if width <= 0 || height <= 0 {
		return ErrKind
	}
	if int64(width)*int64(height)*int64(max(weight, 1)) > int64(maxPixels) {
		return ErrPixels
	}
	return nil
}

type codec struct {
	parts  func(b []byte, maxPixels int) (parts, error)
	size   func(*bytes.Reader) (image.Config, error)
	decode func(*bytes.Reader) (image.Image, error)
}

var codecs = map[Kind]codec{
	JPEG: {jpegParts,
		func(r *bytes.Reader) (image.Config, error) { return jpeg.DecodeConfig(r) },
		func(r *bytes.Reader) (image.Image, error) { return jpeg.Decode(r) }},
	PNG: {pngParts,
		func(r *bytes.Reader) (image.Config, error) { return png.DecodeConfig(r) },
		func(r *bytes.Reader) (image.Image, error) { return png.Decode(r) }},
	WebP: {webpParts,
		func(r *bytes.Reader) (image.Config, error) { return webp.DecodeConfig(r) },
		func(r *bytes.Reader) (image.Image, error) { return webp.Decode(r) }},
}

// turn sets the picture upright and encodes it anew. There is no encoder of WebP
// in Go: such a photo becomes a JPEG, or a PNG where one sees through it.
func (p *Picture) turn(orientation int) error {
	switch orientation {
	case 2:
		p.image = imaging.FlipH(p.image)
	case 3:
		p.image = imaging.Rotate180(p.image)
	case 4:
		p.image = imaging.FlipV(p.image)
	case 5:
		p.image = imaging.Transpose(p.image)
	case 6:
		p.image = imaging.Rotate270(p.image)
	case 7:
		p.image = imaging.Transverse(p.image)
	case 8:
		p.image = imaging.Rotate90(p.image)
	}
	var b bytes.Buffer
	var err error
	if p.Kind == JPEG || p.Kind == WebP && opaque(p.image) {
		p.Kind, err = JPEG, jpeg.Encode(&b, p.image, &jpeg.Options{Quality: turnedQuality})
	} else {
		p.Kind, err = PNG, png.Encode(&b, p.image)
	}
	if err != nil {
		return fmt.Errorf("turn picture: %w", err)
	}
	p.Bytes = b.Bytes()
	return nil
}

func opaque(m image.Image) bool {
	o, ok := m.(interface{ Opaque() bool })
	return ok && o.Opaque()
}
