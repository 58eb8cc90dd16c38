-- As on SQLite: whether a relay is set aside, was and is to be tried again, or is only down.
ALTER TABLE relay_aside ADD COLUMN kind text COLLATE "C" NOT NULL DEFAULT 'aside' CHECK (kind IN ('aside', 'again', 'down'));

UPDATE relay_aside SET kind = 'again', reason = substr(reason, length('To be tried again; it was set aside: ') + 1)
WHERE reason LIKE 'To be tried again; it was set aside: %';

UPDATE relay_aside SET kind = 'down', reason = substr(reason, length('It answers nothing: ') + 1)
WHERE kind = 'aside' AND reason LIKE 'It answers nothing: %';
