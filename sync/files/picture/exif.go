package picture

import "encoding/binary"

// orientation reads how the camera was held from Exif data (a TIFF header and
// its first directory; tag 0x0112): 1 to 8, or 0 when it is not said.
func orientation(tiff []byte) int {
	if len(tiff) < 8 {
		return 0
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 0
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 0
	}
	entries := int64(order.Uint16(tiff[at:]))
	for at += 2; entries > 0 && at+12 <= int64(len(tiff)); at, entries = at+12, entries-1 {
		const short = 3
		if order.Uint16(tiff[at:]) != 0x0112 || order.Uint16(tiff[at+2:]) != short {
			continue
		}
		if v := int(order.Uint16(tiff[at+8:])); v >= 1 && v <= 8 {
			return v
		}
		return 0
	}
	return 0
}
