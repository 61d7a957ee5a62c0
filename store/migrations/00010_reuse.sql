-- +goose Up
ALTER TABLE clips ADD COLUMN session TEXT NOT NULL DEFAULT ''; -- whose recording it is; it outlives the session, to say that it is gone
CREATE INDEX clips_session ON clips (session) WHERE session <> '';

CREATE TABLE films_anew ( -- what members asked for as one MP4, or as a clip
    session  TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    member   TEXT NOT NULL,
    clip     TEXT NOT NULL, -- that the film becomes; empty for one to take along
    cards    BOOLEAN NOT NULL,
    captions BOOLEAN NOT NULL,
    state    TEXT NOT NULL, -- waiting, rendering, ready, failed
    progress DOUBLE PRECISION NOT NULL,
    problem  TEXT NOT NULL,
    file     TEXT NOT NULL, -- key of a blob; empty before it is ready, and for a clip
    bytes    BIGINT NOT NULL,
    asked    BIGINT NOT NULL, -- Unix ms
    tries    BIGINT NOT NULL,
    round    BIGINT NOT NULL,
    until    BIGINT NOT NULL, -- Unix ms
    PRIMARY KEY (session, member, clip)
);
INSERT INTO films_anew (session, member, clip, cards, captions, state, progress, problem, file, bytes, asked, tries, round, until)
    SELECT session, member, '', cards, captions, state, progress, problem, file, bytes, asked, tries, round, until FROM films;
DROP TABLE films;
ALTER TABLE films_anew RENAME TO films;

-- +goose Down
DELETE FROM films WHERE clip <> '';
CREATE TABLE films_before (
    session  TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    member   TEXT NOT NULL,
    cards    BOOLEAN NOT NULL,
    captions BOOLEAN NOT NULL,
    state    TEXT NOT NULL,
    progress DOUBLE PRECISION NOT NULL,
    problem  TEXT NOT NULL,
    file     TEXT NOT NULL,
    bytes    BIGINT NOT NULL,
    asked    BIGINT NOT NULL,
    tries    BIGINT NOT NULL,
    round    BIGINT NOT NULL,
    until    BIGINT NOT NULL,
    PRIMARY KEY (session, member)
);
INSERT INTO films_before (session, member, cards, captions, state, progress, problem, file, bytes, asked, tries, round, until)
    SELECT session, member, cards, captions, state, progress, problem, file, bytes, asked, tries, round, until FROM films;
DROP TABLE films;
ALTER TABLE films_before RENAME TO films;
DROP INDEX clips_session;
ALTER TABLE clips DROP COLUMN session;
