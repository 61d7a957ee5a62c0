-- +goose Up
CREATE TABLE certificates ( -- from an ACME authority, with their keys; and its account's key, and challenges under way
    name TEXT PRIMARY KEY,
    data TEXT NOT NULL -- Base64
);

-- +goose Down
DROP TABLE certificates;
