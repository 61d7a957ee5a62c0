// Package faults judges servers that are many by what their clients were told while nodes died, stood still and were cut off. A
// [History] keeps what the members of one session asked for and were told. [History.Check] holds it against the journal in the
// end: nothing that was acknowledged is lost or done twice, nobody was told what is not there, everybody folds the same state, and
// there is an order of all commands and all readings in which one owner alone could have answered them (linearizability,
// by porcupine). A [Link] is a connection to a database that can be cut.
package faults
