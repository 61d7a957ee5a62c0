-- +goose Up
CREATE TABLE secrets ( -- that all servers on this database share, and nobody else has
    name TEXT PRIMARY KEY,
    data TEXT NOT NULL -- Base64
);

-- +goose Down
DROP TABLE secrets;
