PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
INSERT INTO goose_db_version VALUES(1,0,1,'2026-11-23 11:39:42');
INSERT INTO goose_db_version VALUES(2,1,1,'2026-11-23 11:39:42');
INSERT INTO goose_db_version VALUES(3,2,1,'2026-11-23 11:39:42');
INSERT INTO goose_db_version VALUES(4,3,1,'2026-11-23 11:39:42');
INSERT INTO goose_db_version VALUES(5,4,1,'2026-11-24 02:52:01');
INSERT INTO goose_db_version VALUES(6,5,1,'2026-11-24 02:52:01');
INSERT INTO goose_db_version VALUES(7,6,1,'2026-11-24 02:52:02');
INSERT INTO goose_db_version VALUES(8,7,1,'2026-11-24 02:52:02');
INSERT INTO goose_db_version VALUES(9,8,1,'2026-11-24 02:52:02');
INSERT INTO goose_db_version VALUES(10,9,1,'2026-11-24 02:52:02');
INSERT INTO goose_db_version VALUES(11,10,1,'2026-11-24 02:52:02');
INSERT INTO goose_db_version VALUES(12,11,1,'2026-11-24 03:33:02');
CREATE TABLE accounts (
    id       TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    email    TEXT NOT NULL UNIQUE, -- normalised
    password TEXT NOT NULL,        -- PHC string
    admin    BOOLEAN NOT NULL,
    created  BIGINT NOT NULL
);
INSERT INTO accounts VALUES('ana','Ana','ana@school.example','x',1,1);
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
, node TEXT NOT NULL DEFAULT '', leased BIGINT NOT NULL DEFAULT 0, session TEXT NOT NULL DEFAULT '');
INSERT INTO clips VALUES('c','ana','Fractions','','','coaching',0,0,1,2,0,3,'preparing',0.5,'',1,'f.mp4',99,0,0,0,0,0,0,0,0,'one',12,'');
INSERT INTO clips VALUES('d','ana','Lesson','','','coaching',0,0,0,0,0,4,'filming',0.0,'',0,'',0,0,0,0,0,0,0,0,0,'',0,'s');
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
, keep_days BIGINT NOT NULL DEFAULT 0, held_since BIGINT NOT NULL DEFAULT 0, held_for TEXT NOT NULL DEFAULT '');
INSERT INTO sessions VALUES('s','ana','review','Lesson','','',NULL,0,45,0,'[]','{}',1,2,0,0,0,0,-1,30,7,'the school asked');
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
INSERT INTO members VALUES('m','s','ana','Ana','focal','focal',0,1,1,1);
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
INSERT INTO journal VALUES('s',1,10,'m','member.spoke','{"type":"member.spoke","seq":1,"at":10,"by":"m","data":{"speech":{"member":"m","from":1,"to":2}}}');
INSERT INTO journal VALUES('s',2,10,'m','member.spoke','{"type":"member.spoke","seq":2,"at":20,"by":"m","data":{"speech":{"member":"m","from":2,"to":3}}}');
INSERT INTO journal VALUES('s',3,10,'m','member.spoke','{"type":"member.spoke","seq":3,"at":30,"by":"m","data":{"speech":{"member":"m","from":3,"to":4}}}');
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
, node TEXT NOT NULL DEFAULT '', stored BOOLEAN NOT NULL DEFAULT FALSE);
INSERT INTO segments VALUES('g1','s','m','p1','audio','audio/webm; codecs="opus"',5,25,1000,'aa',1,'one',1);
INSERT INTO segments VALUES('g2','s','m','p2','camera','video/webm; codecs="vp8"',6,0,0,'',0,'one',0);
CREATE TABLE leases ( -- who may write a session's journal
    session TEXT PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    epoch   BIGINT NOT NULL, -- of the latest owner; appends of a lower one are refused
    taken   BIGINT NOT NULL, -- by the owner
    written BIGINT NOT NULL  -- the latest append
, node TEXT NOT NULL DEFAULT '');
INSERT INTO leases VALUES('s',3,1,30,'one');
CREATE TABLE erasures ( -- what members took their consent back for, until the journal has the proof that it is gone
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    member  TEXT NOT NULL,
    until   BIGINT NOT NULL, -- session time, ms
    PRIMARY KEY (session, member)
);
CREATE TABLE certificates ( -- from an ACME authority, with their keys; and its account's key, and challenges under way
    name TEXT PRIMARY KEY,
    data TEXT NOT NULL -- Base64
);
INSERT INTO certificates VALUES('calls.example.org','YSBjZXJ0aWZpY2F0ZQ==');
CREATE TABLE receipts ( -- what was deleted; a row outlives its session
    session TEXT PRIMARY KEY,
    json    TEXT NOT NULL,
    begun   BIGINT NOT NULL,
    listed  BOOLEAN NOT NULL, -- its files are in the receipt
    done    BIGINT NOT NULL -- 0 while there are files left
);
INSERT INTO receipts VALUES('gone','{"format":"pausepoint-receipt","version":1,"session":"gone","opened":"2026-01-01T10:00:00Z","duration":60000,"rule":"time-was-over","days":30,"by":"","begun":"2026-02-01T10:00:00Z","done":null,"events":9,"journal":"bb","files":[],"listed":false}',1769940000000,0,0);
CREATE TABLE receipt_readers ( -- who was a member
    session TEXT NOT NULL REFERENCES receipts (session) ON DELETE CASCADE,
    member  TEXT NOT NULL,
    account TEXT REFERENCES accounts (id), -- NULL for a guest
    PRIMARY KEY (session, member)
);
INSERT INTO receipt_readers VALUES('gone','n','ana');
CREATE TABLE IF NOT EXISTS "films" ( -- what members asked for as one MP4, or as a clip
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
INSERT INTO films VALUES('s','m','',1,0,'ready',1.0,'','films/s/m/0192f0c8.mp4',4321,8,1,3,0);
INSERT INTO films VALUES('s','k','',0,1,'waiting',0.0,'','',0,9,0,0,0);
INSERT INTO films VALUES('s','m','d',0,0,'rendering',0.25,'','',0,10,1,1,11);
CREATE TABLE secrets ( -- that all servers on this database share, and nobody else has
    name TEXT PRIMARY KEY,
    data TEXT NOT NULL -- Base64
);
INSERT INTO secrets VALUES('nodes','AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('goose_db_version',12);
CREATE INDEX browser_sessions_expires ON browser_sessions (expires);
CREATE INDEX clips_owner ON clips (owner);
CREATE INDEX sessions_planner ON sessions (planner);
CREATE INDEX sessions_clip ON sessions (clip);
CREATE INDEX members_account ON members (account);
CREATE INDEX segments_session ON segments (session, start_at);
CREATE INDEX leases_node ON leases (node);
CREATE INDEX receipt_readers_account ON receipt_readers (account);
CREATE INDEX segments_waiting ON segments (id) WHERE NOT stored;
CREATE INDEX clips_session ON clips (session) WHERE session <> '';
COMMIT;
