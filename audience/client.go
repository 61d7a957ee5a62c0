package audience

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pausepoint/pausepoint/sfu/negotiate"
)

const (
	answerWithin = 5 * time.Second
	deafAfter    = 3 * keepAlive // a stream of events that is silent for so long has broken
	maxEvent     = 256 << 10     // bytes
)

// Door is where a session can be fetched.
type Door struct {
	URL    string `json:"url"`    // of the server that runs it, such as http://10.0.0.7:8080
	Ticket string `json:"ticket"` // see Endpoint.Ticket
}

// errGone says that there is no such thing any more.
var errGone = errors.New("the other server does not have that any more")

// client speaks WHEP with other servers.
type client struct{ http *http.Client }

func newClient() client {
	dialer := net.Dialer{Timeout: answerWithin}
	return client{&http.Client{
		Transport: &http.Transport{ // no proxy: servers reach each other
			DialContext: dialer.DialContext, TLSHandshakeTimeout: answerWithin, ResponseHeaderTimeout: answerWithin,
			IdleConnTimeout: time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // tickets are for one server
	}}
}

func (c client) close() { c.http.CloseIdleConnections() }

// do asks for something below Base, and wants a certain answer. The caller closes its body.
func (c client) do(ctx context.Context, d Door, method, path, kind string, body []byte, want int) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(d.URL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("the other server's address: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+d.Ticket)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("reach the other server: %w", err)
	}
	if answer.StatusCode == want {
		return answer, nil
	}
	_ = answer.Body.Close()
	if answer.StatusCode == http.StatusNotFound {
		return nil, errGone
	}
	return nil, fmt.Errorf("the other server refuses: %s", answer.Status)
}

// short is do for what is answered at once; the body is what matters, up to the size of a session description.
func (c client) short(ctx context.Context, d Door, method, path, kind string, body []byte, want int) (text []byte, header http.Header, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	answer, err := c.do(ctx, d, method, path, kind, body, want)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err = io.ReadAll(io.LimitReader(answer.Body, negotiate.MaxBytes))
	return text, answer.Header, err
}

// begin posts an offer.
func (c client) begin(ctx context.Context, d Door, session, publication, offer string) (answer, path string, err error) {
	text, header, err := c.short(ctx, d, http.MethodPost, pathOf(session)+"/"+url.PathEscape(publication), "application/sdp", []byte(offer), http.StatusCreated)
	if err != nil {
		return "", "", err
	}
	at, err := url.Parse(header.Get("Location"))
	if err != nil || !strings.HasPrefix(at.Path, Base) {
		return "", "", errors.New("the other server does not say where the feed is")
	}
	return string(text), at.Path, nil
}

func (c client) adjust(ctx context.Context, d Door, path string, height int) error {
	b, err := json.Marshal(wish{Height: &height})
	if err == nil {
		_, _, err = c.short(ctx, d, http.MethodPatch, path, "application/json", b, http.StatusNoContent)
	}
	return err
}

func (c client) end(ctx context.Context, d Door, path string) error {
	_, _, err := c.short(ctx, d, http.MethodDelete, path, "", nil, http.StatusOK)
	return err
}

// follow hands on what is published, until the stream ends.
func (c client) follow(ctx context.Context, d Door, session string, take func([]Publication)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answer, err := c.do(ctx, d, http.MethodGet, pathOf(session), "", nil, http.StatusOK)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	deaf := time.AfterFunc(deafAfter, cancel)
	defer deaf.Stop()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, maxEvent)
	for lines.Scan() {
		deaf.Reset(deafAfter)
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var all []Publication
		if err := json.Unmarshal([]byte(data), &all); err != nil {
			return fmt.Errorf("what the other server publishes: %w", err)
		}
		take(all)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("hear the other server: %w", err)
	}
	return io.EOF
}

func pathOf(session string) string { return Base + url.PathEscape(session) }
