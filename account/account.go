// Package account knows the people: who has an account, how they sign in and whom they invite, which sessions they plan,
// which members these sessions have, and what each person may see. It speaks no HTTP and no SQL.
//
// [People] is accounts: the one-time setup link, signing in, invitations to the house. [Sessions] is plans,
// memberships and visibility. Both decide; what they know is kept behind the small interfaces that they declare.
//
// Every error that is meant for people is an [*event.Problem]; all others are of the storage. A session that somebody may
// not see does not exist for them: the code is then not_found.
package account

import (
	"context"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

// Account is a person who can sign in.
type Account struct {
	ID      string // UUIDv7
	Name    string
	Email   string // normalised, see normaliseEmail
	Admin   bool   // made with the setup link
	Created time.Time
}

// Identity is who asks: an account, memberships as a guest, both, or nobody. It comes from the cookie, never from
// what a client says.
type Identity struct {
	Account string            // id, or empty
	Guest   map[string]string // session id to the member id that this browser got there as a guest
}

// Known reports whether there is an account or a membership behind it at all.
func (i Identity) Known() bool { return i.Account != "" || len(i.Guest) > 0 }

// guests lists the member ids.
func (i Identity) guests() []string {
	ids := make([]string, 0, len(i.Guest))
	for _, id := range i.Guest {
		ids = append(ids, id)
	}
	return ids
}

// Invitation lets one person make an account. The token itself is in the link alone.
type Invitation struct {
	Hash    TokenHash
	By      string // account; empty for setup
	Email   string // only a reminder of whom it is for
	Setup   bool   // makes the first account, an administrator's
	Created time.Time
	Expires time.Time
}

// Accounts is where accounts are kept. Methods may be called from any goroutine; what they did is durable on return.
type Accounts interface {
	CountAccounts(ctx context.Context) (int, error)

	// GetAccount returns an account; [ErrNotFound] if there is none.
	GetAccount(ctx context.Context, id string) (Account, error)

	// FindAccount returns the account of a normalised email and its password's hash (PHC string); [ErrNotFound] if
	// there is none.
	FindAccount(ctx context.Context, email string) (Account, string, error)

	// AddAccount adds an account and spends the invitation, both or neither: [ErrSpent] if the invitation is
	// unknown, was used or has expired at a.Created, or if it is for setup and an account exists; [ErrEmailTaken] if the
	// email has an account.
	AddAccount(ctx context.Context, a Account, phc string, invitation TokenHash) error

	// SetPassword replaces the hash of a password; [ErrNotFound] if there is no such account.
	SetPassword(ctx context.Context, id, phc string) error
}

// Invitations is where invitations to the house are kept.
type Invitations interface {
	// ReplaceSetup puts inv in the place of every earlier setup invitation.
	ReplaceSetup(ctx context.Context, inv Invitation) error

	AddInvitation(ctx context.Context, inv Invitation) error

	// GetInvitation returns an invitation that was not used yet, expired or not; [ErrSpent] if there is none.
	GetInvitation(ctx context.Context, hash TokenHash) (Invitation, error)
}

// What People and Sessions refuse with, and what storage answers.
var (
	ErrNotFound   = event.Errorf("not_found", "There is nothing here, or it is not for you.")
	ErrSignIn     = event.Errorf("unauthorized", "Email and password do not match. Check both and try again.")
	ErrSpent      = event.Errorf("forbidden", "This invitation was used, has expired or is incomplete. Ask for a new one.")
	ErrSetup      = event.Errorf("forbidden", "This link was used or is not the latest one. Use the link that the server printed when it last started.")
	ErrEmailTaken = event.Errorf("conflict", "There is an account with this email already. Sign in instead.")
	ErrNoAccount  = event.Errorf("unauthorized", "Sign in to do that.")
	ErrBusy       = event.Errorf("unavailable", "Many people are signing in right now. Try again in a moment.")
	ErrRole       = event.Errorf("forbidden", "Your role in this session does not allow that.")
	ErrInvitation = event.Errorf("not_found", "This invitation no longer lets anybody in. Ask whoever invited you for a new one.")
	ErrRemoved    = event.Errorf("forbidden", "You were removed from this session.")
	ErrOver       = event.Errorf("forbidden", "This session is over. Only those who were invited while it lasted can see what remains of it.")
	ErrFull       = event.Errorf("full", "This session has as many members as it can have.")
	ErrBegun      = event.Errorf("conflict", "The session has begun; its plan cannot be changed any more.")
	ErrInside     = event.Errorf("conflict", "People are in the session. End it first, then delete it.")
	ErrPractice   = event.Errorf("unavailable", "The practice clip is still being prepared. Try again in a minute.")
)

func invalid(format string, args ...any) error { return event.Errorf("invalid", format, args...) }

// RetryAfter is the cause of a problem with the code too_many: how long to wait. Find it with errors.As.
type RetryAfter time.Duration

func (r RetryAfter) Error() string { return "retry after " + time.Duration(r).String() }

func tooMany(wait time.Duration) error {
	return event.Errorf("too_many", "Too many tries. Wait a little and try again.").Because(RetryAfter(wait))
}
