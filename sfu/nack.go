package sfu

import (
	"slices"
	"time"
)

const (
	nackPatience = 10 * time.Millisecond // a packet may only be late
	nackEcho     = 20 * time.Millisecond // after which a request is repeated, since it may be lost
	nackFirstRTT = 100 * time.Millisecond
	nackTries    = 48
	nackOften    = 15 * time.Millisecond // once the first answer must have been lost
	nackLife     = time.Second           // what comes later is of no use
	nackCapacity = 256
)

// nackList is the packets of one stream that are missing, and when to ask for them (RFC 4585 section 6.2.1). It is pure.
type nackList struct {
	started bool
	highest uint16
	missing []missing // in order
	next    time.Time // when the first is due
	rtt     time.Duration
	gaveUp  uint64
}

type missing struct {
	seq   uint16
	tries int
	since time.Time
	due   time.Time
	asked time.Time // for the first time
}

// received notes that a packet came; repaired says that it did as a repair: it was asked for, or made of redundancy, asked for or not.
// It reports false if so many are missing that asking is of no use: they are forgotten, and only a key frame helps.
func (l *nackList) received(seq uint16, repaired bool, now time.Time) bool {
	if !l.started {
		l.started, l.highest = true, seq
		return true
	}
	ahead := seq - l.highest
	if ahead == 0 || ahead >= 1<<15 {
		l.found(seq, repaired, now)
		return true
	}
	gap := int(ahead) - 1
	if len(l.missing)+gap > nackCapacity {
		l.gaveUp += uint64(len(l.missing) + gap) //nolint:gosec // not negative
		l.missing, l.highest = l.missing[:0], seq
		return false
	}
	if due := now.Add(nackPatience); len(l.missing) == 0 || l.next.After(due) {
		l.next = due
	}
	for s := l.highest + 1; s != seq; s++ {
		l.missing = append(l.missing, missing{seq: s, since: now, due: now.Add(nackPatience)})
	}
	l.highest = seq
	return true
}

// lacks reports whether a packet is missing.
func (l *nackList) lacks(seq uint16) bool {
	return slices.ContainsFunc(l.missing, func(m missing) bool { return m.seq == seq })
}

// asked reports whether a packet is missing and was asked for.
func (l *nackList) asked(seq uint16) bool {
	return slices.ContainsFunc(l.missing, func(m missing) bool { return m.seq == seq && m.tries != 0 })
}

// found takes a packet off the list. A repair of one that was asked for tells the round-trip time; one that is only late does not.
func (l *nackList) found(seq uint16, repaired bool, now time.Time) {
	for i, m := range l.missing {
		if m.seq != seq {
			continue
		}
		if repaired && m.tries != 0 {
			l.measure(now.Sub(m.asked))
		}
		l.missing = append(l.missing[:i], l.missing[i+1:]...)
		return
	}
}

// measure takes the time from the first request to a repair. Where the first repair was lost that is two round trips, and they are few;
// to leave out what was asked for again would leave out what takes long, too.
func (l *nackList) measure(took time.Duration) {
	if l.rtt == 0 {
		l.rtt = took
		return
	}
	l.rtt += (min(took, 2*l.rtt) - l.rtt) / 8
}

// due appends the packets to ask for now.
func (l *nackList) due(now time.Time, dst []uint16) []uint16 {
	if len(l.missing) == 0 || now.Before(l.next) {
		return dst
	}
	kept := l.missing[:0]
	l.next = now.Add(nackLife)
	for _, m := range l.missing {
		if m.tries >= nackTries || now.Sub(m.since) > nackLife {
			l.gaveUp++
			continue
		}
		if !now.Before(m.due) {
			m.ask(now, l.wait())
			dst = append(dst, m.seq)
		}
		if m.due.Before(l.next) {
			l.next = m.due
		}
		kept = append(kept, m)
	}
	l.missing = kept
	return dst
}

// ask notes a request and plans the next. Publishers answer one in a round trip of theirs, so what comes sooner than that is of use only
// if the first was lost. From then on it is repeated often: which of the requests comes just late enough depends on the jitter of the
// way, and one that comes too early costs as much time as one that is lost.
func (m *missing) ask(now time.Time, rtt time.Duration) {
	m.tries++
	switch m.tries {
	case 1:
		m.asked, m.due = now, now.Add(nackEcho)
	case 2:
		m.due = m.asked.Add(rtt)
	default:
		m.due = now.Add(nackOften)
	}
}

func (l *nackList) wait() time.Duration {
	if l.rtt == 0 {
		return nackFirstRTT
	}
	return max(l.rtt, 2*nackEcho)
}

// soon reports whether something is to be asked for before the next slow beat.
func (l *nackList) soon(now time.Time) bool {
	return len(l.missing) != 0 && l.next.Before(now.Add(slowBeat))
}

// reset forgets everything: the stream begins anew.
func (l *nackList) reset() { *l = nackList{missing: l.missing[:0], rtt: l.rtt, gaveUp: l.gaveUp} }
