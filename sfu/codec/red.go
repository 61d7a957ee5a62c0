package codec

// REDBlock is one block of a payload of redundant audio.
type REDBlock struct {
	PayloadType uint8
	Offset      uint32 // ticks before the packet's timestamp, below 2^14; 0 for the primary
	Payload     []byte // a part of the packet's, may be empty
}

// REDPrimary returns the newest block of a payload of redundant audio (RFC 2198 section 3): what the codec's own packet would carry.
func REDPrimary(payload []byte) (primary []byte, ok bool) {
	headers, data, ok := redHeaders(payload)
	if !ok {
		return nil, false
	}
	for i := 0; i+1 < headers; i += 4 {
		data += redLength(payload[i:])
	}
	return payload[data:], true
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
