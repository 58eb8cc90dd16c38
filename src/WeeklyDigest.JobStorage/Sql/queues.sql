-- Queues. An entry is free (no owner) or held by a process; it goes when its job was worked on.

-- name: Enqueue
INSERT INTO queue_entry (queue, job_id) VALUES (@queue, @job);

-- name: AnyFree
-- Asked before a claim, so that workers that wait write nothing.
SELECT 1 FROM queue_entry WHERE queue = @queue AND owner IS NULL LIMIT 1;

-- name: Claim
UPDATE queue_entry SET owner = @owner, stamp = stamp + 1, fetched_at = @now
WHERE id = (SELECT id FROM queue_entry WHERE queue = @queue AND owner IS NULL ORDER BY id LIMIT 1)
RETURNING id, job_id, stamp;

-- name: Acknowledge
-- The stamp alone decides: an entry that was given back in between and that nobody has claimed since may still be acknowledged.
DELETE FROM queue_entry WHERE id = @entry AND stamp = @stamp;

-- name: Requeue
-- It keeps its id, and so its place at the front.
UPDATE queue_entry SET owner = NULL, fetched_at = NULL WHERE id = @entry AND stamp = @stamp;
