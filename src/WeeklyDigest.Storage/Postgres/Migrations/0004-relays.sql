-- As on SQLite; the times of relay_budget are by this database's clock.
CREATE TABLE relay_budget (
    relay text COLLATE "C" NOT NULL PRIMARY KEY,
    second_at double precision NOT NULL,
    minute_at double precision NOT NULL,
    hour_at double precision NOT NULL
);

CREATE TABLE relay_aside (
    relay text COLLATE "C" NOT NULL PRIMARY KEY,
    reason text NOT NULL,
    at bigint NOT NULL
);
