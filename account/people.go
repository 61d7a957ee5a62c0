package account

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"github.com/google/uuid"
)

// InvitationLife is how long an invitation to the house can be used.
const InvitationLife = 14 * 24 * time.Hour

// Tries of signing in. A school has one address for all, so an address has many; an email has few.
const (
	emailBurst, emailEvery     = 10, 30 * time.Second
	addressBurst, addressEvery = 60, 2 * time.Second
	limitedKeys                = 10_000
)

// People is the accounts of the house. Its methods may be called from any goroutine.
type People struct {
	accounts    Accounts
	invitations Invitations
	log         *slog.Logger
	now         func() time.Time
	hasher      *hasher
	byEmail     *limiter
	byAddress   *limiter
}

// NewPeople returns the accounts kept in the two stores.
func NewPeople(accounts Accounts, invitations Invitations, log *slog.Logger) *People {
	return &People{
		accounts:    accounts,
		invitations: invitations,
		log:         log,
		now:         time.Now,
		hasher:      newHasher(),
		byEmail:     newLimiter(emailBurst, emailEvery, limitedKeys),
		byAddress:   newLimiter(addressBurst, addressEvery, limitedKeys),
	}
}

// NewAccount is what a person says to have an account. Its JSON is the body of the request.
type NewAccount struct {
	Token    string `json:"token"`
	Name     string `json:"name"`
	Email    string `json:"email"`
	Password string `json:"password"`
}

// NeedsSetup reports whether no account exists yet.
func (p *People) NeedsSetup(ctx context.Context) (bool, error) {
	n, err := p.accounts.CountAccounts(ctx)
	return err == nil && n == 0, err
}

// SetupToken makes a new token for the link /setup#TOKEN and voids earlier ones; it is empty once an account exists.
func (p *People) SetupToken(ctx context.Context) (string, error) {
	if needed, err := p.NeedsSetup(ctx); err != nil || !needed {
		return "", err
	}
	token := newToken()
	inv := Invitation{Hash: HashToken(token), Setup: true, Created: p.now().UTC(), Expires: p.now().UTC().AddDate(100, 0, 0)}
	if err := p.invitations.ReplaceSetup(ctx, inv); err != nil {
		return "", err
	}
	return token, nil
}

// SetUp makes the first account with the setup token; [ErrSetup] if the token does not do that any more.
func (p *People) SetUp(ctx context.Context, n NewAccount) (Account, error) {
	a, err := p.add(ctx, n, true)
	if errors.Is(err, ErrSpent) {
		return Account{}, ErrSetup
	}
	return a, err
}

// Join makes an account with an invitation; [ErrSpent] if the token does not do that any more.
func (p *People) Join(ctx context.Context, n NewAccount) (Account, error) {
	return p.add(ctx, n, false)
}

// add looks at the token first: only who has a good one makes the server hash a password.
func (p *People) add(ctx context.Context, n NewAccount, setup bool) (Account, error) {
	hash := HashToken(n.Token)
	inv, err := p.invitations.GetInvitation(ctx, hash)
	if err != nil {
		return Account{}, err
	}
	if inv.Setup != setup || !p.now().Before(inv.Expires) {
		return Account{}, ErrSpent
	}
	a, err := p.check(n)
	if err != nil {
		return Account{}, err
	}
	a.Admin = setup
	phc, err := p.hasher.hash(ctx, n.Password)
	if err != nil {
		return Account{}, err
	}
	if err := p.accounts.AddAccount(ctx, a, phc, hash); err != nil {
		return Account{}, err
	}
	p.log.Info("account made", slog.String("account", a.ID), slog.Bool("admin", a.Admin))
	return a, nil
}

func (p *People) check(n NewAccount) (Account, error) {
	name, err := personName(n.Name)
	if err != nil {
		return Account{}, err
	}
	email, err := normaliseEmail(n.Email)
	if err != nil {
		return Account{}, err
	}
	if err := checkPassword(n.Password, email); err != nil {
		return Account{}, err
	}
	return Account{ID: newID(), Name: name, Email: email, Created: p.now().UTC()}, nil
}

// newID returns a UUIDv7.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// Invite makes a token for the link /join#TOKEN. The email may be empty.
func (p *People) Invite(ctx context.Context, by, email string) (token string, expires time.Time, err error) {
	if by == "" {
		return "", time.Time{}, ErrNoAccount
	}
	if email != "" {
		if email, err = normaliseEmail(email); err != nil {
			return "", time.Time{}, err
		}
	}
	token = newToken()
	now := p.now().UTC()
	inv := Invitation{Hash: HashToken(token), By: by, Email: email, Created: now, Expires: now.Add(InvitationLife)}
	if err := p.invitations.AddInvitation(ctx, inv); err != nil {
		return "", time.Time{}, err
	}
	return token, inv.Expires, nil
}

// Account returns an account; [ErrNotFound] if there is none.
func (p *People) Account(ctx context.Context, id string) (Account, error) {
	return p.accounts.GetAccount(ctx, id)
}

// SignIn returns the account of an email and a password: [ErrSignIn] if they do not match, whatever the reason; the
// code too_many, with a [RetryAfter] as its cause, after too many tries for the email or from the address.
func (p *People) SignIn(ctx context.Context, from netip.Addr, email, password string) (Account, error) {
	email, err := normaliseEmail(email)
	if err != nil || len(password) > 4*MaxPassword {
		return Account{}, ErrSignIn
	}
	address := network(from)
	if err := p.try(email, address); err != nil {
		return Account{}, err
	}
	a, err := p.verify(ctx, email, password)
	switch {
	case err == nil:
		p.byEmail.reset(email)
		p.byAddress.give(address, p.now())
	case !errors.Is(err, ErrSignIn): // the person cannot help it
		p.byEmail.give(email, p.now())
		p.byAddress.give(address, p.now())
	}
	return a, err
}

// try takes one try of the address and one of the email.
func (p *People) try(email, address string) error {
	now := p.now()
	if wait, ok := p.byAddress.take(address, now); !ok {
		return tooMany(wait)
	}
	if wait, ok := p.byEmail.take(email, now); !ok {
		return tooMany(wait)
	}
	return nil
}

// verify does the same work whether or not there is such an account.
func (p *People) verify(ctx context.Context, email, password string) (Account, error) {
	a, phc, err := p.accounts.FindAccount(ctx, email)
	known := err == nil
	if errors.Is(err, ErrNotFound) {
		phc = p.hasher.dummy
	} else if err != nil {
		return Account{}, err
	}
	ok, outdated, err := p.hasher.verify(ctx, password, phc)
	if err != nil {
		return Account{}, err
	}
	if !ok || !known {
		return Account{}, ErrSignIn
	}
	if outdated {
		p.renew(ctx, a.ID, password)
	}
	return a, nil
}

// renew hashes a password again at today's cost. Failing is no reason to keep the person out.
func (p *People) renew(ctx context.Context, id, password string) {
	phc, err := p.hasher.hash(ctx, password)
	if err == nil {
		err = p.accounts.SetPassword(ctx, id, phc)
	}
	if err != nil {
		p.log.Warn("password hash not renewed", slog.String("account", id), slog.Any("err", err))
	}
}
