-- How far the places of a relay's limits have been given out: when the next one is, in Unix milliseconds with fractions. Whoever sends takes
-- from here, so that neither a restart nor a second node sends a quota twice. A relay is known by its name in the settings.
CREATE TABLE relay_budget (
    relay TEXT NOT NULL PRIMARY KEY,
    second_at REAL NOT NULL,
    minute_at REAL NOT NULL,
    hour_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- Relays that refused us and are left alone, for everybody to see; gone when they work again.
CREATE TABLE relay_aside (
    relay TEXT NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
