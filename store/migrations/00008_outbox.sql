-- +goose Up
ALTER TABLE segments ADD COLUMN stored BOOLEAN NOT NULL DEFAULT FALSE; -- in the bucket, and not on the disk of who recorded it
CREATE INDEX segments_waiting ON segments (id) WHERE NOT stored;

-- +goose Down
DROP INDEX segments_waiting;
ALTER TABLE segments DROP COLUMN stored;
