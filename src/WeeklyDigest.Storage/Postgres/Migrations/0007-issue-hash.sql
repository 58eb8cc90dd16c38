-- As on SQLite: of which bytes of an issue file a mailing was made.
ALTER TABLE mailing ADD COLUMN issue_hash text;
