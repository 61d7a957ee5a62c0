-- Portable between SQLite and PostgreSQL: TEXT, BIGINT, BOOLEAN, DOUBLE PRECISION; times are Unix milliseconds, 0 for none;
-- lists are JSON in TEXT; hashes are lower-case hexadecimal.

-- +goose Up
CREATE TABLE accounts (
    id       TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    email    TEXT NOT NULL UNIQUE, -- normalised
    password TEXT NOT NULL,        -- PHC string
    admin    BOOLEAN NOT NULL,
    created  BIGINT NOT NULL
);

CREATE TABLE invitations (
    hash    TEXT PRIMARY KEY, -- SHA-256 of the token
    inviter TEXT REFERENCES accounts (id),
    email   TEXT NOT NULL,
    setup   BOOLEAN NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    used    BIGINT NOT NULL DEFAULT 0,
    used_by TEXT REFERENCES accounts (id)
);

CREATE TABLE browser_sessions (
    hash    TEXT PRIMARY KEY, -- SHA-256 of the cookie's token
    data    TEXT NOT NULL,    -- Base64
    expires BIGINT NOT NULL
);
CREATE INDEX browser_sessions_expires ON browser_sessions (expires);

CREATE TABLE clips (
    id               TEXT PRIMARY KEY,
    owner            TEXT REFERENCES accounts (id), -- NULL for the practice clip
    title            TEXT NOT NULL,
    focus_question   TEXT NOT NULL,
    context          TEXT NOT NULL,
    purpose          TEXT NOT NULL,
    range_from       BIGINT NOT NULL,
    range_to         BIGINT NOT NULL,
    pupil_consent    BOOLEAN NOT NULL,
    pupil_consent_at BIGINT NOT NULL,
    practice         BOOLEAN NOT NULL,
    created          BIGINT NOT NULL,
    state            TEXT NOT NULL,
    progress         DOUBLE PRECISION NOT NULL,
    refusal          TEXT NOT NULL,
    attempts         BIGINT NOT NULL,
    filename         TEXT NOT NULL,
    bytes            BIGINT NOT NULL,
    duration         BIGINT NOT NULL,
    frames           BIGINT NOT NULL,
    fps_num          BIGINT NOT NULL,
    fps_den          BIGINT NOT NULL,
    width            BIGINT NOT NULL,
    height           BIGINT NOT NULL,
    has_audio        BOOLEAN NOT NULL,
    prepared         BIGINT NOT NULL
);
CREATE INDEX clips_owner ON clips (owner);

CREATE TABLE sessions (
    id        TEXT PRIMARY KEY,
    planner   TEXT NOT NULL REFERENCES accounts (id),
    kind      TEXT NOT NULL,
    title     TEXT NOT NULL,
    focus     TEXT NOT NULL,
    purpose   TEXT NOT NULL,
    clip      TEXT REFERENCES clips (id) ON DELETE SET NULL,
    scheduled BIGINT NOT NULL,
    minutes   BIGINT NOT NULL,
    recorded  BOOLEAN NOT NULL,
    pauses    TEXT NOT NULL, -- JSON
    notes     TEXT NOT NULL, -- JSON, by member
    created   BIGINT NOT NULL,
    -- what the journal says, kept up with it in the same transaction
    opened          BIGINT NOT NULL DEFAULT 0,
    ended           BOOLEAN NOT NULL DEFAULT FALSE,
    duration        BIGINT NOT NULL DEFAULT 0,  -- session time of the latest event
    held            BIGINT NOT NULL DEFAULT 0,  -- pivotal pauses that happened
    recorded_for    BIGINT NOT NULL DEFAULT 0,  -- ms
    recording_since BIGINT NOT NULL DEFAULT -1  -- session time; -1 while nothing is recorded
);
CREATE INDEX sessions_planner ON sessions (planner);
CREATE INDEX sessions_clip ON sessions (clip);

CREATE TABLE members (
    id      TEXT PRIMARY KEY,
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    account TEXT REFERENCES accounts (id), -- NULL for a guest
    name    TEXT NOT NULL,
    role    TEXT NOT NULL,
    invited TEXT NOT NULL,
    removed BOOLEAN NOT NULL,
    arrived BOOLEAN NOT NULL,
    inside  BOOLEAN NOT NULL DEFAULT FALSE,
    created BIGINT NOT NULL,
    UNIQUE (session, account)
);
CREATE INDEX members_account ON members (account);

CREATE TABLE links (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    role    TEXT NOT NULL,
    token   TEXT NOT NULL, -- readable: whoever planned the session looks at the link again
    hash    TEXT NOT NULL, -- SHA-256 of the token, for looking it up
    created BIGINT NOT NULL,
    PRIMARY KEY (session, role)
);

CREATE TABLE journal (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    seq     BIGINT NOT NULL, -- dense from 1
    at      BIGINT NOT NULL, -- session time, ms
    member  TEXT NOT NULL,   -- empty for the room itself
    type    TEXT NOT NULL,
    json    TEXT NOT NULL,   -- the whole event as it is on the wire
    PRIMARY KEY (session, seq)
);

CREATE TABLE session_notes ( -- who may count which notes; the notes themselves are in the journal
    session    TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    id         TEXT NOT NULL,
    author     TEXT NOT NULL,
    visibility TEXT NOT NULL,
    PRIMARY KEY (session, id)
);

CREATE TABLE segments ( -- no reference to sessions: a row lives as long as its file
    id          TEXT PRIMARY KEY,
    session     TEXT NOT NULL,
    member      TEXT NOT NULL,
    publication TEXT NOT NULL,
    source      TEXT NOT NULL,
    mime        TEXT NOT NULL,
    start_at    BIGINT NOT NULL, -- session time, ms
    end_at      BIGINT NOT NULL,
    bytes       BIGINT NOT NULL,
    sha256      TEXT NOT NULL,
    finished    BOOLEAN NOT NULL
);
CREATE INDEX segments_session ON segments (session, start_at);

-- +goose Down
DROP TABLE segments;
DROP TABLE session_notes;
DROP TABLE journal;
DROP TABLE links;
DROP TABLE members;
DROP TABLE sessions;
DROP TABLE clips;
DROP TABLE browser_sessions;
DROP TABLE invitations;
DROP TABLE accounts;
