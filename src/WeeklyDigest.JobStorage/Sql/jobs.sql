-- Jobs, their parameters and states. Whatever names a job that is gone changes nothing.

-- name: ReserveJobId
-- A gap in the ids, when the transaction that asked for it is never committed, harms nobody.
UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'job' RETURNING seq;

-- name: AddJob
INSERT INTO job (id, invocation, arguments, created_at, expires_at) VALUES (@job, @invocation, @arguments, @created, @expires);

-- name: SetJobExpiry
UPDATE job SET expires_at = @expires WHERE id = @job;

-- name: SetJobParameter
INSERT INTO job_parameter (job_id, name, value) SELECT id, @name, @value FROM job WHERE id = @job
ON CONFLICT (job_id, name) DO UPDATE SET value = excluded.value;

-- name: JobParameter
SELECT value FROM job_parameter WHERE job_id = @job AND name = @name;

-- name: JobParameters
SELECT name, value FROM job_parameter WHERE job_id = @job;

-- name: AddJobState
INSERT INTO job_state (job_id, name, reason, data, created_at) SELECT id, @name, @reason, @data, @now FROM job WHERE id = @job;

-- name: PointToState
UPDATE job SET state_id = @state, state = @name WHERE id = @job;

-- name: Job
SELECT invocation, arguments, created_at, expires_at, state FROM job WHERE id = @job;

-- name: CurrentState
SELECT s.name, s.reason, s.data FROM job j JOIN job_state s ON s.id = j.state_id WHERE j.id = @job;

-- name: StateHistory
SELECT name, reason, data, created_at FROM job_state WHERE job_id = @job ORDER BY id DESC;
