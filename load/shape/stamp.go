package shape

import "encoding/binary"

// StampSize is the length of a stamp in bytes.
const StampSize = 20

const magic = 0x50504253

// Stamp says of a packet which stream it is of, the how manieth, and when it was sent.
type Stamp struct {
	Stream uint32
	Number uint32
	Sent   int64 // nanoseconds since 1970
}

// Put writes the stamp into the last StampSize bytes of payload.
func (s Stamp) Put(payload []byte) {
	b := payload[len(payload)-StampSize:]
	binary.BigEndian.PutUint32(b, magic)
	binary.BigEndian.PutUint32(b[4:], s.Stream)
	binary.BigEndian.PutUint32(b[8:], s.Number)
	binary.BigEndian.PutUint64(b[12:], uint64(s.Sent)) //nolint:gosec // round trip
}

// ReadStamp reads what Put wrote; it reports false for anything else, such as padding.
func ReadStamp(payload []byte) (Stamp, bool) {
	if len(payload) < StampSize {
		return Stamp{}, false
	}
	b := payload[len(payload)-StampSize:]
	if binary.BigEndian.Uint32(b) != magic {
		return Stamp{}, false
	}
	return Stamp{
		Stream: binary.BigEndian.Uint32(b[4:]), Number: binary.BigEndian.Uint32(b[8:]),
		Sent: int64(binary.BigEndian.Uint64(b[12:])), //nolint:gosec // round trip
	}, true
}
