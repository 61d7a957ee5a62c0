// Package quota counts what clients hold, so that none of them takes all there is.
package quota

import (
	"net/netip"
	"sync"
)

// Quota counts places, in all and for each client. Its methods may be called from any goroutine.
type Quota[Client comparable] struct {
	total, each int

	mu  sync.Mutex // guards below
	all int
	of  map[Client]int
}

// New makes a quota of which nothing is taken.
func New[Client comparable](total, each int) *Quota[Client] {
	return &Quota[Client]{total: total, each: each, of: map[Client]int{}}
}

// Take takes a place for a client, if there is one. release gives it back; after the first call it does nothing.
func (q *Quota[Client]) Take(client Client) (release func(), ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.free(client) {
		return nil, false
	}
	q.all++
	q.of[client]++
	return sync.OnceFunc(func() { q.give(client) }), true
}

// Free reports whether there is a place for a client.
func (q *Quota[Client]) Free(client Client) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.free(client)
}

// Taken is how many places are.
func (q *Quota[Client]) Taken() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.all
}

func (q *Quota[Client]) free(client Client) bool { return q.all < q.total && q.of[client] < q.each }

func (q *Quota[Client]) give(client Client) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all--
	if q.of[client]--; q.of[client] == 0 {
		delete(q.of, client)
	}
}

// Subnet is the client that an address is of: an IPv4 address, or the /64 that one IPv6 customer has.
func Subnet(addr netip.Addr) netip.Addr {
	if addr.Is4() || !addr.IsValid() {
		return addr
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return addr
	}
	return prefix.Addr()
}
