-- As on SQLite: how many messages each process has had accepted of a mailing, for the page Nodes.
CREATE TABLE sent_by (
    owner text COLLATE "C" NOT NULL PRIMARY KEY,
    sent bigint NOT NULL,
    since bigint NOT NULL,
    noted_at bigint NOT NULL
);
