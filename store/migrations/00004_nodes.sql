-- +goose Up
ALTER TABLE leases ADD COLUMN node TEXT NOT NULL DEFAULT ''; -- that runs the session; empty when none does, or where there is one server
CREATE INDEX leases_node ON leases (node);
ALTER TABLE segments ADD COLUMN node TEXT NOT NULL DEFAULT ''; -- that has the file

-- +goose Down
DROP INDEX leases_node;
ALTER TABLE leases DROP COLUMN node;
ALTER TABLE segments DROP COLUMN node;
