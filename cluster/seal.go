package cluster

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// Trust gives the node the key that all nodes of the deployment share, and nobody else has. It is called once, before Start.
func (n *Node) Trust(key []byte) { n.key.Store(&key) }

// Seal is a code that only nodes of this deployment can make for a text that is for something, which is one line. It wants a key, see Trust.
func (n *Node) Seal(purpose, text string) string { return n.seal(purpose, []byte(text)) }

// Sealed reports whether a node of this deployment has sealed a text for something.
func (n *Node) Sealed(purpose, text, seal string) bool { return n.sealed(purpose, []byte(text), seal) }

func (n *Node) seal(purpose string, text []byte) string {
	m := hmac.New(sha256.New, *n.key.Load())
	_, _ = m.Write([]byte(purpose + "\n")) // never fails
	_, _ = m.Write(text)
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func (n *Node) sealed(purpose string, text []byte, seal string) bool {
	return hmac.Equal([]byte(seal), []byte(n.seal(purpose, text)))
}

// trusts reports whether the node has its key already.
func (n *Node) trusts() bool { return n.key.Load() != nil }

// sayPages is what a node says in Redis of where its pages are. Members' browsers are handed there, with their cookies: so it is sealed.
func (n *Node) sayPages() string {
	if n.cfg.Pages == "" || !n.trusts() {
		return ""
	}
	return n.cfg.Pages + " " + n.Seal("pages of "+n.cfg.Name, n.cfg.Pages)
}

// pagesOf is where the pages of a node are that said so; empty if that is not true.
func (n *Node) pagesOf(name, said string) string {
	pages, seal, _ := strings.Cut(said, " ")
	if pages == "" || !n.trusts() || !n.Sealed("pages of "+name, pages, seal) {
		return ""
	}
	return pages
}
