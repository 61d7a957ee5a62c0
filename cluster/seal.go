package cluster

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
)

// Trust gives the node the key that all nodes of the deployment share, and nobody else has. It is called once, before Start.
func (n *Node) Trust(key []byte) { n.key.Store(&key) }

// Seal is a code that only nodes of this deployment can make for a text that is for something. It wants a key, see Trust.
func (n *Node) Seal(purpose, text string) string {
	m := hmac.New(sha256.New, *n.key.Load())
	_, _ = m.Write([]byte(purpose + "\n" + text)) // never fails
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// Sealed reports whether a node of this deployment has sealed a text for something.
func (n *Node) Sealed(purpose, text, seal string) bool {
	return hmac.Equal([]byte(seal), []byte(n.Seal(purpose, text)))
}
