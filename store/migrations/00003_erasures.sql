-- +goose Up
CREATE TABLE erasures ( -- what members took their consent back for, until the journal has the proof that it is gone
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    member  TEXT NOT NULL,
    until   BIGINT NOT NULL, -- session time, ms
    PRIMARY KEY (session, member)
);

-- +goose Down
DROP TABLE erasures;
