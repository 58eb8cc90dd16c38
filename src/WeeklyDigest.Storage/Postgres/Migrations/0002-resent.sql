-- As on SQLite.
ALTER TABLE delivery ADD COLUMN resent integer NOT NULL DEFAULT 0;
