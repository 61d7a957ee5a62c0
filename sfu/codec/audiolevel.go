package codec

// AudioLevel reads the client-to-mixer audio level extension (RFC 6464 section 3): level 0 is the loudest and 127 silence, in -dBov;
// voice says that the sender believes it is speech.
func AudioLevel(ext []byte) (level uint8, voice, ok bool) {
	if len(ext) == 0 {
		return 0, false, false
	}
	return ext[0] & 0x7f, ext[0]&0x80 != 0, true
}
