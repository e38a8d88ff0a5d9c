package picture

import (
	"encoding/binary"
	"slices"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// pngChunks are the chunks that stay (PNG, 3rd edition, §11), with the only
// lengths they may have; nil is any.
var pngChunks = map[string][]int{
	"IHDR": {13}, "PLTE": nil, "IDAT": nil, "IEND": {0}, "tRNS": nil,
	"gAMA": {4}, "cHRM": {32}, "sRGB": {1}, "sBIT": {1, 2, 3, 4},
}

// pngParts copies the chunks that make the picture, up to its end. Pictures that
// move lose their later frames.
func pngParts(b []byte, _ int) (parts, error) {
	p := parts{weight: 1}
	out := append(make([]byte, 0, len(b)), pngSignature...)
	data := 0 // 0: before, 1: in, 2: after the picture's data, which stands together
	for at := len(pngSignature); ; {
		if at+12 > len(b) {
			return p, damaged("PNG without an end")
		}
		length := int64(binary.BigEndian.Uint32(b[at:]))
		if int64(at)+12+length > int64(len(b)) {
			return p, damaged("PNG chunk")
		}
		end := at + 12 + int(length)
		name, payload := string(b[at+4:at+8]), b[at+8:end-4]
		lengths, keep := pngChunks[name]
		switch {
		case name == "IHDR" && len(payload) == 13 && payload[8] == 16:
			p.weight = 2 // two bytes a channel
		case name == "IDAT":
			if data == 2 {
				return p, damaged("PNG data")
			}
			data = 1
		case name == "eXIf" && p.orientation == 0:
			p.orientation = orientation(payload)
		}
		if name != "IDAT" && data == 1 {
			data = 2
		}
		if keep && lengths != nil && !slices.Contains(lengths, len(payload)) {
			keep = false
		}
		if !keep && name[0]&0x20 == 0 { // a capital letter: it cannot be understood without it
			return p, damaged("PNG chunk " + name)
		}
		if keep {
			out = append(out, b[at:end]...)
		}
		if name == "IEND" {
			p.clean = out
			return p, nil
		}
		at = end
	}
}
