-- A move from SQLite did not carry over where the numbers of domains go on: the first new ones were given numbers that others have.
SELECT setval(n.sequence, n.last) FROM (
    SELECT pg_get_serial_sequence('domain', 'id') AS sequence, max(id) AS last FROM domain
    UNION ALL SELECT pg_get_serial_sequence('subscriber', 'id'), max(id) FROM subscriber
    UNION ALL SELECT pg_get_serial_sequence('list', 'id'), max(id) FROM list
    UNION ALL SELECT pg_get_serial_sequence('mailing', 'id'), max(id) FROM mailing) n
WHERE n.last > coalesce(pg_sequence_last_value(n.sequence::regclass), 0);
