// Package metrics counts what the parts of a server do and says it to Prometheus. What happens often is counted by the parts
// themselves, and read when somebody asks; requests and commits are observed as they end.
//
// No label holds a name, an id, an address, or anything else that somebody wrote: every label has a small set of values that is known
// from the source.
package metrics
