-- The deliveries table. Every change names the state and the stamp the writer saw: a row that moved on is left alone.

-- name: MailingState
-- Read inside the writing transaction, so it holds until the commit.
SELECT state, started_at FROM mailing WHERE id = @mailing;

-- name: NoteStarted
UPDATE mailing SET started_at = @now WHERE id = @mailing AND started_at IS NULL;

-- name: ClaimCandidates
-- Due deferred rows first: they are few, and a million pending ones must not keep them waiting for hours. Both halves walk a
-- partial index and stop at the limit; left to itself, the planner takes the primary key and walks past every row sent so far.
-- Whether the subscriber is still to be mailed is read in the same transaction as the claim.
SELECT d.subscriber_id, d.stamp, d.attempts, d.first_attempt_at,
       s.address, s.name, s.attributes, s.status,
       (SELECT x.reason FROM suppression x WHERE x.address = s.address) AS suppressed,
       (SELECT group_concat(l.name, ' ') FROM membership m JOIN list l ON l.id = m.list_id WHERE m.subscriber_id = s.id) AS lists,
       d.resent
FROM (
    SELECT * FROM (
        SELECT subscriber_id, stamp, attempts, first_attempt_at, resent FROM delivery INDEXED BY delivery_deferred
        WHERE mailing_id = @mailing AND state = 'deferred' AND next_attempt_at <= @now
        ORDER BY next_attempt_at LIMIT @count)
    UNION ALL
    SELECT * FROM (
        SELECT subscriber_id, stamp, attempts, first_attempt_at, resent FROM delivery INDEXED BY delivery_pending
        WHERE mailing_id = @mailing AND state = 'pending'
        ORDER BY subscriber_id LIMIT @count)
    LIMIT @count
) d
CROSS JOIN subscriber s ON s.id = d.subscriber_id;

-- name: Claim
UPDATE delivery
SET state = 'claimed', stamp = stamp + 1, owner = @owner, lease_until = @lease, next_attempt_at = NULL, updated_at = @now
WHERE mailing_id = @mailing AND subscriber_id = @subscriber AND state IN ('pending', 'deferred');

-- name: Suppress
-- The subscriber left between publishing and sending; nothing of this row is out.
UPDATE delivery
SET state = 'suppressed', owner = NULL, lease_until = NULL, next_attempt_at = NULL, reply = @reply, updated_at = @now
WHERE mailing_id = @mailing AND subscriber_id = @subscriber AND state IN ('pending', 'deferred', 'claimed');

-- name: Begin
-- The mark before DATA. It asks once more whether the mailing goes on and the subscriber is still there: from this commit on the
-- message may be out, so a pause, a cancellation or an unsubscription committed before it wins.
UPDATE delivery
SET state = 'sending', attempts = attempts + @counted, reply = coalesce(@reply, reply), updated_at = @now,
    first_attempt_at = CASE WHEN @counted = 1 THEN coalesce(first_attempt_at, @now) ELSE first_attempt_at END
WHERE mailing_id = @mailing AND subscriber_id = @subscriber AND state = 'claimed' AND stamp = @stamp
  AND EXISTS (SELECT 1 FROM mailing m WHERE m.id = @mailing AND m.state = 'sending')
  AND EXISTS (SELECT 1 FROM subscriber s WHERE s.id = @subscriber AND s.status = 'active'
              AND NOT EXISTS (SELECT 1 FROM suppression x WHERE x.address = s.address));

-- name: WhyNotBegun
-- Asked only when Begin changed nothing: no row here means that the row is not the writer's any more.
SELECT m.state, s.status, (SELECT x.reason FROM suppression x WHERE x.address = s.address) AS suppressed
FROM delivery d JOIN mailing m ON m.id = d.mailing_id JOIN subscriber s ON s.id = d.subscriber_id
WHERE d.mailing_id = @mailing AND d.subscriber_id = @subscriber AND d.state = 'claimed' AND d.stamp = @stamp;

-- name: GiveBack
UPDATE delivery SET state = 'pending', owner = NULL, lease_until = NULL, updated_at = @now
WHERE mailing_id = @mailing AND subscriber_id = @subscriber AND state = 'claimed' AND stamp = @stamp;

-- name: Transition
-- Every change but Begin ends the hold on the row.
UPDATE delivery
SET state = @to, owner = NULL, lease_until = NULL, next_attempt_at = @next, attempts = attempts + @counted,
    reply = coalesce(@reply, reply), updated_at = @now,
    first_attempt_at = CASE WHEN @counted = 1 THEN coalesce(first_attempt_at, @now) ELSE first_attempt_at END,
    resent = CASE WHEN @from = 'uncertain' AND @to = 'pending' THEN resent + 1 ELSE resent END
WHERE mailing_id = @mailing AND subscriber_id = @subscriber AND state = @from AND stamp = @stamp;

-- name: Renew
UPDATE delivery SET lease_until = @lease WHERE owner = @owner AND state IN ('claimed', 'sending');

-- name: Holders
SELECT owner AS Owner, max(lease_until) AS LeaseUntil, count(*) AS Rows FROM delivery
WHERE state IN ('claimed', 'sending') GROUP BY owner ORDER BY owner;

-- name: Release
-- Claimed and not begun: nothing is out, whatever became of the owner. (The state is named twice so that the partial index applies.)
UPDATE delivery SET state = 'pending', owner = NULL, lease_until = NULL, updated_at = @now
WHERE owner = @owner AND state IN ('claimed', 'sending') AND state = 'claimed';

-- name: LoseTrack
-- Begun and not answered: only the relay knows. The attempt is counted here because the answer, which counts it otherwise, never came;
-- updated_at still holds when it began.
UPDATE delivery
SET state = 'uncertain', owner = NULL, lease_until = NULL, reply = @reply, attempts = attempts + 1,
    first_attempt_at = coalesce(first_attempt_at, updated_at), updated_at = @now
WHERE owner = @owner AND state IN ('claimed', 'sending') AND state = 'sending';

-- name: SendAgain
-- As LoseTrack, for an installation that sends again by itself, once: through uncertain to pending in one step. It comes before
-- LoseTrack, which takes the rest. Where nothing is sent any more, the row says what is known of the copy that may be out: uncertain.
UPDATE delivery
SET state = 'pending', owner = NULL, lease_until = NULL, reply = @reply, attempts = attempts + 1, resent = resent + 1,
    first_attempt_at = coalesce(first_attempt_at, updated_at), updated_at = @now
WHERE owner = @owner AND state IN ('claimed', 'sending') AND state = 'sending' AND resent = 0
  AND EXISTS (SELECT 1 FROM mailing m WHERE m.id = delivery.mailing_id AND m.state <> 'cancelled')
  AND EXISTS (SELECT 1 FROM subscriber s WHERE s.id = delivery.subscriber_id AND s.status = 'active'
              AND NOT EXISTS (SELECT 1 FROM suppression x WHERE x.address = s.address));

-- name: RowsInState
-- Read without a lock: going through a million rows for a few failed ones must not hold the senders up.
SELECT subscriber_id FROM delivery
WHERE mailing_id = @mailing AND state = @state AND subscriber_id > @after
ORDER BY subscriber_id LIMIT @count;

-- name: Reconsider
-- The editor has an uncertain or a failed row sent (again). Giving up counts from the next attempt; a failed row also starts anew with
-- its waits. Who has left stays as the row is: it says what is known of the copy that may have gone out.
UPDATE delivery
SET state = @to, next_attempt_at = NULL, first_attempt_at = NULL, updated_at = @now,
    attempts = CASE WHEN state = 'failed' THEN 0 ELSE attempts END,
    resent = CASE WHEN state = 'uncertain' THEN resent + 1 ELSE resent END
WHERE mailing_id = @mailing AND subscriber_id = @subscriber AND state = @from
  AND EXISTS (SELECT 1 FROM subscriber s WHERE s.id = @subscriber AND s.status = 'active'
              AND NOT EXISTS (SELECT 1 FROM suppression x WHERE x.address = s.address));

-- name: Confirm
-- The editor says that an uncertain one arrived.
UPDATE delivery SET state = @to, reply = @reply, updated_at = @now
WHERE mailing_id = @mailing AND subscriber_id = @subscriber AND state = @from;

-- name: IsInState
SELECT 1 FROM delivery WHERE mailing_id = @mailing AND subscriber_id = @subscriber AND state = @from;
