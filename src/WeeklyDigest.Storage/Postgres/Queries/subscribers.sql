-- Subscribers, lists, suppressions.

-- name: AddList
INSERT INTO list (name, created_at) VALUES (@list, @now) ON CONFLICT (name) DO NOTHING;

-- name: ListId
SELECT id FROM list WHERE name = @list;

-- name: SubscriberId
SELECT id FROM subscriber WHERE address = @address;

-- name: SuppressionOf
SELECT reason AS Reason, source AS Source, at AS At FROM suppression WHERE address = @address;

-- name: ImportedFile
SELECT hash FROM list_file WHERE list = @list;

-- name: NoteImportedFile
INSERT INTO list_file (list, hash, imported_at) VALUES (@list, @hash, @now)
ON CONFLICT (list) DO UPDATE SET hash = excluded.hash, imported_at = excluded.imported_at;

-- name: Lists
SELECT l.name AS Name, count(m.subscriber_id) AS Total, count(s.id) AS Active
FROM list l
LEFT JOIN membership m ON m.list_id = l.id
LEFT JOIN subscriber s ON s.id = m.subscriber_id AND s.status = 'active'
     AND NOT EXISTS (SELECT 1 FROM suppression x WHERE x.address = s.address)
GROUP BY l.id ORDER BY l.name;

-- name: FileLists
-- Those that were read from a file in the subscribers folder.
SELECT list FROM list_file;

-- name: ListNames
SELECT name FROM list;

-- name: HasActiveMember
-- The order makes each list a walk along its members up to the first active one, where a join would begin with all subscribers.
SELECT EXISTS (
    SELECT 1
    FROM list l
    CROSS JOIN LATERAL (
        SELECT 1
        FROM membership m
        JOIN subscriber s ON s.id = m.subscriber_id AND s.status = 'active'
        WHERE m.list_id = l.id AND NOT EXISTS (SELECT 1 FROM suppression x WHERE x.address = s.address)
        ORDER BY m.subscriber_id LIMIT 1) found
    WHERE l.name = ANY (@lists));

-- name: SubscriberById
SELECT s.id AS Id, s.address AS Address, s.name AS Name, s.attributes AS Attributes, s.status AS Status,
       x.reason AS Reason, x.source AS Source, x.at AS At,
       (SELECT string_agg(l.name, ' ') FROM membership m JOIN list l ON l.id = m.list_id WHERE m.subscriber_id = s.id) AS Lists
FROM subscriber s LEFT JOIN suppression x ON x.address = s.address
WHERE s.id = @id;

-- name: SubscriberByAddress
SELECT s.id AS Id, s.address AS Address, s.name AS Name, s.attributes AS Attributes, s.status AS Status,
       x.reason AS Reason, x.source AS Source, x.at AS At,
       (SELECT string_agg(l.name, ' ') FROM membership m JOIN list l ON l.id = m.list_id WHERE m.subscriber_id = s.id) AS Lists
FROM subscriber s LEFT JOIN suppression x ON x.address = s.address
WHERE s.address = @address;

-- name: Subscribers
-- In pages by key, for the same reason as Deliveries.
SELECT s.id AS Id, s.address AS Address, s.name AS Name, s.attributes AS Attributes, s.status AS Status,
       x.reason AS Reason, x.source AS Source, x.at AS At,
       (SELECT string_agg(l.name, ' ') FROM membership m JOIN list l ON l.id = m.list_id WHERE m.subscriber_id = s.id) AS Lists
FROM subscriber s LEFT JOIN suppression x ON x.address = s.address
WHERE s.id > @after
ORDER BY s.id LIMIT @count;

-- name: Members
SELECT s.id AS Id, s.address AS Address, s.name AS Name, s.attributes AS Attributes, s.status AS Status,
       x.reason AS Reason, x.source AS Source, x.at AS At,
       (SELECT string_agg(l.name, ' ') FROM membership m JOIN list l ON l.id = m.list_id WHERE m.subscriber_id = s.id) AS Lists
FROM membership own
JOIN subscriber s ON s.id = own.subscriber_id
LEFT JOIN suppression x ON x.address = s.address
WHERE own.list_id = (SELECT id FROM list WHERE name = @list) AND own.subscriber_id > @after
ORDER BY own.subscriber_id LIMIT @count;

-- name: LockSubscriber
SELECT id FROM subscriber WHERE id = @id FOR NO KEY UPDATE;

-- name: TryLockSubscriber
-- An import may hold the row for minutes. Who unsubscribes does not wait for that: the suppression is what counts.
SELECT s.id = (SELECT l.id FROM subscriber l WHERE l.id = @id FOR NO KEY UPDATE SKIP LOCKED) FROM subscriber s WHERE s.id = @id;

-- name: EndMemberships
-- Looks again whether there is another list: nobody becomes a subscriber whom no list names.
DELETE FROM membership AS own
WHERE own.list_id = (SELECT id FROM list WHERE name = @list) AND own.subscriber_id = ANY (@subscribers)
  AND EXISTS (SELECT 1 FROM membership other WHERE other.subscriber_id = own.subscriber_id AND other.list_id <> own.list_id);

-- name: Unsubscribe
-- A complaint is the stronger word and stays. A bounce is the weaker one: it can be taken back, and who has left stays out.
UPDATE subscriber SET status = 'unsubscribed', updated_at = @now WHERE id = @id AND status IN ('pending', 'active', 'bounced');

-- name: SuppressSubscriber
-- The first reason stays, unless it was a bounce: a second click on an old link tells nothing new. The status says it already, unless somebody holds the row.
INSERT INTO suppression (address, reason, source, at)
SELECT address, CASE WHEN status IN ('pending', 'active', 'bounced') THEN 'unsubscribed' ELSE status END, @source, @now FROM subscriber WHERE id = @id
ON CONFLICT (address) DO UPDATE SET reason = excluded.reason, source = excluded.source, at = excluded.at WHERE suppression.reason = 'bounced';

-- name: SuppressStranger
-- Who is no subscriber, and is not to become one by a list file.
INSERT INTO suppression (address, reason, source, at) VALUES (@address, 'unsubscribed', @source, @now)
ON CONFLICT (address) DO UPDATE SET reason = excluded.reason, source = excluded.source, at = excluded.at WHERE suppression.reason = 'bounced';

-- name: LiftBounce
-- Each looks again: who has left in between stays out.
DELETE FROM suppression WHERE address = @address AND reason = 'bounced' RETURNING at;

-- name: ForgetFiles
-- Read while somebody was kept out who is not any more: the next run reads them again. That there was a file stays known.
UPDATE list_file SET hash = '' WHERE imported_at >= @since;

-- name: BringBack
UPDATE subscriber SET status = 'active', updated_at = @now WHERE address = @address AND status = 'bounced';
