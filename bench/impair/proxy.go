package main

import (
	"container/heap"
	"errors"
	"net"
	"sync"
	"time"
)

const (
	largestDatagram = 65536
	socketBytes     = 4 << 20
	seedUp          = 1
	seedDown        = 2
)

// proxy passes UDP between clients and one server, as badly as its links say. Up is towards the server.
type proxy struct {
	near   *net.UDPConn
	target *net.UDPAddr
	began  time.Time

	mu       sync.Mutex // guards what is below
	up, down *link
	flows    map[string]*flow // by the client's address
	due      schedule
	wake     chan struct{} // capacity 1: something is due earlier
}

// flow is one client's own socket towards the server, which so sees a different address for each.
type flow struct {
	client *net.UDPAddr
	far    *net.UDPConn
}

func newProxy(listen, target string) (*proxy, error) {
	to, err := net.ResolveUDPAddr("udp", target)
	if err != nil {
		return nil, err
	}
	at, err := net.ResolveUDPAddr("udp", listen)
	if err != nil {
		return nil, err
	}
	near, err := net.ListenUDP("udp", at)
	if err != nil {
		return nil, err
	}
	_, _ = near.SetReadBuffer(socketBytes), near.SetWriteBuffer(socketBytes)
	return &proxy{
		near: near, target: to, began: time.Now(), up: newLink(seedUp), down: newLink(seedDown),
		flows: make(map[string]*flow), wake: make(chan struct{}, 1),
	}, nil
}

func (p *proxy) now() time.Duration { return time.Since(p.began) }

// change sets the conditions from now on; nil leaves a direction as it is.
func (p *proxy) change(up, down *Conditions) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if up != nil {
		p.up.change(*up, p.now())
	}
	if down != nil {
		p.down.change(*down, p.now())
	}
}

func (p *proxy) counts() (up, down Counts) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.up.counts, p.down.counts
}

// run passes packets until the listening socket is closed.
func (p *proxy) run() error {
	done := make(chan struct{})
	var deliveries sync.WaitGroup
	deliveries.Go(func() { p.deliver(done) })
	err := p.receive()
	close(done)
	deliveries.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.flows {
		_ = f.far.Close()
	}
	return err
}

func (p *proxy) receive() error {
	buf := make([]byte, largestDatagram)
	for {
		n, from, err := p.near.ReadFromUDP(buf)
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		f, err := p.flow(from)
		if err != nil {
			return err
		}
		p.schedule(buf[:n], f, true)
	}
}

func (p *proxy) flow(from *net.UDPAddr) (*flow, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f := p.flows[from.String()]; f != nil {
		return f, nil
	}
	far, err := net.DialUDP("udp", nil, p.target)
	if err != nil {
		return nil, err
	}
	_, _ = far.SetReadBuffer(socketBytes), far.SetWriteBuffer(socketBytes)
	f := &flow{client: from, far: far}
	p.flows[from.String()] = f
	go p.answers(f) // ends when run closes its socket
	return f, nil
}

// answers reads what the server sends to one client.
func (p *proxy) answers(f *flow) {
	buf := make([]byte, largestDatagram)
	for {
		n, err := f.far.Read(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil { // a server that is away for a while is no reason to stop
			p.schedule(buf[:n], f, false)
		}
	}
}

func (p *proxy) schedule(packet []byte, f *flow, up bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.down
	if up {
		l = p.up
	}
	at, ok := l.pass(len(packet), p.now())
	if !ok {
		return
	}
	heap.Push(&p.due, delivery{at: at, packet: append([]byte(nil), packet...), flow: f, up: up, order: p.due.pushed})
	p.due.pushed++
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// deliver sends what is due, in order of time.
func (p *proxy) deliver(done <-chan struct{}) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		next := p.sendDue()
		timer.Reset(next)
		select {
		case <-timer.C:
		case <-p.wake:
		case <-done:
			return
		}
	}
}

// sendDue returns how long nothing more is due.
func (p *proxy) sendDue() time.Duration {
	for {
		p.mu.Lock()
		if len(p.due.list) == 0 {
			p.mu.Unlock()
			return time.Hour
		}
		if wait := p.due.list[0].at - p.now(); wait > 0 {
			p.mu.Unlock()
			return wait
		}
		d, _ := heap.Pop(&p.due).(delivery)
		p.mu.Unlock()
		// Whoever is gone does not receive it.
		if d.up {
			_, _ = d.flow.far.Write(d.packet)
		} else {
			_, _ = p.near.WriteToUDP(d.packet, d.flow.client)
		}
	}
}

type delivery struct {
	at     time.Duration
	order  uint64
	packet []byte
	flow   *flow
	up     bool
}

// schedule is a heap of deliveries, the earliest first; those of the same time in the order in which they came.
type schedule struct {
	list   []delivery
	pushed uint64
}

func (s *schedule) Len() int { return len(s.list) }
func (s *schedule) Less(i, j int) bool {
	a, b := s.list[i], s.list[j]
	return a.at < b.at || a.at == b.at && a.order < b.order
}
func (s *schedule) Swap(i, j int) { s.list[i], s.list[j] = s.list[j], s.list[i] }
func (s *schedule) Push(x any) {
	if d, ok := x.(delivery); ok {
		s.list = append(s.list, d)
	}
}

func (s *schedule) Pop() any {
	last := len(s.list) - 1
	d := s.list[last]
	s.list[last] = delivery{}
	s.list = s.list[:last]
	return d
}
