-- +goose Up
ALTER TABLE clips ADD COLUMN node TEXT NOT NULL DEFAULT ''; -- that has the upload, or prepares the practice clip
ALTER TABLE clips ADD COLUMN leased BIGINT NOT NULL DEFAULT 0; -- until when the preparation is that node's, Unix ms

-- +goose Down
ALTER TABLE clips DROP COLUMN node;
ALTER TABLE clips DROP COLUMN leased;
