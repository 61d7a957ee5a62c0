// Package cluster makes one of many nodes of a server: who is there, which node runs which session, and lines between them.
//
// Two stores are behind it. The database has what is true: the lease of a session names its node and carries an epoch, higher than
// all before, without which nothing is appended to a journal. Redis has what is so now, and can be lost at any time: which nodes are
// alive (each says so every second, and is forgotten after five), how loaded they are, and where sessions are. A session
// that nobody runs is placed by one script, so that all nodes agree.
//
// A node that is not heard of for five seconds is dead to the others: they take its leases. If it lives (it was stopped, or cut off),
// its appends are refused, and within two seconds of its waking it sees the higher epochs and lets go. A node that is cut off from Redis
// and the database at once cannot see them; it lets go when its five seconds are over.
//
// While Redis is away, sessions stay where they are; one that nobody holds may be opened where it is asked for, and of the others it is known
// where the pages of their nodes were ([Node.Detour]). Lines between nodes are numbered: what is lost breaks the line, and whoever came by
// it comes again.
//
// What nodes say to each other is sealed with a key that is in the database: whoever reaches Redis alone speaks for no node, and leads no
// browser away. They can read what is said, repeat it, and say that nodes and sessions are where they are not.
package cluster
