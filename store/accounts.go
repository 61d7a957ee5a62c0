package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"

	"github.com/pausepoint/pausepoint/account"
)

func hexHash(h account.TokenHash) string { return hex.EncodeToString(h[:]) }

// CountAccounts implements [account.Accounts].
func (s *Store) CountAccounts(ctx context.Context) (int, error) { return countAccounts(ctx, s.reader) }

func countAccounts(ctx context.Context, q querier) (n int, err error) {
	if err = q.QueryRowContext(ctx, `SELECT COUNT(*) FROM accounts`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count accounts: %w", err)
	}
	return n, nil
}

// credentials is an account and its password's hash.
type credentials struct {
	account.Account
	phc string
}

const selectAccounts = `SELECT id, name, email, admin, created, password FROM accounts `

func scanAccount(r row) (c credentials, err error) {
	var created int64
	err = r.Scan(&c.ID, &c.Name, &c.Email, &c.Admin, &created, &c.phc)
	c.Created = fromMillis(created)
	return c, err
}

// GetAccount implements [account.Accounts].
func (s *Store) GetAccount(ctx context.Context, id string) (account.Account, error) {
	c, err := one(s.reader.QueryRowContext(ctx, selectAccounts+`WHERE id = $1`, id), scanAccount, account.ErrNotFound)
	return c.Account, err
}

// FindAccount implements [account.Accounts].
func (s *Store) FindAccount(ctx context.Context, email string) (account.Account, string, error) {
	c, err := one(s.reader.QueryRowContext(ctx, selectAccounts+`WHERE email = $1`, email), scanAccount, account.ErrNotFound)
	return c.Account, c.phc, err
}

// AddAccount implements [account.Accounts].
func (s *Store) AddAccount(ctx context.Context, a account.Account, phc string, invitation account.TokenHash) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		inv, err := getInvitation(ctx, tx, invitation)
		if err != nil {
			return err
		}
		n, err := countAccounts(ctx, tx)
		if err != nil {
			return err
		}
		if !a.Created.Before(inv.Expires) || inv.Setup && n > 0 {
			return account.ErrSpent
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO accounts (id, name, email, password, admin, created)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (email) DO NOTHING`, a.ID, a.Name, a.Email, phc, a.Admin, millis(a.Created))
		if err := exactly(res, err, account.ErrEmailTaken); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE invitations SET used = $2, used_by = $3 WHERE hash = $1`,
			hexHash(invitation), millis(a.Created), a.ID)
		return err
	})
}

// SetPassword implements [account.Accounts].
func (s *Store) SetPassword(ctx context.Context, id, phc string) error {
	res, err := s.writer.ExecContext(ctx, `UPDATE accounts SET password = $2 WHERE id = $1`, id, phc)
	return exactly(res, err, account.ErrNotFound)
}

// ReplaceSetup implements [account.Invitations].
func (s *Store) ReplaceSetup(ctx context.Context, inv account.Invitation) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM invitations WHERE setup AND used = 0`); err != nil {
			return err
		}
		return addInvitation(ctx, tx, inv)
	})
}

// AddInvitation implements [account.Invitations].
func (s *Store) AddInvitation(ctx context.Context, inv account.Invitation) error {
	return s.write(ctx, func(tx *sql.Tx) error { return addInvitation(ctx, tx, inv) })
}

func addInvitation(ctx context.Context, tx *sql.Tx, inv account.Invitation) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO invitations (hash, inviter, email, setup, created, expires)
		VALUES ($1, $2, $3, $4, $5, $6)`,
		hexHash(inv.Hash), null(inv.By), inv.Email, inv.Setup, millis(inv.Created), millis(inv.Expires))
	return err
}

// GetInvitation implements [account.Invitations].
func (s *Store) GetInvitation(ctx context.Context, hash account.TokenHash) (account.Invitation, error) {
	return getInvitation(ctx, s.reader, hash)
}

func getInvitation(ctx context.Context, q querier, hash account.TokenHash) (account.Invitation, error) {
	r := q.QueryRowContext(ctx, `SELECT inviter, email, setup, created, expires FROM invitations
		WHERE hash = $1 AND used = 0`, hexHash(hash))
	inv, err := one(r, scanInvitation, account.ErrSpent)
	inv.Hash = hash
	return inv, err
}

func scanInvitation(r row) (inv account.Invitation, err error) {
	var by sql.NullString
	var created, expires int64
	err = r.Scan(&by, &inv.Email, &inv.Setup, &created, &expires)
	inv.By, inv.Created, inv.Expires = by.String, fromMillis(created), fromMillis(expires)
	return inv, err
}
