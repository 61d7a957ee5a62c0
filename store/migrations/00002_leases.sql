-- +goose Up
CREATE TABLE leases ( -- who may write a session's journal
    session TEXT PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    epoch   BIGINT NOT NULL, -- of the latest owner; appends of a lower one are refused
    taken   BIGINT NOT NULL, -- by the owner
    written BIGINT NOT NULL  -- the latest append
);

-- +goose Down
DROP TABLE leases;
