package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pressly/goose/v3"

	"github.com/pausepoint/pausepoint/backup"
)

// versions is the table of the migrations that were done.
const versions = "goose_db_version"

// snapshot is a database at one moment.
type snapshot struct {
	tx *sql.Tx
	dialect
	schema int64
}

// Schema implements [backup.Tables].
func (s snapshot) Schema() int64 { return s.schema }

// Names implements [backup.Tables].
func (s snapshot) Names(ctx context.Context) ([]string, error) {
	return tableNames(ctx, s.tx, s.dialect)
}

func tableNames(ctx context.Context, q querier, d dialect) ([]string, error) {
	scan := func(r row) (name string, err error) { return name, r.Scan(&name) }
	names, err := all(ctx, q, scan, d.names)
	return slices.DeleteFunc(names, func(name string) bool { return name == versions }), err
}

// Dump implements [backup.Tables].
func (s snapshot) Dump(ctx context.Context, table string, to io.Writer) (n int64, err error) {
	rows, err := s.tx.QueryContext(ctx, `SELECT * FROM `+quoted(table))
	if err != nil {
		return 0, fmt.Errorf("read the table %s: %w", table, err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.ColumnTypes()
	if err != nil {
		return 0, fmt.Errorf("read the columns of %s: %w", table, err)
	}
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name()
	}
	out := json.NewEncoder(to)
	out.SetEscapeHTML(false)
	if err := out.Encode(names); err != nil {
		return 0, err
	}
	for ; rows.Next(); n++ {
		values, err := portable(rows, columns)
		if err == nil {
			err = out.Encode(values)
		}
		if err != nil {
			return n, fmt.Errorf("save a row of %s: %w", table, err)
		}
	}
	return n, rows.Err()
}

// portable reads a row as values that are the same in every database. SQLite has numbers for booleans.
func portable(r row, columns []*sql.ColumnType) ([]any, error) {
	values, targets := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	if err := r.Scan(targets...); err != nil {
		return nil, err
	}
	for i, v := range values {
		switch v := v.(type) {
		case nil, bool, float64:
		case int64:
			if columns[i].DatabaseTypeName() == "BOOLEAN" {
				values[i] = v != 0
			}
		case string:
			if !utf8.ValidString(v) {
				return nil, errors.New("a text in it is no UTF-8")
			}
		default:
			return nil, fmt.Errorf("a value of the type %T cannot be saved", v)
		}
	}
	return values, nil
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// fillAll fills tables in any order: whether what they refer to is there is looked at afterwards.
func fillAll(ctx context.Context, tx *sql.Tx, d dialect, fill func(backup.Filler) error) error {
	if d.schema == goose.DialectSQLite3 {
		if _, err := tx.ExecContext(ctx, `PRAGMA defer_foreign_keys = ON`); err != nil {
			return fmt.Errorf("put references off: %w", err)
		}
		return fill(filler{tx})
	}
	if err := everyReference(ctx, tx, `DEFERRABLE INITIALLY DEFERRED`); err != nil {
		return err
	}
	if err := fill(filler{tx}); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `SET CONSTRAINTS ALL IMMEDIATE`); err != nil {
		return fmt.Errorf("look at references: %w", err)
	}
	return everyReference(ctx, tx, `NOT DEFERRABLE`)
}

// everyReference changes when PostgreSQL looks at references.
func everyReference(ctx context.Context, tx *sql.Tx, when string) error {
	scan := func(r row) (alter string, err error) { return alter, r.Scan(&alter) }
	alters, err := all(ctx, tx, scan, `SELECT format('ALTER TABLE %s ALTER CONSTRAINT %I ', conrelid::regclass, conname)
		FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace`)
	if err != nil {
		return err
	}
	for _, alter := range alters {
		if _, err := tx.ExecContext(ctx, alter+when); err != nil {
			return fmt.Errorf("change a reference: %w", err)
		}
	}
	return nil
}

// filler fills tables in a transaction.
type filler struct{ tx *sql.Tx }

// Fill implements [backup.Filler].
func (f filler) Fill(ctx context.Context, table string, from io.Reader) (n int64, err error) {
	in := json.NewDecoder(from)
	in.UseNumber()
	var columns []string
	if err := in.Decode(&columns); err != nil || len(columns) == 0 {
		return 0, errors.Join(errors.New("the names of its columns are missing"), err)
	}
	insert, err := f.tx.PrepareContext(ctx, insertInto(table, columns))
	if err != nil {
		return 0, err
	}
	defer func() { _ = insert.Close() }()
	for ; in.More(); n++ {
		var values []any
		if err := in.Decode(&values); err != nil {
			return n, err
		}
		if err := numbers(values); err != nil {
			return n, err
		}
		if _, err := insert.ExecContext(ctx, values...); err != nil {
			return n, err
		}
	}
	return n, nil
}

func insertInto(table string, columns []string) string {
	marks := make([]string, len(columns))
	for i := range columns {
		columns[i] = quoted(columns[i])
		marks[i] = fmt.Sprintf("$%d", i+1)
	}
	return `INSERT INTO ` + quoted(table) + ` (` + strings.Join(columns, ", ") + `) VALUES (` + strings.Join(marks, ", ") + `)`
}

// numbers makes numbers of what JSON has for them.
func numbers(values []any) (err error) {
	for i, v := range values {
		n, ok := v.(json.Number)
		if !ok {
			continue
		}
		if strings.ContainsAny(n.String(), ".eE") {
			values[i], err = n.Float64()
		} else {
			values[i], err = n.Int64()
		}
		if err != nil {
			return fmt.Errorf("read a number: %w", err)
		}
	}
	return nil
}
