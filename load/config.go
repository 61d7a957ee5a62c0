package load

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/pausepoint/pausepoint/load/visit"
)

// Config is what a load test does.
type Config struct {
	Server     *url.URL      // of the deployment, without a path
	Account    visit.Account // which makes the sessions
	Invitation string        // link into a session that there is (/s/id#token), instead of an account
	Sessions   int
	Members    int     // of each session
	Publishers float64 // share of them who publish a microphone and a camera, 0 to 1; the rest watch
	Record     bool    // every session is recorded
	Ramp       time.Duration
	Duration   time.Duration // that is measured, once everybody is in
	Usage      Source        // what the server uses; nil if nobody can tell
	Progress   func(Progress)
}

// Check says what of the configuration cannot be.
func (c Config) Check() error {
	switch {
	case c.Server == nil || c.Server.Scheme != "http" && c.Server.Scheme != "https" || c.Server.Host == "" || strings.Trim(c.Server.Path, "/") != "":
		return errors.New("give the address of the server, such as https://calls.example.org")
	case c.Sessions < 1 || c.Members < 1:
		return errors.New("there is at least one session with one member")
	case c.Publishers < 0 || c.Publishers > 1:
		return errors.New("the share of publishers is between 0 and 1")
	case c.Ramp < 0 || c.Duration <= 0:
		return errors.New("the ramp and the duration are lengths of time, such as 10s")
	case c.Invitation != "" && c.Account != visit.Account{}:
		return errors.New("give either an invitation or an account, not both")
	case c.Invitation != "" && c.Sessions != 1:
		return errors.New("an invitation leads into one session; for more, give an account")
	case c.Invitation == "" && (c.Account.Email == "" || c.Account.Password == ""):
		return errors.New("give the email address and the password of an account, or an invitation into a session")
	}
	return nil
}

// publishers is how many members of a session publish: at least one if there is a share of them at all.
func (c Config) publishers() int {
	n := int(c.Publishers*float64(c.Members) + 0.5)
	if n == 0 && c.Publishers > 0 {
		return 1
	}
	return n
}
