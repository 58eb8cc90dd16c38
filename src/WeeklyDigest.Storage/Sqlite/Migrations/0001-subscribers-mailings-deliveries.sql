-- The first schema. Times are Unix milliseconds, UTC. Ids are never reused (AUTOINCREMENT): links that were mailed name them for good.
-- Tables are STRICT: a value of the wrong type is refused here, not found later.

-- "WDig" in ASCII: tells our files from other programs' databases, which are never touched.
PRAGMA application_id = 1464101223;

CREATE TABLE subscriber (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- EmailAddress.Value: local part as written, domain in lower case and Unicode; so duplicates meet in this constraint.
    address TEXT NOT NULL UNIQUE,
    name TEXT,
    -- A JSON object of strings.
    attributes TEXT NOT NULL DEFAULT '{}',
    status TEXT NOT NULL CHECK (status IN ('pending', 'active', 'unsubscribed', 'bounced', 'complained')),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- Apart from subscriber: an address stays suppressed when its subscriber is gone, and can be suppressed before it ever subscribed.
CREATE TABLE suppression (
    address TEXT NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL,
    source TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE list (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE membership (
    list_id INTEGER NOT NULL REFERENCES list (id),
    subscriber_id INTEGER NOT NULL REFERENCES subscriber (id),
    PRIMARY KEY (list_id, subscriber_id)
) STRICT, WITHOUT ROWID;

-- The lists of one subscriber.
CREATE INDEX membership_of_subscriber ON membership (subscriber_id);

-- The list file that was imported last; an older version of a file counts as changed again.
CREATE TABLE list_file (
    list TEXT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL,
    imported_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE mailing (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- However often and from wherever an issue is triggered: one mailing.
    issue TEXT NOT NULL UNIQUE,
    permalink TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('scheduled', 'sending', 'paused', 'cancelled', 'sent')),
    state_reason TEXT,
    content_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    scheduled_at INTEGER,
    started_at INTEGER,
    finished_at INTEGER
) STRICT;

CREATE INDEX mailing_by_permalink ON mailing (permalink);

-- Apart from mailing: it is some hundred kilobytes, written once, and a change of state must not write it again.
CREATE TABLE mailing_content (
    mailing_id INTEGER PRIMARY KEY REFERENCES mailing (id),
    content TEXT NOT NULL
) STRICT;

CREATE TABLE mailing_list (
    mailing_id INTEGER NOT NULL REFERENCES mailing (id),
    list_id INTEGER NOT NULL REFERENCES list (id),
    PRIMARY KEY (mailing_id, list_id)
) STRICT, WITHOUT ROWID;

-- The ledger. The primary key is the promise that nobody is in a mailing twice.
CREATE TABLE delivery (
    mailing_id INTEGER NOT NULL REFERENCES mailing (id),
    subscriber_id INTEGER NOT NULL REFERENCES subscriber (id),
    state TEXT NOT NULL CHECK (state IN
        ('pending', 'claimed', 'sending', 'deferred', 'sent', 'failed', 'suppressed', 'uncertain')),
    -- Grows with every claim; a write under an older stamp changes nothing.
    stamp INTEGER NOT NULL DEFAULT 0,
    owner TEXT,
    lease_until INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    first_attempt_at INTEGER,
    next_attempt_at INTEGER,
    reply TEXT,
    updated_at INTEGER NOT NULL,
    unsubscribed_at INTEGER,
    PRIMARY KEY (mailing_id, subscriber_id),
    -- Whoever holds a row has a name and a lease, so that a dead owner's rows are always found.
    CHECK ((state IN ('claimed', 'sending')) = (owner IS NOT NULL)),
    CHECK ((owner IS NULL) = (lease_until IS NULL)),
    CHECK ((state = 'deferred') = (next_attempt_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- Partial indexes hold only rows that somebody still looks for: a sent row is in none of them, so the ledger's end costs no more than its start.
CREATE INDEX delivery_pending ON delivery (mailing_id, subscriber_id) WHERE state = 'pending';
CREATE INDEX delivery_deferred ON delivery (mailing_id, next_attempt_at) WHERE state = 'deferred';
CREATE INDEX delivery_held ON delivery (owner) WHERE state IN ('claimed', 'sending');

-- Keys of the installation, made on first use.
CREATE TABLE secret (
    name TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
