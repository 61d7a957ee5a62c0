-- +goose Up
CREATE TABLE films ( -- what members asked for as one MP4
    session  TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    member   TEXT NOT NULL,
    cards    BOOLEAN NOT NULL,
    captions BOOLEAN NOT NULL,
    state    TEXT NOT NULL, -- waiting, rendering, ready, failed
    progress DOUBLE PRECISION NOT NULL,
    problem  TEXT NOT NULL,
    file     TEXT NOT NULL, -- key of a blob; empty before it is ready
    bytes    BIGINT NOT NULL,
    asked    BIGINT NOT NULL, -- Unix ms
    tries    BIGINT NOT NULL,
    round    BIGINT NOT NULL,
    until    BIGINT NOT NULL, -- Unix ms
    PRIMARY KEY (session, member)
);

-- +goose Down
DROP TABLE films;
