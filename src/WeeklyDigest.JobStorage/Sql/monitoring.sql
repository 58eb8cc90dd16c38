-- What the dashboard shows. A page is cut out of an index before anything is joined to it.

-- name: CountInState
SELECT count(*) FROM job WHERE state = @state;

-- name: OldestInState
SELECT j.id, j.invocation, j.arguments, j.state, s.reason, s.data, s.created_at
FROM (SELECT * FROM job WHERE state = @state ORDER BY state_id LIMIT @count OFFSET @from) j
LEFT JOIN job_state s ON s.id = j.state_id ORDER BY j.state_id;

-- name: NewestInState
SELECT j.id, j.invocation, j.arguments, j.state, s.reason, s.data, s.created_at
FROM (SELECT * FROM job WHERE state = @state ORDER BY state_id DESC LIMIT @count OFFSET @from) j
LEFT JOIN job_state s ON s.id = j.state_id ORDER BY j.state_id DESC;

-- name: EnqueuedPage
SELECT q.job_id, j.invocation, j.arguments, j.state, s.reason, s.data, s.created_at
FROM (SELECT id, job_id FROM queue_entry WHERE queue = @queue AND owner IS NULL ORDER BY id LIMIT @count OFFSET @from) q
LEFT JOIN job j ON j.id = q.job_id LEFT JOIN job_state s ON s.id = j.state_id ORDER BY q.id;

-- name: FetchedPage
-- The time is that of the claim.
SELECT q.job_id, j.invocation, j.arguments, j.state, s.reason, s.data, q.fetched_at
FROM (SELECT id, job_id, fetched_at FROM queue_entry WHERE queue = @queue AND owner IS NOT NULL ORDER BY id LIMIT @count OFFSET @from) q
LEFT JOIN job j ON j.id = q.job_id LEFT JOIN job_state s ON s.id = j.state_id ORDER BY q.id;

-- name: QueueLengths
SELECT queue, count(*) - count(owner), count(owner) FROM queue_entry GROUP BY queue ORDER BY queue;

-- name: CountFree
SELECT count(*) FROM queue_entry WHERE queue = @queue AND owner IS NULL;

-- name: CountFetched
SELECT count(*) FROM queue_entry WHERE queue = @queue AND owner IS NOT NULL;

-- name: CountQueues
SELECT count(*) FROM (SELECT 1 FROM queue_entry GROUP BY queue);

-- name: CountServers
SELECT count(*) FROM server;

-- name: StateOf
SELECT state FROM job WHERE id = @job;
