// Package audience lets many watch one live session from several servers. The server that runs the session sends each publication
// once to every other server that somebody watches from, and those serve their own observers: its cost grows with the servers, not
// with those who watch.
//
// The servers speak WHEP (draft-ietf-wish-whep): whoever wants a publication posts an offer and is answered, with one resource for each
// publication, so that none is ever negotiated again. What there is to be had comes as a stream of events. An Endpoint
// serves what this server runs, an Audience fetches what others run. Everything needs a ticket, which the server that runs
// the session gives to those whom it knows.
package audience
