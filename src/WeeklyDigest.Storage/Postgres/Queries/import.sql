-- An import: the rows come by COPY into a table of this transaction, then whole sets are changed; nothing is asked row by row.

-- name: PrepareImport
CREATE TEMP TABLE arrival (number bigint NOT NULL, address text COLLATE "C" NOT NULL, name text, attributes text NOT NULL) ON COMMIT DROP;
CREATE TEMP TABLE added (id bigint NOT NULL) ON COMMIT DROP;
CREATE TEMP TABLE known (
    id bigint, kept_out boolean NOT NULL, is_member boolean NOT NULL, old_name text, old_attributes text, name text, attributes text NOT NULL
) ON COMMIT DROP;

-- name: CopyArrivals
COPY arrival (number, address, name, attributes) FROM STDIN (FORMAT BINARY);

-- name: AddDomains
INSERT INTO domain (name) SELECT DISTINCT split_part(address, '@', 2) FROM arrival
ON CONFLICT (name) DO NOTHING;

-- name: AddDomain
INSERT INTO domain (name) VALUES (@domain) ON CONFLICT (name) DO NOTHING;

-- name: AddArrivals
-- New addresses, in the order of the file; of an address that comes twice, the first row counts and the second meets the constraint. So
-- does one that is added by hand meanwhile: we wait for it, and it is known.
WITH new AS (
    INSERT INTO subscriber (address, domain_id, name, attributes, status, created_at, updated_at)
    SELECT a.address, n.id, a.name, a.attributes, 'active', @now, @now
    FROM arrival a JOIN domain n ON n.name = split_part(a.address, '@', 2)
    WHERE NOT EXISTS (SELECT 1 FROM subscriber s WHERE s.address = a.address)
      AND NOT EXISTS (SELECT 1 FROM suppression x WHERE x.address = a.address)
    ORDER BY a.number
    ON CONFLICT (address) DO NOTHING
    RETURNING id
)
INSERT INTO added SELECT id FROM new;

-- name: FindKnown
-- The others, once per address. An id of null: suppressed without ever having subscribed.
INSERT INTO known
SELECT DISTINCT ON (a.address) s.id, s.status IS DISTINCT FROM 'active' OR x.address IS NOT NULL,
       m.subscriber_id IS NOT NULL, s.name, s.attributes, a.name, a.attributes
FROM arrival a
LEFT JOIN subscriber s ON s.address = a.address
LEFT JOIN suppression x ON x.address = a.address
LEFT JOIN membership m ON m.list_id = @list AND m.subscriber_id = s.id
WHERE s.id IS NULL OR NOT EXISTS (SELECT 1 FROM added WHERE added.id = s.id)
ORDER BY a.address, a.number;

-- name: IndexKnown
-- For the portions: else each goes through all of them, and sorts them.
CREATE INDEX ON known (id);
ANALYZE known;

-- name: CountKnown
SELECT count(*) FILTER (WHERE kept_out) AS KeptOut,
       count(*) FILTER (WHERE NOT kept_out AND NOT is_member) AS Joining
FROM known;

-- name: ChangedPage
-- Known ones of whom the file may say something new, in portions.
SELECT id AS Id, is_member AS IsMember, old_name AS OldName, old_attributes AS OldAttributes, name AS Name, attributes AS Attributes
FROM known
WHERE NOT kept_out AND id > @after AND (name <> old_name OR (name IS NOT NULL AND old_name IS NULL) OR (attributes <> '{}' AND attributes <> old_attributes))
ORDER BY id LIMIT @count;

-- name: ChangeSubscribers
UPDATE subscriber s SET name = w.name, attributes = w.attributes, updated_at = @now
FROM unnest(@ids, @names, @attributes) AS w (id, name, attributes)
WHERE s.id = w.id;

-- name: AddMembers
INSERT INTO membership (list_id, subscriber_id)
SELECT @list, id FROM (SELECT id FROM added UNION ALL SELECT id FROM known WHERE NOT kept_out AND NOT is_member) a
ORDER BY id
ON CONFLICT DO NOTHING;

-- name: AddSubscriber
-- One address, by hand or by sign-up. No row: it is there already.
INSERT INTO subscriber (address, domain_id, name, attributes, status, created_at, updated_at)
VALUES (@address, (SELECT n.id FROM domain n WHERE n.name = @domain), @name, @attributes, 'active', @now, @now)
ON CONFLICT (address) DO NOTHING
RETURNING id;

-- name: ChangeSubscriber
UPDATE subscriber SET name = @name, attributes = @attributes, updated_at = @now WHERE id = @subscriber;

-- name: AddMember
INSERT INTO membership (list_id, subscriber_id) VALUES (@list, @subscriber) ON CONFLICT DO NOTHING;
