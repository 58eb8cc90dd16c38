-- Mailings: publishing, state, balance.

-- name: AddMailing
-- The unique issue makes a second trigger add nothing, from whichever process it comes.
INSERT INTO mailing (issue, permalink, state, content_hash, issue_hash, created_at, scheduled_at)
VALUES (@issue, @permalink, @state, @hash, @file, @now, @scheduled)
ON CONFLICT (issue) DO NOTHING;

-- name: MailingOfIssue
SELECT id, state, content_hash FROM mailing WHERE issue = @issue;

-- name: AddContent
INSERT INTO mailing_content (mailing_id, content) VALUES (@mailing, @content);

-- name: AddMailingList
INSERT INTO mailing_list (mailing_id, list_id) SELECT @mailing, id FROM list WHERE name = @list
ON CONFLICT DO NOTHING;

-- name: AddDeliveries
-- The audience never leaves the database: a million rows are one statement. A member of two lists meets the primary key.
INSERT INTO delivery (mailing_id, subscriber_id, domain_id, state, updated_at)
SELECT @mailing, s.id, s.domain_id, 'pending', @now
FROM list l
CROSS JOIN membership m ON m.list_id = l.id
CROSS JOIN subscriber s ON s.id = m.subscriber_id
WHERE l.name = @list AND s.status = 'active'
  -- The first half is asked once, not for each row.
  AND (NOT EXISTS (SELECT 1 FROM suppression) OR NOT EXISTS (SELECT 1 FROM suppression x WHERE x.address = s.address))
ON CONFLICT (mailing_id, subscriber_id) DO NOTHING;

-- name: Reopen
-- Rows were added, by a further list or by the editor's decision: a mailing that was finished goes on, and the time to give up begins anew.
UPDATE mailing
SET resumed_at = CASE WHEN state IN ('sending', 'sent') THEN @now ELSE resumed_at END,
    state_reason = CASE state WHEN 'sent' THEN NULL ELSE state_reason END,
    finished_at = CASE state WHEN 'sent' THEN NULL ELSE finished_at END,
    state = CASE state WHEN 'sent' THEN 'sending' ELSE state END
WHERE id = @mailing AND state <> 'cancelled';

-- name: Reschedule
-- Only before it is ever put to sending (resumed_at): from then on somebody may have its content in hand.
UPDATE mailing SET scheduled_at = @scheduled, permalink = @permalink, content_hash = @hash, issue_hash = @file
WHERE id = @mailing AND state IN ('scheduled', 'paused') AND scheduled_at IS NOT NULL AND started_at IS NULL AND resumed_at IS NULL;

-- name: ReplaceContent
UPDATE mailing_content SET content = @content WHERE mailing_id = @mailing;

-- name: Mailings
-- @id or @issue picks one; both null: all, newest first.
SELECT m.id AS Id, m.issue AS Issue, m.state AS State, m.state_reason AS StateReason, m.content_hash AS ContentHash, m.issue_hash AS IssueHash,
       m.created_at AS CreatedAt, m.scheduled_at AS ScheduledAt, m.started_at AS StartedAt, m.finished_at AS FinishedAt, m.resumed_at AS ResumedAt,
       (SELECT group_concat(l.name, ' ') FROM mailing_list ml JOIN list l ON l.id = ml.list_id WHERE ml.mailing_id = m.id) AS Lists
FROM mailing m
WHERE (@id IS NULL OR m.id = @id) AND (@issue IS NULL OR m.issue = @issue)
ORDER BY m.id DESC;

-- name: Content
SELECT content FROM mailing_content WHERE mailing_id = @mailing;

-- name: MailingAtPermalink
-- One that was held or cancelled before its time was never out.
SELECT id FROM mailing
WHERE permalink = @permalink AND (scheduled_at IS NULL OR started_at IS NOT NULL OR resumed_at IS NOT NULL)
ORDER BY id DESC LIMIT 1;

-- name: Abandon
-- Cancelled before they were sent again: whether the first copy arrived is as unknown as before.
UPDATE delivery SET state = 'uncertain', next_attempt_at = NULL, resent = resent - 1, updated_at = @now
WHERE mailing_id = @mailing AND state IN ('pending', 'deferred') AND resent > 0 AND subscriber_id IN (
    SELECT subscriber_id FROM delivery INDEXED BY delivery_pending WHERE mailing_id = @mailing AND state = 'pending' AND resent > 0
    UNION ALL
    SELECT subscriber_id FROM delivery INDEXED BY delivery_deferred WHERE mailing_id = @mailing AND state = 'deferred' AND resent > 0);

-- name: ChangeState
-- 'sending' is refused before its time: who saw that it is due may have looked before it was given another time.
-- 'sent' is refused while a row is open: a list that was added a moment ago must not be closed away. Rows that are held are a few
-- hundred over all mailings; their index is named because the planner would rather walk the whole mailing.
UPDATE mailing
SET state = @to, state_reason = @reason, finished_at = CASE WHEN @to IN ('sent', 'cancelled') THEN @now END,
    resumed_at = CASE WHEN @to = 'sending' THEN @now ELSE resumed_at END
WHERE id = @mailing AND state IN (SELECT value FROM json_each(@from))
  AND (@to <> 'sending' OR started_at IS NOT NULL OR coalesce(scheduled_at, 0) <= @now)
  AND (@to <> 'sent' OR NOT EXISTS (SELECT 1 FROM delivery WHERE mailing_id = @mailing AND state = 'pending'))
  AND (@to <> 'sent' OR NOT EXISTS (SELECT 1 FROM delivery WHERE mailing_id = @mailing AND state = 'deferred'))
  AND (@to <> 'sent' OR NOT EXISTS (SELECT 1 FROM delivery INDEXED BY delivery_held
                                    WHERE mailing_id = @mailing AND state IN ('claimed', 'sending')));

-- name: Balance
-- One statement is one snapshot. The total is counted on its own: a balance that adds its parts up proves nothing.
SELECT (SELECT count(*) FROM delivery WHERE mailing_id = @mailing) AS Total,
       count(*) FILTER (WHERE state = 'pending') AS Pending,
       count(*) FILTER (WHERE state = 'claimed') AS Claimed,
       count(*) FILTER (WHERE state = 'sending') AS Sending,
       count(*) FILTER (WHERE state = 'deferred') AS Deferred,
       count(*) FILTER (WHERE state = 'sent') AS Sent,
       count(*) FILTER (WHERE state = 'failed') AS Failed,
       count(*) FILTER (WHERE state = 'suppressed') AS Suppressed,
       count(*) FILTER (WHERE state = 'uncertain') AS Uncertain,
       coalesce(sum(attempts), 0) AS Attempts,
       count(*) FILTER (WHERE state = 'sent' AND unsubscribed_at IS NOT NULL) AS Unsubscribed
FROM delivery WHERE mailing_id = @mailing;

-- name: Retriable
-- Of failed rows those that Reconsider takes.
SELECT count(*) FROM delivery d CROSS JOIN subscriber s ON s.id = d.subscriber_id
WHERE d.mailing_id = @mailing AND d.state = 'failed' AND s.status = 'active' AND NOT EXISTS (SELECT 1 FROM suppression x WHERE x.address = s.address);

-- name: Deliveries
-- In pages by key: a slow reader of a long report must not hold a snapshot open, which would keep the write-ahead log growing.
SELECT s.address AS Address, d.state AS State, d.attempts AS Attempts, d.reply AS Reply, d.mailing_id AS MailingId,
       d.subscriber_id AS SubscriberId, d.updated_at AS UpdatedAt, d.next_attempt_at AS NextAttemptAt, d.resent AS Resent
FROM delivery d CROSS JOIN subscriber s ON s.id = d.subscriber_id
WHERE d.mailing_id = @mailing AND d.subscriber_id > @after AND (@state IS NULL OR d.state = @state)
ORDER BY d.subscriber_id LIMIT @count;

-- name: Due
-- A sending mailing without rows that wait for somebody is due too: whoever sent the last row died before noting the end. Rows of
-- stopped domains wait for the editor; what is left when only they are open is noted like the end.
SELECT m.id FROM mailing m
WHERE (m.state = 'scheduled' AND coalesce(m.scheduled_at, 0) <= @now)
   OR (m.state = 'sending' AND (
          EXISTS (SELECT 1 FROM delivery d INDEXED BY delivery_pending WHERE d.mailing_id = m.id AND d.state = 'pending'
                  AND d.domain_id NOT IN (SELECT a.domain_id FROM alarm a WHERE a.mailing_id = m.id AND a.stopped_at IS NOT NULL))
       OR EXISTS (SELECT 1 FROM delivery d INDEXED BY delivery_deferred WHERE d.mailing_id = m.id AND d.state = 'deferred' AND d.next_attempt_at <= @now
                  AND d.domain_id NOT IN (SELECT a.domain_id FROM alarm a WHERE a.mailing_id = m.id AND a.stopped_at IS NOT NULL))
       OR NOT EXISTS (SELECT 1 FROM delivery d INDEXED BY delivery_deferred WHERE d.mailing_id = m.id AND d.state = 'deferred'
                      AND d.domain_id NOT IN (SELECT a.domain_id FROM alarm a WHERE a.mailing_id = m.id AND a.stopped_at IS NOT NULL))
          AND NOT EXISTS (SELECT 1 FROM delivery d INDEXED BY delivery_held
                          WHERE d.mailing_id = m.id AND d.state IN ('claimed', 'sending'))))
ORDER BY m.id;

-- name: Rest
-- What is left of a mailing, rows of stopped domains apart. One statement is one snapshot.
SELECT EXISTS (SELECT 1 FROM delivery d INDEXED BY delivery_pending WHERE d.mailing_id = @mailing AND d.state = 'pending'
               AND d.domain_id NOT IN (SELECT a.domain_id FROM alarm a WHERE a.mailing_id = @mailing AND a.stopped_at IS NOT NULL)) AS Pending,
       EXISTS (SELECT 1 FROM delivery d INDEXED BY delivery_held WHERE d.mailing_id = @mailing AND d.state IN ('claimed', 'sending')) AS Held,
       (SELECT d.next_attempt_at FROM delivery d INDEXED BY delivery_deferred WHERE d.mailing_id = @mailing AND d.state = 'deferred'
        AND d.domain_id NOT IN (SELECT a.domain_id FROM alarm a WHERE a.mailing_id = @mailing AND a.stopped_at IS NOT NULL)
        ORDER BY d.next_attempt_at LIMIT 1) AS NextAttemptAt,
       (SELECT d.next_attempt_at FROM delivery d INDEXED BY delivery_deferred WHERE d.mailing_id = @mailing AND d.state = 'deferred'
        AND d.domain_id NOT IN (SELECT a.domain_id FROM alarm a WHERE a.mailing_id = @mailing AND a.stopped_at IS NOT NULL)
        ORDER BY d.next_attempt_at DESC LIMIT 1) AS LastAttemptAt,
       EXISTS (SELECT 1 FROM alarm a WHERE a.mailing_id = @mailing AND a.stopped_at IS NOT NULL) AS Stopped;

-- name: NextAttempt
SELECT d.next_attempt_at FROM delivery d INDEXED BY delivery_deferred
WHERE d.mailing_id = @mailing AND d.state = 'deferred'
  AND d.domain_id NOT IN (SELECT a.domain_id FROM alarm a WHERE a.mailing_id = @mailing AND a.stopped_at IS NOT NULL)
ORDER BY d.next_attempt_at LIMIT 1;

-- name: Alarms
-- Stopped ones first.
SELECT n.name AS Domain, a.domain_id AS DomainId, a.refusals AS Refusals, a.in_a_row AS InARow, a.reply AS Reply,
       a.first_at AS FirstAt, a.last_at AS LastAt, a.stopped_at AS StoppedAt
FROM alarm a CROSS JOIN domain n ON n.id = a.domain_id
WHERE a.mailing_id = @mailing
ORDER BY a.stopped_at IS NULL, a.refusals DESC, n.name
LIMIT @count;

-- name: Waiting
-- How many rows of each stopped domain wait: one walk of everything that is open, however many are stopped.
SELECT w.domain_id AS Domain, count(*) AS Rows FROM (
    SELECT d.domain_id FROM delivery d INDEXED BY delivery_pending
    WHERE d.mailing_id = @mailing AND d.state = 'pending' AND d.domain_id IN (SELECT a.domain_id FROM alarm a WHERE a.mailing_id = @mailing AND a.stopped_at IS NOT NULL)
    UNION ALL
    SELECT d.domain_id FROM delivery d INDEXED BY delivery_deferred
    WHERE d.mailing_id = @mailing AND d.state = 'deferred' AND d.domain_id IN (SELECT a.domain_id FROM alarm a WHERE a.mailing_id = @mailing AND a.stopped_at IS NOT NULL)) w
GROUP BY w.domain_id;

-- name: LeftAlone
-- The same for all of them together, without sorting them by domain.
SELECT (SELECT count(*) FROM delivery d INDEXED BY delivery_pending
        WHERE d.mailing_id = @mailing AND d.state = 'pending' AND d.domain_id IN (SELECT a.domain_id FROM alarm a WHERE a.mailing_id = @mailing AND a.stopped_at IS NOT NULL))
     + (SELECT count(*) FROM delivery d INDEXED BY delivery_deferred
        WHERE d.mailing_id = @mailing AND d.state = 'deferred' AND d.domain_id IN (SELECT a.domain_id FROM alarm a WHERE a.mailing_id = @mailing AND a.stopped_at IS NOT NULL));

-- name: DomainIds
SELECT n.id, n.name FROM domain n WHERE n.name IN (SELECT value FROM json_each(@names));

-- name: OpenRows
-- How many rows of each of these domains are open, stopped ones apart: one walk of everything that is open, however many they are. Rows that are
-- held are a few hundred. One statement is one snapshot. Measured: a million pending rows take 0.1 s, and 0.6 s where all are of a thousand such domains.
WITH wanted AS MATERIALIZED (
    SELECT value AS id FROM json_each(@ids) EXCEPT SELECT a.domain_id FROM alarm a WHERE a.mailing_id = @mailing AND a.stopped_at IS NOT NULL)
SELECT w.domain_id AS DomainId, count(*) FILTER (WHERE w.state = 0) AS Pending, count(*) FILTER (WHERE w.state = 1) AS Held, count(*) FILTER (WHERE w.state = 2) AS Deferred FROM (
    SELECT d.domain_id, 0 AS state FROM delivery d INDEXED BY delivery_pending
    WHERE d.mailing_id = @mailing AND d.state = 'pending' AND d.domain_id IN (SELECT id FROM wanted)
    UNION ALL
    SELECT d.domain_id, 1 FROM delivery d INDEXED BY delivery_held
    WHERE d.mailing_id = @mailing AND d.state IN ('claimed', 'sending') AND d.domain_id IN (SELECT id FROM wanted)
    UNION ALL
    SELECT d.domain_id, 2 FROM delivery d INDEXED BY delivery_deferred
    WHERE d.mailing_id = @mailing AND d.state = 'deferred' AND d.domain_id IN (SELECT id FROM wanted)) w
GROUP BY w.domain_id;

-- name: LiftStops
UPDATE alarm SET stopped_at = NULL, in_a_row = 0 WHERE mailing_id = @mailing AND stopped_at IS NOT NULL;

-- name: NoteUnsubscribed
UPDATE delivery SET unsubscribed_at = coalesce(unsubscribed_at, @at) WHERE mailing_id = @mailing AND subscriber_id = @subscriber;

-- name: AddSecret
INSERT INTO secret (name, value) VALUES (@name, @value) ON CONFLICT (name) DO NOTHING;

-- name: SecretNames
SELECT name FROM secret ORDER BY name;

-- name: Secret
SELECT value FROM secret WHERE name = @name;
