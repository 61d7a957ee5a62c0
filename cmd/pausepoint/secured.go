package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
)

// overTLS is where a request's context has the TLS of a connection that the entrance has looked into: net/http knows its own only.
type overTLS struct{}

// withTLS is for http.Server.ConnContext.
func withTLS(ctx context.Context, conn net.Conn) context.Context {
	c, ok := conn.(interface{ ConnectionState() tls.ConnectionState })
	if !ok {
		return ctx
	}
	return context.WithValue(ctx, overTLS{}, c)
}

// secured has a handler see that a request came over TLS, whoever ended it.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(overTLS{}).(interface{ ConnectionState() tls.ConnectionState }); ok && r.TLS == nil {
			state := c.ConnectionState()
			r.TLS = &state
		}
		next.ServeHTTP(w, r)
	})
}
