-- When the newsletter goes out by itself, and the times at which it had to.

CREATE TABLE schedule (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    cron TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    is_on INTEGER NOT NULL,
    -- No time before this counts: what was due under another schedule is not made good.
    since INTEGER NOT NULL,
    -- What the settings said when they were taken over last; a change made elsewhere stays until they say something else.
    configured TEXT NOT NULL
) STRICT;

-- The primary key is the promise that a time sends once, however many notice it.
CREATE TABLE occurrence (
    due_at INTEGER PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('due', 'done', 'refused', 'missed')),
    issue TEXT,
    note TEXT
) STRICT;

CREATE INDEX occurrence_due ON occurrence (due_at) WHERE state = 'due';
