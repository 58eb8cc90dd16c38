-- How many messages each process has had accepted of a mailing, for the page Nodes. The deliveries do not say it (a row that is sent has no owner any
-- more), and nothing but that page reads it: a process notes its count every few seconds, so what it sent last before a kill is missing here.
CREATE TABLE sent_by (
    -- As delivery.owner: machine, process, random part, mailing.
    owner TEXT NOT NULL PRIMARY KEY,
    sent INTEGER NOT NULL,
    since INTEGER NOT NULL,
    noted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
