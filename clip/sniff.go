package clip

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
)

// notVideo is what people read when a file is no video at all.
const notVideo = "This file is not a video that can be shown here. Choose an MP4, MOV, WebM, MKV, AVI or MPEG file."

const sniffed = 4096 // bytes from the beginning that decide the demuxer

// sniff decides by content alone, never by name, which one of ffmpeg's demuxers may open the file. Playlists,
// scripts, pictures and all else have none and are refused.
func sniff(path string) (demuxer string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, sniffed)
	n, err := io.ReadFull(f, head)
	if err != nil && n == 0 {
		return "", because("refused", "This file is empty. Choose another one.", err)
	}
	if d := demuxerFor(head[:n]); d != "" {
		return d, nil
	}
	return "", because("refused", notVideo, nil)
}

func demuxerFor(head []byte) string {
	switch {
	case isMP4(head):
		return "mov"
	case bytes.HasPrefix(head, []byte("\x1a\x45\xdf\xa3")): // EBML, RFC 8794
		return "matroska"
	case len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:11]) == "AVI":
		return "avi"
	case isTransportStream(head, 0, 188), isTransportStream(head, 4, 192):
		return "mpegts"
	case bytes.HasPrefix(head, []byte("\x00\x00\x01\xba")): // pack header, ISO/IEC 13818-1
		return "mpeg"
	}
	return ""
}

// isMP4 looks for a first box of an ISO base media file (ISO/IEC 14496-12) or of QuickTime
// which is not that of a picture (HEIF, AVIF, CR3).
func isMP4(head []byte) bool {
	if len(head) < 16 {
		return false
	}
	switch string(head[4:8]) {
	case "ftyp":
		return !pictureBrand(string(head[8:12]))
	case "moov", "mdat", "wide", "free", "skip", "pnot":
		size := binary.BigEndian.Uint32(head)
		return size == 0 || size == 1 || size >= 8
	}
	return false
}

func pictureBrand(brand string) bool {
	switch brand {
	case "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1", "avif", "avis", "crx ", "jxl ", "jpx ", "jp2 ":
		return true
	}
	return false
}

// isTransportStream wants the sync byte of the first packets, at least five of them.
func isTransportStream(head []byte, offset, size int) bool {
	count := 0
	for i := offset; i < len(head); i += size {
		if head[i] != 0x47 {
			return false
		}
		count++
	}
	return count >= 5
}
