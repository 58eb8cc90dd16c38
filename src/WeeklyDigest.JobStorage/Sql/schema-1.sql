-- The first schema. Times are Unix milliseconds, UTC. Ids are never reused (AUTOINCREMENT), so that an old id can never mean a new
-- row. Tables are STRICT: a value of the wrong type is refused here, not found later.

CREATE TABLE job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    invocation TEXT NOT NULL,
    arguments TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- NULL: kept until somebody says otherwise.
    expires_at INTEGER,
    -- The last row of job_state that counts, and its name once more: lists by state read this table only.
    state_id INTEGER,
    state TEXT
) STRICT;

-- By state_id, so that lists show what changed last first.
CREATE INDEX job_by_state ON job (state, state_id) WHERE state IS NOT NULL;
CREATE INDEX job_by_expiry ON job (expires_at) WHERE expires_at IS NOT NULL;

-- Creating a job in a transaction needs an id before the row is there; it is taken from here.
INSERT INTO sqlite_sequence (name, seq) VALUES ('job', 0);

CREATE TABLE job_parameter (
    job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT,
    PRIMARY KEY (job_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE job_state (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    reason TEXT,
    -- A JSON object of strings.
    data TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX job_state_by_job ON job_state (job_id);

-- A process at work. It exists as long as the process shows that it lives; all it holds goes with it.
CREATE TABLE owner (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The name of the file it keeps locked.
    name TEXT NOT NULL UNIQUE,
    -- Grows while it lives.
    beat INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE queue_entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    -- No reference: an entry may outlive its job; the worker then drops it.
    job_id INTEGER NOT NULL,
    owner INTEGER REFERENCES owner (id) ON DELETE SET NULL,
    -- Grows with every claim; whoever comes with an older one changes nothing.
    stamp INTEGER NOT NULL DEFAULT 0,
    fetched_at INTEGER
) STRICT;

-- Free entries of a queue in their order, counts per queue, and what a queue's workers hold.
CREATE INDEX queue_entry_in_order ON queue_entry (queue, owner, id);
CREATE INDEX queue_entry_by_owner ON queue_entry (owner) WHERE owner IS NOT NULL;

CREATE TABLE distributed_lock (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    resource TEXT NOT NULL UNIQUE,
    owner INTEGER NOT NULL REFERENCES owner (id) ON DELETE CASCADE
) STRICT;

CREATE INDEX distributed_lock_by_owner ON distributed_lock (owner);

CREATE TABLE server (
    id TEXT NOT NULL PRIMARY KEY,
    owner INTEGER REFERENCES owner (id) ON DELETE CASCADE,
    -- A JSON array of strings.
    queues TEXT NOT NULL,
    workers INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    heartbeat_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX server_by_owner ON server (owner) WHERE owner IS NOT NULL;

CREATE TABLE counter (
    key TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL,
    expires_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX counter_by_expiry ON counter (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE set_item (
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    score REAL NOT NULL,
    PRIMARY KEY (key, value)
) STRICT, WITHOUT ROWID;

CREATE INDEX set_item_by_score ON set_item (key, score);

CREATE TABLE hash_field (
    key TEXT NOT NULL,
    field TEXT NOT NULL,
    value TEXT,
    PRIMARY KEY (key, field)
) STRICT, WITHOUT ROWID;

-- The newest item, the one with the highest id, is the first.
CREATE TABLE list_item (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    value TEXT NOT NULL
) STRICT;

CREATE INDEX list_item_by_key ON list_item (key, id);

-- When a whole set, hash or list expires. Goes with the last item, so that a later set of the same key does not inherit it.
CREATE TABLE key_expiry (
    kind TEXT NOT NULL CHECK (kind IN ('set', 'hash', 'list')),
    key TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX key_expiry_by_time ON key_expiry (expires_at);

CREATE TRIGGER set_item_gone AFTER DELETE ON set_item BEGIN
    DELETE FROM key_expiry WHERE kind = 'set' AND key = OLD.key AND NOT EXISTS (SELECT 1 FROM set_item WHERE key = OLD.key);
END;

CREATE TRIGGER hash_field_gone AFTER DELETE ON hash_field BEGIN
    DELETE FROM key_expiry WHERE kind = 'hash' AND key = OLD.key AND NOT EXISTS (SELECT 1 FROM hash_field WHERE key = OLD.key);
END;

CREATE TRIGGER list_item_gone AFTER DELETE ON list_item BEGIN
    DELETE FROM key_expiry WHERE kind = 'list' AND key = OLD.key AND NOT EXISTS (SELECT 1 FROM list_item WHERE key = OLD.key);
END;
