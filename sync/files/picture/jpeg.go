package picture

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// maxScans bounds the passes over a progressive JPEG: a small file may ask for
// a hundred thousand, each as long as the picture is large. Cameras write ten.
const maxScans = 100

// jpegParts copies the tables, frames and scans of a JPEG (ITU-T T.81 annex B)
// up to its end. Of the application segments only what decides the colours is
// written again, in our own bytes: that there was a JFIF header, and Adobe's
// transform.
func jpegParts(b []byte, _ int) (parts, error) {
	p := parts{weight: 1}
	out := make([]byte, 2, len(b))
	copy(out, b[:2]) // SOI, as Sniff saw
	scans := 0
	for at := 2; ; {
		marker, next, ok := jpegMarker(b, at)
		if !ok {
			return p, damaged("JPEG without an end")
		}
		if marker == 0xD9 { // EOI: whatever stands behind it is not this picture
			p.clean = append(out, 0xFF, 0xD9)
			return p, nil
		}
		if marker == 0x01 || marker >= 0xD0 && marker <= 0xD8 {
			at = next
			continue
		}
		if next+2 > len(b) {
			return p, damaged("JPEG segment")
		}
		length := int(binary.BigEndian.Uint16(b[next:]))
		if length < 2 || next+length > len(b) {
			return p, damaged("JPEG segment")
		}
		payload := b[next+2 : next+length]
		at = next + length
		switch {
		case marker == 0xE0:
			if bytes.HasPrefix(payload, []byte("JFIF\x00")) {
				out = append(out, "\xFF\xE0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"...)
			}
		case marker == 0xE1:
			if tiff, ok := bytes.CutPrefix(payload, []byte("Exif\x00\x00")); ok && p.orientation == 0 {
				p.orientation = orientation(tiff)
			}
		case marker == 0xEE:
			if bytes.HasPrefix(payload, []byte("Adobe")) && len(payload) >= 12 {
				out = append(out, "\xFF\xEE\x00\x0EAdobe\x00\x64\x00\x00\x00\x00"...)
				out = append(out, payload[11])
			}
		case marker >= 0xC0 && marker <= 0xCF, marker >= 0xDB && marker <= 0xDD:
			if marker == 0xC2 {
				p.weight = 2 // its coefficients are kept until the last scan
			}
			out = append(append(out, 0xFF, marker), b[next:at]...)
		case marker == 0xDA:
			if scans++; scans > maxScans {
				return p, ErrPixels
			}
			end := scanEnd(b, at)
			out = append(append(out, 0xFF, marker), b[next:end]...)
			at = end
		}
	}
}

// jpegMarker reads the marker at or after at; next is where its segment begins.
func jpegMarker(b []byte, at int) (marker byte, next int, ok bool) {
	if at >= len(b) || b[at] != 0xFF {
		return 0, 0, false
	}
	for at < len(b) && b[at] == 0xFF {
		at++
	}
	if at >= len(b) || b[at] == 0 {
		return 0, 0, false
	}
	return b[at], at + 1, true
}

// scanEnd returns where the coded data that begins at at is over: at the first
// marker that is neither a stuffed zero nor a restart.
func scanEnd(b []byte, at int) int {
	for at < len(b) {
		i := bytes.IndexByte(b[at:], 0xFF)
		if i < 0 || at+i+1 >= len(b) {
			return len(b)
		}
		at += i
		if m := b[at+1]; m == 0 || m >= 0xD0 && m <= 0xD7 {
			at += 2
			continue
		}
		return at
	}
	return len(b)
}

func damaged(what string) error { return fmt.Errorf("%w: damaged %s", ErrKind, what) }
