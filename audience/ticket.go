package audience

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// ticketLife is how long a ticket opens what it is for.
const ticketLife = time.Minute

// key signs tickets. It is made anew at each start: a ticket is for the server that gave it.
type key [32]byte

func newKey() (k key) {
	_, _ = rand.Read(k[:]) // never fails
	return k
}

// ticket is for one session: when it ends, in seconds since 1970, a dot, and the code of both (HMAC-SHA-256, base64url).
func (k key) ticket(session string, now time.Time) string {
	until := strconv.FormatInt(now.Add(ticketLife).Unix(), 10)
	return until + "." + base64.RawURLEncoding.EncodeToString(k.code(session, until))
}

// opens reports whether a ticket is one for the session, now.
func (k key) opens(ticket, session string, now time.Time) bool {
	until, text, _ := strings.Cut(ticket, ".")
	code, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || !hmac.Equal(code, k.code(session, until)) {
		return false
	}
	end, err := strconv.ParseInt(until, 10, 64)
	return err == nil && now.Unix() < end
}

func (k key) code(session, until string) []byte {
	m := hmac.New(sha256.New, k[:])
	_, _ = m.Write([]byte(until + "." + session)) // never fails
	return m.Sum(nil)
}
