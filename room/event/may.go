package event

import "slices"

// May lists what a member may do in a session: by role and by the session's kind, by whether a facilitator is
// here (what belongs to the facilitator falls to others only while there is none), and, for a peer, by whether
// they were handed the controls.
//
//	may                         focal  coach  facilitator  peer         observer
//	publish                     yes    yes    yes          yes          –
//	drive                       yes    yes    yes          handed over  –
//	hand-over                   yes    yes    yes          back         –
//	prepare / propose           yes    yes    yes          propose      –
//	call-pause                  yes    yes    yes          yes          –
//	continue                    alone  alone  yes          –            –        alone: while no facilitator is here
//	write-shared                yes    yes    yes          yes          live lessons
//	write-coaches               –      yes    yes          –            –
//	write-private, raise-hand   yes    yes    yes          yes          yes
//	record                      yes    yes    yes          –            –
//	off-the-record              yes    yes    yes          yes          yes
//	change-role                 alone  –      yes          –            –
//	remove, end                 yes    –      yes          –            –
//	export                      all    shared shared       own          own
//
// A live lesson has no player, so nobody drives, pauses or continues there.
func May(role Role, kind Kind, facilitated, holder bool) []Action {
	out := []Action{}
	for _, a := range actions {
		if may(a, role, kind, facilitated, holder) {
			out = append(out, a)
		}
	}
	return out
}

// May lists what this member may do in the session as it is now: nothing who is not known here.
func (v *View) May(member string) []Action {
	m, ok := v.Member(member)
	if !ok || m.Presence == Left {
		return []Action{}
	}
	return May(m.Role, v.Session.Kind, v.Facilitated(), v.Controls.Holder == member)
}

// Facilitated reports whether a facilitator is here.
func (v *View) Facilitated() bool {
	return slices.ContainsFunc(v.Members, func(m Member) bool {
		return m.Role == Facilitator && m.Presence == Here
	})
}

// actions is all of them, in the order in which they are listed.
var actions = []Action{
	Publish, Drive, HandOver, Prepare, Propose, CallPause, Continue, WriteShared, WriteCoaches, WritePrivate,
	Draw, Record, GoOffRecord, RaiseHand, ChangeRole, RemoveMember, EndSession, ExportAll, ExportShared, ExportOwn,
}

func may(a Action, role Role, kind Kind, facilitated, holder bool) bool {
	leads := role == Facilitator || role == Focal && !facilitated
	core := role == Focal || role == Coach || role == Facilitator
	known := core || role == Peer || role == Observer
	player := kind != LiveLesson
	switch a {
	case Publish:
		return core || role == Peer
	case Drive, HandOver:
		return player && (core || role == Peer && holder)
	case Prepare:
		return player && core
	case Propose, CallPause, Draw:
		return player && (core || role == Peer)
	case Continue:
		return player && (leads || role == Coach && !facilitated)
	case WriteShared:
		return core || role == Peer || role == Observer && kind == LiveLesson
	case WriteCoaches, ExportShared:
		return role == Coach || role == Facilitator || a == ExportShared && role == Focal
	case Record:
		return core
	case ChangeRole:
		return leads
	case RemoveMember, EndSession:
		return role == Focal || role == Facilitator
	case ExportAll:
		return role == Focal
	case WritePrivate, GoOffRecord, RaiseHand, ExportOwn:
		return known
	}
	return false
}
