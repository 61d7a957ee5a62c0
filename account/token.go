package account

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
)

// TokenHash is the SHA-256 of a token. A token has 256 random bits, so nothing slower is needed to make it useless to
// whoever reads a copy of the database.
type TokenHash [sha256.Size]byte

// newToken returns a token of 256 random bits in unpadded base64url: 43 characters.
func newToken() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// HashToken returns what is kept of, and looked up by, a token.
func HashToken(token string) TokenHash { return sha256.Sum256([]byte(token)) }

// sameToken compares in constant time for tokens of equal length.
func sameToken(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
