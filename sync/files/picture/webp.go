package picture

import (
	"bytes"
	"encoding/binary"
)

// The flags of a VP8X chunk (RFC 9649 §2.7.1).
const (
	webpAnimation = 0x02
	webpAlpha     = 0x10
)

// webpParts copies the one picture of a WebP file. Pictures that move are not
// taken: Go cannot decode them, so nobody could look at what they show.
func webpParts(b []byte, maxPixels int) (parts, error) {
	p := parts{weight: 1}
	size := int64(binary.LittleEndian.Uint32(b[4:]))
	if size+8 > int64(len(b)) || size < 4 {
		return p, damaged("WebP")
	}
	out := append(make([]byte, 0, len(b)), "RIFF\x00\x00\x00\x00WEBP"...)
	shown := false
	for at, end := 12, int(size)+8; at+8 <= end; {
		name := string(b[at : at+4])
		length := int64(binary.LittleEndian.Uint32(b[at+4:]))
		if int64(at)+8+length > int64(end) {
			return p, damaged("WebP chunk")
		}
		payload := b[at+8 : at+8+int(length)]
		at += 8 + int(length+length&1)
		switch name {
		case "VP8X":
			if len(payload) != 10 || len(out) > 12 || payload[0]&webpAnimation != 0 {
				return p, damaged("WebP header")
			}
			head := bytes.Clone(payload)
			head[0], head[1], head[2], head[3] = head[0]&webpAlpha, 0, 0, 0
			out = appendRIFF(out, name, head)
		case "ALPH":
			if !shown {
				out = appendRIFF(out, name, payload)
			}
		case "VP8 ", "VP8L":
			if shown {
				continue
			}
			shown = true
			// The canvas may be small and the frame in it huge.
			width, height := webpFrame(name, payload)
			if err := fits(width, height, 1, maxPixels); err != nil {
				return p, err
			}
			out = appendRIFF(out, name, payload)
		case "EXIF":
			if p.orientation == 0 {
				p.orientation = orientation(bytes.TrimPrefix(payload, []byte("Exif\x00\x00")))
			}
		}
	}
	if !shown {
		return p, damaged("WebP without a picture")
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	p.clean = out
	return p, nil
}

func appendRIFF(out []byte, name string, payload []byte) []byte {
	out = append(out, name...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(payload)))
	out = append(out, payload...)
	if len(payload)&1 == 1 {
		out = append(out, 0)
	}
	return out
}

// webpFrame reads a frame's own size; 0 when it has none.
func webpFrame(name string, b []byte) (width, height int) {
	if name == "VP8L" { // RFC 9649 §3.4: a signature, then 14 bits each, less one
		if len(b) < 5 || b[0] != 0x2F {
			return 0, 0
		}
		bits := binary.LittleEndian.Uint32(b[1:])
		return int(bits&0x3FFF) + 1, int(bits>>14&0x3FFF) + 1
	}
	if len(b) < 10 { // RFC 6386 §9.1: a tag of three bytes, a start code, 14 bits each
		return 0, 0
	}
	return int(binary.LittleEndian.Uint16(b[6:]) & 0x3FFF), int(binary.LittleEndian.Uint16(b[8:]) & 0x3FFF)
}
