// Package load plays the participants of a call towards the servers that are measured: their signaling is that of package wire, their
// media that of package load/media.
package load
