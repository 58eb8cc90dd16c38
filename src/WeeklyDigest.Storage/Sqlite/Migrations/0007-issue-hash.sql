-- Of which bytes of an issue file a mailing was made: the same file under another name is not another issue. Null: published before this was kept.
ALTER TABLE mailing ADD COLUMN issue_hash TEXT;
