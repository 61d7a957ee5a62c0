// Package keeping deletes sessions: those whose time is over, by itself, and those that somebody deletes. It keeps a receipt of
// each, which outlives the session and tells what there was without a word of what was in it.
//
// A deletion goes in three steps, each durable before the next one, so that a server that is killed in between goes on where it
// was: the session leaves the database, and its receipt is there, both or neither; the receipt gets the list of the files; the
// files are removed, and the receipt says so. From the first step on nobody sees anything of the session.
//
// While a session is under a legal hold it is not deleted, by nobody.
package keeping
