package clip

import (
	"encoding/base64"
	"strings"
)

const maxMetadata = 8 << 10 // bytes of an Upload-Metadata header

// parseMetadata reads an Upload-Metadata header: pairs of key and Base64 value,
// separated by commas; the value may be missing (tus 1.0.0, "Upload-Metadata").
func parseMetadata(header string) (map[string]string, error) {
	if len(header) > maxMetadata {
		return nil, because("bad_metadata", "The description of the upload is too long.", nil)
	}
	meta := map[string]string{}
	if strings.TrimSpace(header) == "" {
		return meta, nil
	}
	for pair := range strings.SplitSeq(header, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(pair), " ")
		if !asciiKey(key) {
			return nil, because("bad_metadata", "The description of the upload has a bad name in it.", nil)
		}
		if _, twice := meta[key]; twice {
			return nil, because("bad_metadata", "The description of the upload names something twice.", nil)
		}
		text, err := base64.StdEncoding.Strict().DecodeString(value)
		if err != nil {
			return nil, because("bad_metadata", "The description of the upload is not Base64.", err)
		}
		meta[key] = string(text)
	}
	return meta, nil
}

// asciiKey reports whether key may name metadata: ASCII, no spaces or commas, not empty.
func asciiKey(key string) bool {
	for i := range len(key) {
		if key[i] <= ' ' || key[i] >= 0x7f || key[i] == ',' {
			return false
		}
	}
	return key != ""
}
