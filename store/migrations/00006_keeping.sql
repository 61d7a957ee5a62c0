-- +goose Up
ALTER TABLE sessions ADD COLUMN keep_days BIGINT NOT NULL DEFAULT 0;  -- after the latest event; 0 is for ever
ALTER TABLE sessions ADD COLUMN held_since BIGINT NOT NULL DEFAULT 0; -- by a legal hold; 0 without one
ALTER TABLE sessions ADD COLUMN held_for TEXT NOT NULL DEFAULT '';    -- its reason

CREATE TABLE receipts ( -- what was deleted; a row outlives its session
    session TEXT PRIMARY KEY,
    json    TEXT NOT NULL,
    begun   BIGINT NOT NULL,
    listed  BOOLEAN NOT NULL, -- its files are in the receipt
    done    BIGINT NOT NULL -- 0 while there are files left
);

CREATE TABLE receipt_readers ( -- who was a member
    session TEXT NOT NULL REFERENCES receipts (session) ON DELETE CASCADE,
    member  TEXT NOT NULL,
    account TEXT REFERENCES accounts (id), -- NULL for a guest
    PRIMARY KEY (session, member)
);
CREATE INDEX receipt_readers_account ON receipt_readers (account);

-- +goose Down
DROP TABLE receipt_readers;
DROP TABLE receipts;
ALTER TABLE sessions DROP COLUMN held_for;
ALTER TABLE sessions DROP COLUMN held_since;
ALTER TABLE sessions DROP COLUMN keep_days;
