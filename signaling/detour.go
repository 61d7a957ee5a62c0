package signaling

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

// While Redis is away there are no lines between nodes. A member's WebSocket is then handed whole to the node that runs their session,
// which finds by itself who they are. What it cannot see, their address and whether they speak TLS, is in a header that nodes alone can seal.

const (
	originHeader = "Pausepoint-Origin"
	originLife   = time.Minute // either way: clocks differ
	bywayWithin  = 3 * time.Second
	byeWithin    = time.Second
)

var (
	errForged  = event.Errorf("forbidden", "This request says that another server sent it, and none did, or one whose clock is more than a minute off.")
	errNoByway = errors.New("the other server does not believe this one")
)

// origin is where a request came from that another node has sent on.
type origin struct {
	client netip.Addr
	secure bool
}

type originKey struct{}

// sentOn reports where a request came from, if another node has sent it on.
func sentOn(r *http.Request) (origin, bool) {
	o, ok := r.Context().Value(originKey{}).(origin)
	return o, ok
}

// purposeOf is what an origin is sealed for: one request's place.
func purposeOf(r *http.Request) string { return "origin of " + r.Host + r.URL.Path }

// vouch is the header's value for a request that is sent on now.
func (s *Server) vouch(r *http.Request, now time.Time) string {
	text := fmt.Sprintf("%d %s %t", now.Unix(), s.forward.client(r), s.forward.secure(r))
	return text + " " + s.nodes.Seal(purposeOf(r), text)
}

// believe reads where a request came from that another node has sent on.
func (s *Server) believe(r *http.Request) (*http.Request, error) {
	value := r.Header.Get(originHeader)
	if value == "" {
		return r, nil
	}
	end := strings.LastIndexByte(value, ' ')
	if s.nodes == nil || end < 0 || !s.nodes.Sealed(purposeOf(r), value[:end], value[end+1:]) {
		return nil, errForged
	}
	said := strings.Fields(value[:end]) // by a node
	if len(said) != 3 {
		return nil, errForged
	}
	at, err := strconv.ParseInt(said[0], 10, 64)
	if err != nil || time.Since(time.Unix(at, 0)).Abs() > originLife {
		return nil, errForged
	}
	client, _ := netip.ParseAddr(said[1]) // invalid where the other node knew of none
	return r.WithContext(context.WithValue(r.Context(), originKey{}, origin{client, said[2] == "true"})), nil
}

func newByways() *http.Transport {
	dialer := net.Dialer{Timeout: bywayWithin}
	return &http.Transport{ // no proxy: nodes reach each other
		DialContext: dialer.DialContext, TLSHandshakeTimeout: bywayWithin, ResponseHeaderTimeout: bywayWithin, IdleConnTimeout: time.Minute,
	}
}

// byway is a member's WebSocket on its way through this node.
type byway struct{ end context.CancelFunc }

// Close implements passage. Nothing is said on somebody else's WebSocket: the page comes back, and is told then. That somebody has signed
// out the session's node hears, too, unless Redis is away, and says so itself.
func (b *byway) Close(bye event.Bye) {
	if bye == signedOut {
		time.AfterFunc(byeWithin, b.end)
		return
	}
	b.end()
}

// detour hands a WebSocket to the session's node if there is no other way to that, and returns once it has ended. It reports false if
// nothing came of it: nothing is answered then.
func (s *Server) detour(w http.ResponseWriter, r *http.Request, session, browser string) bool {
	if _, again := sentOn(r); again || s.nodes == nil {
		return false
	}
	target, err := url.Parse(s.nodes.Detour(r.Context(), session))
	if err != nil || target.Host == "" {
		return false
	}
	ctx, end := context.WithCancel(r.Context())
	defer end()
	way := &byway{end}
	if !s.relays.enter(browser, way) {
		end()
	}
	defer s.relays.leave(way)
	reached := true
	proxy := httputil.ReverseProxy{
		Transport: s.byways,
		ErrorLog:  slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(target)
			p.Out.Host = p.In.Host
			p.Out.Header.Set(originHeader, s.vouch(p.In, time.Now()))
		},
		ModifyResponse: func(answer *http.Response) error {
			if answer.StatusCode == http.StatusForbidden {
				return errNoByway // this node has let them pass
			}
			return nil
		},
		ErrorHandler: func(_ http.ResponseWriter, _ *http.Request, err error) {
			reached = false
			s.log.Warn("another server is not reached by its pages", slog.String("session", session), slog.Any("err", err))
		},
	}
	proxy.ServeHTTP(w, r.WithContext(ctx))
	return reached
}
