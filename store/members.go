package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/pausepoint/pausepoint/account"
)

const selectMembers = `SELECT m.id, m.session, m.account, m.name, m.role, m.invited, m.removed, m.arrived, m.inside, m.created FROM members m `

func scanMember(r row) (m account.Member, err error) {
	var who sql.NullString
	var created int64
	err = r.Scan(&m.ID, &m.Session, &who, &m.Name, &m.Role, &m.Invited, &m.Removed, &m.Arrived, &m.Inside, &created)
	m.Account, m.Created = who.String, fromMillis(created)
	return m, err
}

func insertMember(ctx context.Context, tx *sql.Tx, m account.Member) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO members (id, session, account, name, role, invited, removed, arrived, created)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		m.ID, m.Session, null(m.Account), m.Name, string(m.Role), string(m.Invited), m.Removed, m.Arrived, millis(m.Created))
	if err != nil {
		return fmt.Errorf("insert member: %w", err)
	}
	return nil
}

// AddMember implements [account.Members].
func (s *Store) AddMember(ctx context.Context, m account.Member, limit int) (added account.Member, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		if m.Account != "" {
			if added, err = findMember(ctx, tx, m.Session, m.Account); !errors.Is(err, account.ErrNotFound) {
				return err
			}
		}
		if _, err := getSession(ctx, tx, m.Session); err != nil {
			return err
		}
		if err := forgetGuests(ctx, tx, m.Session, m.Created.Add(-account.GuestLife)); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM members WHERE session = $1`, m.Session).Scan(&n); err != nil {
			return fmt.Errorf("count members: %w", err)
		}
		if n >= limit {
			return account.ErrFull
		}
		added = m
		return insertMember(ctx, tx, m)
	})
	return added, err
}

// forgetGuests removes the guests of a session, or of all with an empty one, who were added before a time, never came in, and
// have prepared nothing.
func forgetGuests(ctx context.Context, tx *sql.Tx, session string, before time.Time) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM members WHERE ($1 = '' OR session = $1) AND account IS NULL AND created < $2
		AND NOT arrived AND NOT removed
		AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = members.session AND s.notes LIKE '%"' || members.id || '"%')`,
		session, millis(before))
	if err != nil {
		return fmt.Errorf("forget guests: %w", err)
	}
	return nil
}

// GetMember implements [account.Members].
func (s *Store) GetMember(ctx context.Context, session, id string) (account.Member, error) {
	return getMember(ctx, s.reader, session, id)
}

func getMember(ctx context.Context, q querier, session, id string) (account.Member, error) {
	r := q.QueryRowContext(ctx, selectMembers+`WHERE m.session = $1 AND m.id = $2`, session, id)
	return one(r, scanMember, account.ErrNotFound)
}

// FindMember implements [account.Members].
func (s *Store) FindMember(ctx context.Context, session, who string) (account.Member, error) {
	return findMember(ctx, s.reader, session, who)
}

func findMember(ctx context.Context, q querier, session, who string) (account.Member, error) {
	r := q.QueryRowContext(ctx, selectMembers+`WHERE m.session = $1 AND m.account = $2`, session, who)
	return one(r, scanMember, account.ErrNotFound)
}

// UpdateMember implements [account.Members].
func (s *Store) UpdateMember(
	ctx context.Context, session, id string, change func(*account.Member) error,
) (m account.Member, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		if m, err = getMember(ctx, tx, session, id); err != nil {
			return err
		}
		if err := change(&m); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE members SET name = $3, role = $4, invited = $5, removed = $6, arrived = $7
			WHERE session = $1 AND id = $2`,
			session, id, m.Name, string(m.Role), string(m.Invited), m.Removed, m.Arrived)
		return err
	})
	return m, err
}

// ListMembers implements [account.Members].
func (s *Store) ListMembers(ctx context.Context, session string) ([]account.Member, error) {
	return all(ctx, s.reader, scanMember, selectMembers+`WHERE m.session = $1 ORDER BY m.created, m.id`, session)
}

// PutLink implements [account.Links].
func (s *Store) PutLink(ctx context.Context, l account.Link) error {
	return s.write(ctx, func(tx *sql.Tx) error { return putLink(ctx, tx, l) })
}

func putLink(ctx context.Context, tx *sql.Tx, l account.Link) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO links (session, role, token, hash, created) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (session, role) DO UPDATE SET token = excluded.token, hash = excluded.hash, created = excluded.created`,
		l.Session, string(l.Role), l.Token, hexHash(account.HashToken(l.Token)), millis(l.Created))
	if err != nil {
		return fmt.Errorf("put link: %w", err)
	}
	return nil
}

const selectLinks = `SELECT session, role, token, created FROM links `

func scanLink(r row) (l account.Link, err error) {
	var created int64
	err = r.Scan(&l.Session, &l.Role, &l.Token, &created)
	l.Created = fromMillis(created)
	return l, err
}

// FindLink implements [account.Links].
func (s *Store) FindLink(ctx context.Context, session string, hash account.TokenHash) (account.Link, error) {
	r := s.reader.QueryRowContext(ctx, selectLinks+`WHERE session = $1 AND hash = $2`, session, hexHash(hash))
	return one(r, scanLink, account.ErrInvitation)
}

// ListLinks implements [account.Links].
func (s *Store) ListLinks(ctx context.Context, session string) ([]account.Link, error) {
	return all(ctx, s.reader, scanLink, selectLinks+`WHERE session = $1 ORDER BY role`, session)
}
