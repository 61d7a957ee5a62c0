package sfu

// DownStats counts what one subscriber was sent of one publication.
type DownStats struct {
	Packets          uint64
	Bytes            uint64 // of payload
	NACKs            uint64 // packets that the subscriber asked for
	Repaired         uint64
	Unrepaired       uint64 // asked for, and not there any more
	Dropped          uint64 // given up since they waited too long
	KeyframeRequests uint64
	Loss             float64 // fraction of the newest report, 0 to 1
}
