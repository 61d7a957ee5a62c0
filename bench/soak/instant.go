package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
)

// instantPlan is people who come in the same instant.
type instantPlan struct {
	Times, Members int
	Patience       time.Duration
}

func (p instantPlan) run(ctx context.Context) (*row, error) {
	server, err := startServer(ctx, false)
	if err != nil {
		return nil, err
	}
	r, err := p.against(ctx, server)
	return r, errors.Join(err, server.stop())
}

func (p instantPlan) against(ctx context.Context, server *process) (*row, error) {
	m, err := newMaker()
	if err != nil {
		return nil, err
	}
	r := &row{scenario: "instant"}
	var took []time.Duration
	missed := 0
	for i := range p.Times {
		if err = ctx.Err(); err != nil {
			break
		}
		d, miss, failure := p.once(server.addr, m, room(i))
		if failure != nil {
			err = failure
			break
		}
		took = append(took, d)
		if miss != "" {
			if missed++; missed <= 5 {
				r.fail("time %d: %s", i, miss)
			}
		}
	}
	if err != nil {
		return nil, err
	}
	slices.Sort(took)
	at := func(q float64) time.Duration { return took[int(q*float64(len(took)-1))].Round(time.Millisecond) }
	r.figure("%d times %d people: all tracks after p50 %v  p95 %v  max %v", p.Times, p.Members, at(0.5), at(0.95), at(1))
	r.figure("%d times a track was missing", missed)
	return r, nil
}

// once lets everybody in at once and waits for all tracks.
func (p instantPlan) once(server string, m *maker, room string) (took time.Duration, miss string, err error) {
	clients, lines, ids := make([]*client, p.Members), make([]*line, p.Members), make([]string, p.Members)
	for i := range clients {
		ids[i] = fmt.Sprintf("m%d", i)
		if clients[i], err = m.client(ids[i], webrtc.NetworkTypeUDP4); err != nil {
			return 0, "", err
		}
	}
	errs := make([]error, p.Members)
	began := time.Now()
	each(p.Members, func(i int) {
		if lines[i], errs[i] = clients[i].dial(server, room); errs[i] == nil {
			errs[i] = clients[i].publish(false)
		}
	})
	if err = errors.Join(errs...); err == nil {
		clients[0].await(p.Patience, func() bool {
			miss = missing(began, clients, ids)
			return miss == ""
		})
		took = time.Since(began)
	}
	for _, c := range clients {
		err = errors.Join(err, c.failure())
	}
	each(p.Members, func(i int) {
		if lines[i] != nil {
			lines[i].close()
		}
		errs[i] = clients[i].close()
	})
	return took, miss, errors.Join(append(errs, err)...)
}

// each calls f with 0 to n-1, at the same time.
func each(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}
