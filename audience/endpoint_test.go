package audience

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTickets(t *testing.T) {
	k, now := newKey(), time.Now()
	ticket := k.ticket("lesson", now)
	if !k.opens(ticket, "lesson", now) || !k.opens(ticket, "lesson", now.Add(ticketLife-2*time.Second)) {
		t.Error("a good ticket opens nothing")
	}
	until, code, _ := strings.Cut(ticket, ".")
	for name, bad := range map[string]bool{
		"another session":   k.opens(ticket, "another", now),
		"another key":       newKey().opens(ticket, "lesson", now),
		"too late":          k.opens(ticket, "lesson", now.Add(ticketLife)),
		"longer":            k.opens(until+"0."+code, "lesson", now),
		"no code":           k.opens(until+".", "lesson", now),
		"nothing":           k.opens("", "lesson", now),
		"a part of the two": k.opens(until[:4]+"."+code, until[4:]+".lesson", now),
	} {
		if bad {
			t.Errorf("%s: it opens", name)
		}
	}
}

func TestEndpointRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		refuses(t, w, w.node())
	})
}

func refuses(t *testing.T, w *world, n *node) {
	t.Helper()
	c := w.client()
	defer c.close()
	ticket := "Bearer " + n.endpoint.Ticket("lesson")
	tests := map[string]struct {
		method, path, ticket, kind, body string
		want                             int
	}{
		"no ticket":             {"GET", "lesson", "", "", "", 401},
		"another kind of login": {"GET", "lesson", strings.Replace(ticket, "Bearer", "Basic", 1), "", "", 401},
		"another session":       {"GET", "another", ticket, "", "", 401},
		"an offer for another":  {"POST", "another/p", ticket, "application/sdp", "v=0", 401},
		"no session here":       {"GET", "gone", "Bearer " + n.endpoint.Ticket("gone"), "", "", 404},
		"not published":         {"POST", "lesson/p", ticket, "application/sdp", offerOfNobody, 404},
		"no offer":              {"POST", "lesson/p", ticket, "application/sdp", "v=0", 400},
		"a large offer":         {"POST", "lesson/p", ticket, "application/sdp", strings.Repeat("x", 65<<10), 413},
		"not an offer":          {"POST", "lesson/p", ticket, "text/plain", "v=0", 415},
		"no such feed":          {"PATCH", "lesson/p/f", ticket, "application/json", `{"height":1}`, 404},
		"nothing to end":        {"DELETE", "lesson/p/f", ticket, "", "", 404},
		"nothing to change":     {"PUT", "lesson/p/f", ticket, "", "", 405},
	}
	for name, test := range tests {
		r, err := http.NewRequestWithContext(t.Context(), test.method, n.url+Base+test.path, strings.NewReader(test.body))
		must(t, err)
		r.Header.Set("Authorization", test.ticket)
		r.Header.Set("Content-Type", test.kind)
		answer, err := c.http.Do(r)
		must(t, err)
		text, err := io.ReadAll(answer.Body)
		must(t, errors.Join(err, answer.Body.Close()))
		if answer.StatusCode != test.want {
			t.Errorf("%s: %s %q", name, answer.Status, text)
		}
	}
}

const offerOfNobody = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n" +
	"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\na=setup:actpass\r\n" +
	"a=ice-ufrag:abcdefgh\r\na=ice-pwd:abcdefghabcdefghabcdefgh\r\na=rtpmap:111 opus/48000/2\r\n" +
	"a=fingerprint:sha-256 00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00\r\n"

// A feed is a resource: it is made, changed and ended, each by its own request.
func TestFeedIsAResource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		n := w.node()
		see, stop := watch(t, n.media.Room("lesson"))
		defer stop()
		amara := publish(n, "amara")
		defer amara.leave()
		p := see.await(see.began, "amara")
		_, media := w.media()
		defer func() { must(t, media.Close()) }()
		lost := make(chan struct{}, 1)
		fetch, offer, err := media.Room("there").Fetch(fetchOf(p, lost))
		must(t, err)
		defer fetch.Close()
		c, door := w.client(), n.door()
		defer c.close()
		answer, path, err := c.begin(t.Context(), door, "lesson", p.Info().Publication, offer)
		must(t, err)
		must(t, fetch.Answer(answer))
		there, stopThere := watch(t, media.Room("there"))
		defer stopThere()
		there.await(there.began, "amara")
		must(t, c.adjust(t.Context(), door, path, 360))
		for name, try := range map[string]struct {
			kind, body string
			want       int
		}{
			"trickled candidates": {"application/trickle-ice-sdpfrag", "a=candidate:1", 415},
			"no height":           {"application/json", "{}", 400},
			"no JSON":             {"application/json", "360", 400},
		} {
			if _, _, err := c.short(t.Context(), door, "PATCH", path, try.kind, []byte(try.body), try.want); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		other := strings.Replace(path, p.Info().Publication, "another", 1)
		if err := c.end(t.Context(), door, other); !errors.Is(err, errGone) {
			t.Errorf("the feed of another publication: %v", err)
		}
		must(t, c.end(t.Context(), door, path))
		<-lost
		if err := c.end(t.Context(), door, path); !errors.Is(err, errGone) {
			t.Errorf("ended twice: %v", err)
		}
	})
}
