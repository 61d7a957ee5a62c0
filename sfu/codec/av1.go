package codec

func parseAV1(b []byte, marker bool) (Frame, error) { return Frame{End: marker}, ErrUnknown }
