-- As on SQLite: when the newsletter goes out by itself, and the times at which it had to.

CREATE TABLE schedule (
    id bigint PRIMARY KEY CHECK (id = 1),
    cron text NOT NULL,
    time_zone text NOT NULL,
    is_on bigint NOT NULL,
    since bigint NOT NULL,
    configured text NOT NULL
);

CREATE TABLE occurrence (
    due_at bigint PRIMARY KEY,
    state text COLLATE "C" NOT NULL CHECK (state IN ('due', 'done', 'refused', 'missed')),
    issue text,
    note text
);

CREATE INDEX occurrence_due ON occurrence (due_at) WHERE state = 'due';
