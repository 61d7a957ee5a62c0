package codec

// What the header of a redundant block can say (RFC 2198 section 3).
const (
	redOffsets = 1 << 14 // ticks
	redLengths = 1 << 10 // bytes
)

// REDBlock is one block of a payload of redundant audio.
type REDBlock struct {
	PayloadType uint8
	Offset      uint32 // ticks before the packet's timestamp, below 2^14; 0 for the primary
	Payload     []byte // a part of the packet's, may be empty
}

// REDBlocks appends the blocks to dst, the oldest first as they are in the payload, the primary last.
func REDBlocks(dst []REDBlock, payload []byte) ([]REDBlock, error) {
	headers, data, ok := redHeaders(payload)
	if !ok {
		return dst, ErrShort
	}
	for i := 0; i+1 < headers; i += 4 {
		n := redLength(payload[i:])
		offset := uint32(payload[i+1])<<6 | uint32(payload[i+2])>>2
		dst = append(dst, REDBlock{PayloadType: payload[i] & 0x7f, Offset: offset, Payload: payload[data : data+n]})
		data += n
	}
	return append(dst, REDBlock{PayloadType: payload[headers-1] & 0x7f, Payload: payload[data:]}), nil
}

// AppendRED appends a payload of redundant audio to dst: the earlier blocks, the oldest first, and then the primary, all of one
// payload type. A block that its header cannot describe is left out.
func AppendRED(dst []byte, payloadType uint8, earlier []REDBlock, primary []byte) []byte {
	for _, b := range earlier {
		if n := uint32(len(b.Payload)); b.fits() { //nolint:gosec // below redLengths
			dst = append(dst, 0x80|payloadType, byte(b.Offset>>6), byte(b.Offset<<2)|byte(n>>8), byte(n))
		}
	}
	dst = append(dst, payloadType&0x7f)
	for _, b := range earlier {
		if b.fits() {
			dst = append(dst, b.Payload...)
		}
	}
	return append(dst, primary...)
}

func (b *REDBlock) fits() bool { return b.Offset < redOffsets && len(b.Payload) < redLengths }

// redHeaders returns the bytes of all headers, which is also where the data begins; it reports false if the headers or
// the blocks that they announce do not fit.
func redHeaders(b []byte) (headers, data int, ok bool) {
	blocks := 0
	for headers < len(b) && b[headers]&0x80 != 0 {
		if headers+4 > len(b) {
			return 0, 0, false
		}
		blocks += redLength(b[headers:])
		headers += 4
	}
	headers++
	return headers, headers, headers+blocks <= len(b)
}

func redLength(header []byte) int { return int(header[2]&0x03)<<8 | int(header[3]) }
