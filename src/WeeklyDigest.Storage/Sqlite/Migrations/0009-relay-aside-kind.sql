-- Whether a relay is set aside, was and is to be tried again, or is only down. It was told by how the reason begins.
ALTER TABLE relay_aside ADD COLUMN kind TEXT NOT NULL DEFAULT 'aside' CHECK (kind IN ('aside', 'again', 'down'));

UPDATE relay_aside SET kind = 'again', reason = substr(reason, length('To be tried again; it was set aside: ') + 1)
WHERE reason GLOB 'To be tried again; it was set aside: *';

UPDATE relay_aside SET kind = 'down', reason = substr(reason, length('It answers nothing: ') + 1)
WHERE kind = 'aside' AND reason GLOB 'It answers nothing: *';
