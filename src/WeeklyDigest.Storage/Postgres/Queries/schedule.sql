-- As on SQLite: the schedule, and the times of it that have come.

-- name: Now
SELECT clock_timestamp();

-- name: AdoptSchedule
-- An update that says the same changes nothing, not even since.
INSERT INTO schedule (id, cron, time_zone, is_on, since, configured) VALUES (1, @cron, @zone, 1, @now, @configured)
ON CONFLICT (id) DO UPDATE
SET cron = excluded.cron, time_zone = excluded.time_zone, is_on = 1, since = excluded.since, configured = excluded.configured
WHERE schedule.configured <> excluded.configured;

-- name: ChangeSchedule
UPDATE schedule SET cron = @cron, time_zone = @zone, is_on = @on, since = @now WHERE id = 1;

-- name: TakeBackOccurrences
UPDATE occurrence SET state = 'missed', note = @note WHERE state = 'due' AND issue IS NULL;

-- name: Schedule
SELECT cron AS Cron, time_zone AS TimeZone, is_on AS IsOn, since AS Since, configured AS Configured FROM schedule WHERE id = 1;

-- name: AddOccurrence
-- The schedule is asked in the same transaction: one that was changed a moment ago sends nothing any more.
INSERT INTO occurrence (due_at, state, note)
SELECT @due, @state, @note FROM schedule WHERE id = 1 AND is_on = 1 AND since = @since
ON CONFLICT (due_at) DO NOTHING;

-- name: DueOccurrences
SELECT due_at AS DueAt, state AS State, issue AS Issue, note AS Note FROM occurrence WHERE state = 'due' ORDER BY due_at;

-- name: Occurrence
SELECT due_at AS DueAt, state AS State, issue AS Issue, note AS Note FROM occurrence WHERE due_at = @due;

-- name: LastOccurrence
SELECT due_at AS DueAt, state AS State, issue AS Issue, note AS Note FROM occurrence WHERE due_at <= @until ORDER BY due_at DESC LIMIT 1;

-- name: ChooseIssue
UPDATE occurrence SET issue = coalesce(issue, @issue) WHERE due_at = @due AND state = 'due';

-- name: CloseOccurrence
UPDATE occurrence SET state = @state, note = @note WHERE due_at = @due AND state = 'due';

-- name: LockSchedule
SELECT 1 FROM schedule WHERE id = 1 FOR SHARE;
