-- Subscribers, lists, suppressions.

-- name: AddList
INSERT INTO list (name, created_at) VALUES (@list, @now) ON CONFLICT (name) DO NOTHING;

-- name: ListId
SELECT id FROM list WHERE name = @list;

-- name: KnownSubscribers
-- What an import needs to know of a portion of addresses: a walk of the unique index for each, in one question.
SELECT s.id, s.address, s.name, s.attributes, s.status,
       EXISTS (SELECT 1 FROM membership m WHERE m.list_id = @list AND m.subscriber_id = s.id)
FROM json_each(@addresses) a CROSS JOIN subscriber s ON s.address = a.value;

-- name: AnySuppressed
SELECT 1 FROM suppression LIMIT 1;

-- name: SuppressedAmong
SELECT x.address FROM json_each(@addresses) a CROSS JOIN suppression x ON x.address = a.value;

-- name: SubscriberId
SELECT id FROM subscriber WHERE address = @address;

-- name: SuppressionOf
SELECT reason AS Reason, source AS Source, at AS At FROM suppression WHERE address = @address;

-- name: AddDomain
INSERT INTO domain (name) VALUES (@domain) ON CONFLICT (name) DO NOTHING;

-- name: DomainId
SELECT id FROM domain WHERE name = @domain;

-- name: LastSubscriber
SELECT seq FROM sqlite_sequence WHERE name = 'subscriber';

-- name: AddSubscriber
-- The row can be repeated as it stands: ? is the next parameter, ?1 the time of all.
INSERT INTO subscriber (created_at, updated_at, address, domain_id, name, attributes, status)
VALUES (?1, ?1, ?, ?, ?, ?, 'active')
ON CONFLICT (address) DO NOTHING;

-- name: SubscribersAfter
SELECT id, address FROM subscriber WHERE id > @id;

-- name: ChangeSubscriber
UPDATE subscriber SET name = @name, attributes = @attributes, updated_at = @now WHERE id = @subscriber;

-- name: AddMembers
INSERT INTO membership (list_id, subscriber_id) SELECT @list, value FROM json_each(@subscribers) WHERE true ON CONFLICT DO NOTHING;

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
SELECT EXISTS (
    SELECT 1
    FROM json_each(@lists) a
    CROSS JOIN list l ON l.name = a.value
    CROSS JOIN membership m ON m.list_id = l.id
    CROSS JOIN subscriber s ON s.id = m.subscriber_id
    WHERE s.status = 'active' AND NOT EXISTS (SELECT 1 FROM suppression x WHERE x.address = s.address));

-- name: SubscriberById
SELECT s.id AS Id, s.address AS Address, s.name AS Name, s.attributes AS Attributes, s.status AS Status,
       x.reason AS Reason, x.source AS Source, x.at AS At,
       (SELECT group_concat(l.name, ' ') FROM membership m JOIN list l ON l.id = m.list_id WHERE m.subscriber_id = s.id) AS Lists
FROM subscriber s LEFT JOIN suppression x ON x.address = s.address
WHERE s.id = @id;

-- name: SubscriberByAddress
SELECT s.id AS Id, s.address AS Address, s.name AS Name, s.attributes AS Attributes, s.status AS Status,
       x.reason AS Reason, x.source AS Source, x.at AS At,
       (SELECT group_concat(l.name, ' ') FROM membership m JOIN list l ON l.id = m.list_id WHERE m.subscriber_id = s.id) AS Lists
FROM subscriber s LEFT JOIN suppression x ON x.address = s.address
WHERE s.address = @address;

-- name: Subscribers
-- In pages by key, for the same reason as Deliveries.
SELECT s.id AS Id, s.address AS Address, s.name AS Name, s.attributes AS Attributes, s.status AS Status,
       x.reason AS Reason, x.source AS Source, x.at AS At,
       (SELECT group_concat(l.name, ' ') FROM membership m JOIN list l ON l.id = m.list_id WHERE m.subscriber_id = s.id) AS Lists
FROM subscriber s LEFT JOIN suppression x ON x.address = s.address
WHERE s.id > @after
ORDER BY s.id LIMIT @count;

-- name: Members
SELECT s.id AS Id, s.address AS Address, s.name AS Name, s.attributes AS Attributes, s.status AS Status,
       x.reason AS Reason, x.source AS Source, x.at AS At,
       (SELECT group_concat(l.name, ' ') FROM membership m JOIN list l ON l.id = m.list_id WHERE m.subscriber_id = s.id) AS Lists
FROM membership own
CROSS JOIN subscriber s ON s.id = own.subscriber_id
LEFT JOIN suppression x ON x.address = s.address
WHERE own.list_id = (SELECT id FROM list WHERE name = @list) AND own.subscriber_id > @after
ORDER BY own.subscriber_id LIMIT @count;

-- name: EndMemberships
-- Looks again whether there is another list: nobody becomes a subscriber whom no list names.
DELETE FROM membership AS own
WHERE own.list_id = (SELECT id FROM list WHERE name = @list) AND own.subscriber_id IN (SELECT value FROM json_each(@subscribers))
  AND EXISTS (SELECT 1 FROM membership other WHERE other.subscriber_id = own.subscriber_id AND other.list_id <> own.list_id);

-- name: Unsubscribe
-- A complaint is the stronger word and stays. A bounce is the weaker one: it can be taken back, and who has left stays out.
UPDATE subscriber SET status = 'unsubscribed', updated_at = @now WHERE id = @id AND status IN ('pending', 'active', 'bounced');

-- name: SuppressSubscriber
-- The first reason stays, unless it was a bounce: a second click on an old link tells nothing new.
INSERT INTO suppression (address, reason, source, at)
SELECT address, status, @source, @now FROM subscriber WHERE id = @id
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
