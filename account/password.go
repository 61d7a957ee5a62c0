package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Limits of a password in characters (Unicode code points).
const (
	MinPassword = 10
	MaxPassword = 256
)

// argonCost is what one hash costs: KiB of memory, passes, lanes (RFC 9106, section 3.1).
type argonCost struct {
	memory uint32
	passes uint32
	lanes  uint8
}

// houseCost is the OWASP Password Storage Cheat Sheet's first choice for argon2id with one lane.
var houseCost = argonCost{memory: 46 << 10, passes: 1, lanes: 1}

const (
	saltSize   = 16
	keySize    = 32
	atOnce     = 2  // hashes at the same time, each houseCost.memory
	maxWaiting = 30 // callers that wait for one of them
)

// hasher hashes passwords, few at once, so that a flood of sign-ins eats neither memory nor every core.
type hasher struct {
	places  chan struct{} // those who hash
	waiting chan struct{} // those who hash or wait
	dummy   string        // hash of a password that nobody has: as much work for an unknown email
}

func newHasher() *hasher {
	h := &hasher{places: make(chan struct{}, atOnce), waiting: make(chan struct{}, atOnce+maxWaiting)}
	h.dummy = encodePHC(houseCost, randomBytes(saltSize), randomBytes(keySize))
	return h
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead
	return b
}

// hash returns the PHC string of a password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	release, err := h.enter(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	salt := randomBytes(saltSize)
	return encodePHC(houseCost, salt, houseCost.key(password, salt, keySize)), nil
}

// verify reports whether the password is that of the PHC string, and whether the string is of an older cost.
func (h *hasher) verify(ctx context.Context, password, phc string) (ok, outdated bool, err error) {
	cost, salt, want, err := decodePHC(phc)
	if err != nil {
		return false, false, err
	}
	release, err := h.enter(ctx)
	if err != nil {
		return false, false, err
	}
	defer release()
	got := cost.key(password, salt, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1, cost != houseCost, nil
}

// enter waits for a place; [ErrBusy] if too many wait already or ctx ends.
func (h *hasher) enter(ctx context.Context) (release func(), err error) {
	select {
	case h.waiting <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	select {
	case h.places <- struct{}{}:
		return func() { <-h.places; <-h.waiting }, nil
	case <-ctx.Done():
		<-h.waiting
		return nil, ErrBusy.Because(ctx.Err())
	}
}

func (c argonCost) key(password string, salt []byte, size uint32) []byte {
	return argon2.IDKey([]byte(password), salt, c.passes, c.memory, c.lanes, size)
}

// encodePHC writes $argon2id$v=19$m=…,t=…,p=…$salt$key (PHC string format; base64 without padding).
func encodePHC(c argonCost, salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, c.memory, c.passes, c.lanes, b64.EncodeToString(salt), b64.EncodeToString(key))
}

var errPHC = errors.New("not an argon2id PHC string within bounds")

// decodePHC reads what encodePHC wrote, and refuses costs that would hurt the server.
func decodePHC(s string) (c argonCost, salt, key []byte, err error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, errPHC
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.passes, &c.lanes); err != nil {
		return c, nil, nil, errors.Join(errPHC, err)
	}
	salt, err1 := base64.RawStdEncoding.Strict().DecodeString(parts[4])
	key, err2 := base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if err := errors.Join(err1, err2); err != nil {
		return c, nil, nil, errors.Join(errPHC, err)
	}
	if !c.bounded() || len(salt) < 8 || len(salt) > 64 || len(key) < 16 || len(key) > 64 {
		return c, nil, nil, errPHC
	}
	return c, salt, key, nil
}

func (c argonCost) bounded() bool {
	return c.memory >= 8 && c.memory <= 256<<10 && c.passes >= 1 && c.passes <= 16 && c.lanes >= 1 && c.lanes <= 8
}

// checkPassword says what is wrong with a new password.
func checkPassword(password, email string) error {
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password):
		return invalid("This password has characters that cannot be kept. Choose others.")
	case n < MinPassword:
		return invalid("Choose a password of at least %d characters. Four words in a row are a good one.", MinPassword)
	case n > MaxPassword:
		return invalid("A password may have at most %d characters.", MaxPassword)
	case strings.EqualFold(password, email):
		return invalid("Your email is easy to guess as a password. Choose another one.")
	}
	return nil
}
