-- Counters, sets, hashes and lists.

-- name: AddToCounter
-- Aggregated as it is written: there is one writer at a time, so that a row that everybody counts in is nobody's bottleneck.
INSERT INTO counter (key, value, expires_at) VALUES (@key, @value, @expires)
ON CONFLICT (key) DO UPDATE SET value = value + excluded.value, expires_at = coalesce(excluded.expires_at, expires_at);

-- name: Counter
SELECT value FROM counter WHERE key = @key;

-- name: AddToSet
INSERT INTO set_item (key, value, score) VALUES (@key, @value, @score) ON CONFLICT (key, value) DO UPDATE SET score = excluded.score;

-- name: RemoveFromSet
DELETE FROM set_item WHERE key = @key AND value = @value;

-- name: RemoveSet
DELETE FROM set_item WHERE key = @key;

-- name: SetItems
SELECT value FROM set_item WHERE key = @key;

-- name: SetContains
SELECT 1 FROM set_item WHERE key = @key AND value = @value;

-- name: SetCount
SELECT count(*) FROM set_item WHERE key = @key;

-- name: SetCountUpTo
SELECT count(*) FROM (SELECT 1 FROM set_item WHERE key = @key LIMIT @limit);

-- name: SetRange
SELECT value FROM set_item WHERE key = @key ORDER BY score, value LIMIT @count OFFSET @from;

-- name: SetLowest
SELECT value FROM set_item WHERE key = @key AND score BETWEEN @low AND @high ORDER BY score, value LIMIT @count;

-- name: SetHashField
INSERT INTO hash_field (key, field, value) VALUES (@key, @field, @value) ON CONFLICT (key, field) DO UPDATE SET value = excluded.value;

-- name: RemoveHash
DELETE FROM hash_field WHERE key = @key;

-- name: HashFields
SELECT field, value FROM hash_field WHERE key = @key;

-- name: HashValue
SELECT value FROM hash_field WHERE key = @key AND field = @field;

-- name: HashCount
SELECT count(*) FROM hash_field WHERE key = @key;

-- name: InsertToList
INSERT INTO list_item (key, value) VALUES (@key, @value);

-- name: RemoveFromList
DELETE FROM list_item WHERE key = @key AND value = @value;

-- name: TrimList
DELETE FROM list_item WHERE key = @key
    AND id NOT IN (SELECT id FROM list_item WHERE key = @key ORDER BY id DESC LIMIT @count OFFSET @from);

-- name: ListCount
SELECT count(*) FROM list_item WHERE key = @key;

-- name: ListRange
SELECT value FROM list_item WHERE key = @key ORDER BY id DESC LIMIT @count OFFSET @from;

-- name: ExpireSet
INSERT INTO key_expiry (kind, key, expires_at) SELECT 'set', @key, @expires WHERE EXISTS (SELECT 1 FROM set_item WHERE key = @key)
ON CONFLICT (kind, key) DO UPDATE SET expires_at = excluded.expires_at;

-- name: ExpireHash
INSERT INTO key_expiry (kind, key, expires_at) SELECT 'hash', @key, @expires WHERE EXISTS (SELECT 1 FROM hash_field WHERE key = @key)
ON CONFLICT (kind, key) DO UPDATE SET expires_at = excluded.expires_at;

-- name: ExpireList
INSERT INTO key_expiry (kind, key, expires_at) SELECT 'list', @key, @expires WHERE EXISTS (SELECT 1 FROM list_item WHERE key = @key)
ON CONFLICT (kind, key) DO UPDATE SET expires_at = excluded.expires_at;

-- name: Persist
DELETE FROM key_expiry WHERE kind = @kind AND key = @key;

-- name: KeyExpiry
SELECT expires_at FROM key_expiry WHERE kind = @kind AND key = @key;
