// Package room is a live session: State, which decides, and Room, which runs one State.
//
// State is pure. It reads no clock, starts no goroutine, logs nothing, draws no random number: what it knows it
// folded from the session's journal, and a State folded from a journal is the one that wrote it, byte for byte.
// Members' commands go in through Apply; arrivals, losses, speech and what recorders notice, which are not on the
// wire as commands, go in through Connect, Disconnect, Recover, Spoke and RecordingNotice; time goes in through Tick, at latest when Due says so. Every one of
// them returns the events to append to the journal, already folded.
//
// Room is the one goroutine that owns a State. It appends events to the Journal and goes on; members are told, and
// replies are sent, in order, as the appends return: nobody ever sees what is not durable. House finds, loads and
// evicts rooms.
package room
