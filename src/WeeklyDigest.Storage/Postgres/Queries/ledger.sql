-- The deliveries table. Every change names the state and the stamp the writer saw: a row that moved on is left alone.
-- PostgreSQL has no hint for an index, but it knows that a partial index answers its own condition; the plans are tested.

-- name: MailingState
SELECT state, started_at FROM mailing WHERE id = @mailing;

-- name: NoteStarted
UPDATE mailing SET started_at = @now WHERE id = @mailing AND started_at IS NULL;

-- name: DueRows
-- Nothing but the index is walked: rows whose domain has no room now are passed by, and there may be very many of them.
SELECT subscriber_id AS Id, domain_id AS Domain FROM delivery
WHERE mailing_id = @mailing AND state = 'deferred' AND next_attempt_at <= @now
ORDER BY next_attempt_at LIMIT @count;

-- name: PendingRows
-- @after: where the last claim of this process ended. A row that is not pending any more stays in the index until the next vacuum,
-- and a claim that began at the front would step over all of them again: at a million, half a second instead of a millisecond.
SELECT subscriber_id AS Id, domain_id AS Domain FROM delivery
WHERE mailing_id = @mailing AND state = 'pending' AND subscriber_id > @after
ORDER BY subscriber_id LIMIT @count;

-- name: ClaimCandidates
-- Those found a moment ago; what another node is taking at this moment is stepped over instead of waited for.
WITH found AS MATERIALIZED (
    SELECT subscriber_id, domain_id, stamp, attempts, first_attempt_at, next_attempt_at, resent FROM delivery
    WHERE mailing_id = @mailing AND subscriber_id = ANY(@subscribers) AND state IN ('pending', 'deferred')
    FOR NO KEY UPDATE SKIP LOCKED
)
SELECT d.subscriber_id AS Id, d.domain_id AS DomainId, d.stamp AS Stamp, d.attempts AS Attempts, d.first_attempt_at AS FirstAttemptAt,
       s.address AS Address, s.name AS Name, s.attributes AS Attributes, s.status AS Status,
       (SELECT x.reason FROM suppression x WHERE x.address = s.address) AS Suppressed,
       d.resent AS Resent
FROM found d
JOIN subscriber s ON s.id = d.subscriber_id
ORDER BY d.next_attempt_at NULLS LAST, d.subscriber_id;

-- name: Claim
UPDATE delivery
SET state = 'claimed', stamp = stamp + 1, owner = @owner, lease_until = clock_ms() + @lease, next_attempt_at = NULL, updated_at = @now
WHERE mailing_id = @mailing AND subscriber_id = ANY(@subscribers) AND state IN ('pending', 'deferred');

-- name: Postpone
-- Deferred rows that are due, while their domains have no room and so many others of such domains are due that they hide the rest.
UPDATE delivery d SET next_attempt_at = w.next, updated_at = @now
FROM unnest(@subscribers, @nexts) AS w (subscriber_id, next)
WHERE d.mailing_id = @mailing AND d.subscriber_id = w.subscriber_id AND d.state = 'deferred';

-- name: Suppress
-- The subscriber left between publishing and sending; nothing of these rows is out: one that was to be sent again is for AbandonRows. Of those that are sending only
-- their sender asks, in Begin. Each looks again, for who was seen to have left may be back: these rows stay as they are.
UPDATE delivery d
SET state = 'suppressed', owner = NULL, lease_until = NULL, next_attempt_at = NULL, reply = w.reply, updated_at = @now
FROM unnest(@mailings, @subscribers, @replies, @numbers) AS w (mailing_id, subscriber_id, reply, number)
JOIN subscriber s ON s.id = w.subscriber_id
LEFT JOIN suppression x ON x.address = s.address
WHERE d.mailing_id = w.mailing_id AND d.subscriber_id = w.subscriber_id AND d.state IN ('pending', 'deferred', 'claimed', 'sending') AND d.resent = 0
  AND (s.status <> 'active' OR x.address IS NOT NULL)
RETURNING w.number;

-- name: AbandonRows
-- They wait to be sent again and never will be: the mailing is cancelled, or the subscriber has left. Nothing of the further copy is out, and
-- whether the one before arrived is as unknown as it was. Asked behind each change that makes rows wait, and before Suppress.
UPDATE delivery d
SET state = 'uncertain', owner = NULL, lease_until = NULL, next_attempt_at = NULL, resent = d.resent - 1, updated_at = w.at
FROM unnest(@mailings, @subscribers, @stamps, @times, @numbers) AS w (mailing_id, subscriber_id, stamp, at, number)
JOIN mailing m ON m.id = w.mailing_id
JOIN subscriber s ON s.id = w.subscriber_id
LEFT JOIN suppression x ON x.address = s.address
WHERE d.mailing_id = w.mailing_id AND d.subscriber_id = w.subscriber_id AND d.stamp = w.stamp
  AND d.state IN ('pending', 'deferred', 'claimed', 'sending') AND d.resent > 0
  AND (m.state = 'cancelled' OR s.status <> 'active' OR x.address IS NOT NULL)
RETURNING w.number, d.state;

-- name: FailUnreadable
-- What stands as their addresses is none. Through claimed to failed in one step: nobody can try them.
UPDATE delivery d
SET state = 'failed', stamp = d.stamp + 1, owner = NULL, lease_until = NULL, next_attempt_at = NULL, reply = w.reply, updated_at = @now
FROM unnest(@mailings, @subscribers, @replies) AS w (mailing_id, subscriber_id, reply)
WHERE d.mailing_id = w.mailing_id AND d.subscriber_id = w.subscriber_id AND d.state IN ('pending', 'deferred');

-- name: Begin
-- The mark before DATA, for a group. It asks once more whether the mailing goes on and the subscriber is still there. Where the relay took its
-- time and nothing is out yet, the sender makes the mark once more.
UPDATE delivery d
SET state = 'sending', attempts = d.attempts + w.counted, reply = coalesce(w.reply, d.reply), updated_at = w.at,
    first_attempt_at = CASE WHEN w.counted = 1 THEN coalesce(d.first_attempt_at, w.at) ELSE d.first_attempt_at END
FROM unnest(@mailings, @subscribers, @stamps, @counts, @replies, @times, @numbers) AS w (mailing_id, subscriber_id, stamp, counted, reply, at, number)
JOIN mailing m ON m.id = w.mailing_id AND m.state = 'sending'
JOIN subscriber s ON s.id = w.subscriber_id AND s.status = 'active'
WHERE d.mailing_id = w.mailing_id AND d.subscriber_id = w.subscriber_id AND d.state IN ('claimed', 'sending') AND d.stamp = w.stamp
  AND NOT EXISTS (SELECT 1 FROM suppression x WHERE x.address = s.address)
RETURNING w.number, d.state;

-- name: Transition
-- Every change but Begin ends the hold on the row. A final answer may come late, when whoever waited for it was given up: as long as nobody has
-- claimed the row since (the stamp), it takes the place of "uncertain", or of sending again, and its attempt is counted already.
UPDATE delivery d
SET state = w.new, owner = NULL, lease_until = NULL, next_attempt_at = w.next,
    attempts = d.attempts + CASE WHEN d.state = w.old THEN w.counted ELSE 0 END,
    reply = coalesce(w.reply, d.reply), updated_at = w.at,
    first_attempt_at = CASE WHEN w.counted = 1 THEN coalesce(d.first_attempt_at, w.at) ELSE d.first_attempt_at END,
    resent = CASE WHEN w.old = 'uncertain' AND w.new = 'pending' THEN d.resent + 1 WHEN d.state = 'pending' THEN greatest(d.resent - 1, 0) ELSE d.resent END
FROM unnest(@mailings, @subscribers, @stamps, @counts, @replies, @times, @numbers, @olds, @news, @nexts)
    AS w (mailing_id, subscriber_id, stamp, counted, reply, at, number, old, new, next)
WHERE d.mailing_id = w.mailing_id AND d.subscriber_id = w.subscriber_id AND d.stamp = w.stamp
  AND (d.state = w.old OR (w.old = 'sending' AND w.new IN ('sent', 'failed') AND d.state IN ('uncertain', 'pending')))
RETURNING w.number, d.state;

-- name: NoteRefusals
-- What follows from refusals beside the deliveries' failure. Only for rows that failed under the writer's stamp and were not noted before.
-- A mailbox is suppressed when the two issues before this one that it had a say in were refused so too: read from the ledger, when a refusal
-- comes, a key lookup for each mailing back. A subscriber whom an import holds keeps the status; the suppression is what counts.
WITH noted AS (
    UPDATE delivery d SET refusal = w.refusal
    FROM unnest(@mailings, @subscribers, @stamps, @refusals, @relays, @stops) AS w (mailing_id, subscriber_id, stamp, refusal, relay, stops)
    WHERE d.mailing_id = w.mailing_id AND d.subscriber_id = w.subscriber_id AND d.state = 'failed' AND d.stamp = w.stamp AND d.refusal IS NULL
    RETURNING d.mailing_id, d.subscriber_id, d.stamp, d.domain_id, d.refusal, d.reply, d.updated_at, w.relay, w.stops
), doubted AS (
    INSERT INTO relay_doubt (relay, mailing_id, subscriber_id, stamp, at)
    SELECT n.relay, n.mailing_id, n.subscriber_id, n.stamp, n.updated_at FROM noted n WHERE n.relay IS NOT NULL
    ON CONFLICT (relay, mailing_id, subscriber_id) DO UPDATE SET stamp = excluded.stamp, at = excluded.at, pardoned = 0
), gone AS (
    SELECT n.subscriber_id, n.reply, n.updated_at FROM noted n
    WHERE n.refusal = 'address' OR (n.refusal = 'mailbox' AND @others <= (
        SELECT count(*) FROM (
            SELECT b.state FROM mailing m JOIN delivery b ON b.mailing_id = m.id AND b.subscriber_id = n.subscriber_id
            WHERE m.id < n.mailing_id AND (b.state = 'sent' OR (b.state = 'failed' AND b.refusal = 'mailbox'))
            ORDER BY m.id DESC LIMIT 2) earlier
        WHERE earlier.state = 'failed'))
), suppressed AS (
    INSERT INTO suppression (address, reason, source, at)
    SELECT s.address, 'bounced', 'refused by the relay: ' || coalesce(g.reply, ''), g.updated_at
    FROM gone g JOIN subscriber s ON s.id = g.subscriber_id
    ON CONFLICT (address) DO NOTHING
), bounced AS (
    UPDATE subscriber s SET status = 'bounced', updated_at = g.updated_at
    FROM gone g
    WHERE s.id = g.subscriber_id AND s.status IN ('pending', 'active')
      AND s.id IN (SELECT f.id FROM subscriber f WHERE f.id IN (SELECT subscriber_id FROM gone) FOR NO KEY UPDATE SKIP LOCKED)
)
INSERT INTO alarm (mailing_id, domain_id, refusals, in_a_row, reply, first_at, last_at, stopped_at)
SELECT n.mailing_id, n.domain_id, count(*), count(*), coalesce((array_agg(n.reply ORDER BY n.updated_at DESC))[1], ''), min(n.updated_at), max(n.updated_at),
       CASE WHEN count(*) >= @limit OR bool_or(n.stops) THEN max(n.updated_at) END
FROM noted n WHERE n.refusal = 'policy'
GROUP BY n.mailing_id, n.domain_id
ORDER BY n.mailing_id, n.domain_id
ON CONFLICT (mailing_id, domain_id) DO UPDATE
SET refusals = alarm.refusals + excluded.refusals, in_a_row = alarm.in_a_row + excluded.in_a_row, reply = excluded.reply, last_at = excluded.last_at,
    stopped_at = coalesce(alarm.stopped_at, excluded.stopped_at, CASE WHEN alarm.in_a_row + excluded.in_a_row >= @limit THEN excluded.last_at END);

-- name: EndRefusals
-- The domain has accepted a message; a stop stays until the editor lifts it.
UPDATE alarm a SET in_a_row = 0
FROM unnest(@mailings, @subscribers, @stamps) AS w (mailing_id, subscriber_id, stamp)
JOIN delivery d ON d.mailing_id = w.mailing_id AND d.subscriber_id = w.subscriber_id AND d.stamp = w.stamp AND d.state = 'sent'
WHERE a.mailing_id = d.mailing_id AND a.domain_id = d.domain_id AND a.stopped_at IS NULL;

-- name: StoppedDomains
SELECT domain_id FROM alarm WHERE mailing_id = @mailing AND stopped_at IS NOT NULL;

-- name: IsOverdue
-- An owner is the process and, behind the last /, its mailing; what each process noted last is a row of few. While one of them gets on, so does the mailing.
SELECT count(*) FROM mailing
WHERE id = @mailing AND state = 'sending'
  AND greatest(coalesce(resumed_at, 0), coalesce(started_at, scheduled_at, created_at)) <= @before
  AND NOT EXISTS (SELECT 1 FROM sent_by WHERE noted_at > @before AND owner LIKE '%/' || @mailing::text);

-- name: GiveUp
UPDATE delivery SET state = 'failed', reply = @reply || CASE WHEN resent > 0 THEN @note ELSE '' END, updated_at = @now
WHERE mailing_id = @mailing AND state = 'pending' AND subscriber_id = ANY(ARRAY(
    SELECT subscriber_id FROM delivery
    WHERE mailing_id = @mailing AND state = 'pending' AND attempts = 0
    ORDER BY subscriber_id LIMIT @count FOR NO KEY UPDATE SKIP LOCKED));

-- name: CutWaits
-- Deferred by a node whose clock was ahead: not to the present, for whoever has the longer waits of two nodes with different settings would defer them at once
-- again. A node whose own clock differs from ours by more than a minute leaves it to the others: one that is behind would cut what is right. Mailings are few,
-- and of each the end of an index is walked. By their places, since they are locked there: a join would be planned for a third of all that is deferred.
UPDATE delivery SET next_attempt_at = @latest, updated_at = @now
WHERE state = 'deferred' AND ctid = ANY(ARRAY(
    SELECT w.place FROM mailing m
    CROSS JOIN LATERAL (
        SELECT d.ctid AS place FROM delivery d
        WHERE d.mailing_id = m.id AND d.state = 'deferred' AND d.next_attempt_at > @latest
        ORDER BY d.next_attempt_at DESC LIMIT @count FOR NO KEY UPDATE SKIP LOCKED) w
    -- Asked in a query of its own: once, and before anything is locked.
    WHERE m.state = 'sending' AND (SELECT abs(clock_ms() - @now) <= 60000)));

-- name: Unwritten
-- Asked only about changes that changed nothing. No row: there is no such delivery.
SELECT w.number AS Number, d.state AS State, d.stamp AS Stamp, m.state AS Mailing, s.status AS Status,
       (SELECT x.reason FROM suppression x WHERE x.address = s.address) AS Suppressed
FROM unnest(@mailings, @subscribers, @numbers) AS w (mailing_id, subscriber_id, number)
JOIN delivery d ON d.mailing_id = w.mailing_id AND d.subscriber_id = w.subscriber_id
JOIN mailing m ON m.id = d.mailing_id
JOIN subscriber s ON s.id = d.subscriber_id
FOR NO KEY UPDATE OF d;

-- name: GiveBack
UPDATE delivery d SET state = 'pending', owner = NULL, lease_until = NULL, updated_at = @now
FROM unnest(@mailings, @subscribers) AS w (mailing_id, subscriber_id)
WHERE d.mailing_id = w.mailing_id AND d.subscriber_id = w.subscriber_id AND d.state IN ('claimed', 'sending');

-- name: Renew
UPDATE delivery SET lease_until = clock_ms() + @lease WHERE owner = @owner AND state IN ('claimed', 'sending');

-- name: Holders
-- What is left of each lease, in milliseconds.
SELECT owner AS Owner, max(lease_until) - clock_ms() AS LeaseLeft, count(*) AS Rows FROM delivery
WHERE state IN ('claimed', 'sending') GROUP BY owner ORDER BY owner;

-- name: NoteSent
INSERT INTO sent_by (owner, sent, since, noted_at) VALUES (@owner, @sent, @since, @now)
ON CONFLICT (owner) DO UPDATE SET sent = excluded.sent, noted_at = excluded.noted_at;

-- name: DropSentNotes
-- A row per process and mailing: few.
DELETE FROM sent_by WHERE noted_at < @before;

-- name: SentNotes
SELECT owner AS Owner, sent AS Sent, since AS Since, noted_at AS NotedAt FROM sent_by ORDER BY owner;

-- name: Sending
-- (The state is named twice so that the partial index applies.)
SELECT mailing_id AS MailingId, subscriber_id AS SubscriberId, stamp AS Stamp, attempts AS Attempts, first_attempt_at AS FirstAttemptAt, resent AS Resent
FROM delivery
WHERE owner = @owner AND state IN ('claimed', 'sending') AND state = 'sending'
ORDER BY mailing_id, subscriber_id;

-- name: LockOwned
-- Locks an owner's rows, then says until when it had them; nothing while its lease lasts. A renewal that is under way is waited for, and seen.
WITH held AS MATERIALIZED (
    SELECT lease_until FROM delivery WHERE owner = @owner AND state IN ('claimed', 'sending') FOR NO KEY UPDATE
)
SELECT CASE WHEN max(lease_until) <= clock_ms() THEN max(lease_until) END FROM held;

-- name: AbandonClaimed
-- Before Release, which takes the rest: what AbandonRows is for a dead owner's rows of cancelled mailings.
-- @until: the end of the lease that is over, here and below; what the owner has claimed since has a later one.
UPDATE delivery d SET state = 'uncertain', owner = NULL, lease_until = NULL, resent = resent - 1, updated_at = @now
WHERE owner = @owner AND state IN ('claimed', 'sending') AND lease_until <= @until AND state = 'claimed' AND resent > 0
  AND EXISTS (SELECT 1 FROM mailing m WHERE m.id = d.mailing_id AND m.state = 'cancelled');

-- name: Release
-- Claimed and not begun: nothing is out, whatever became of the owner. (The state is named twice so that the partial index applies.)
UPDATE delivery SET state = 'pending', owner = NULL, lease_until = NULL, updated_at = @now
WHERE owner = @owner AND state IN ('claimed', 'sending') AND lease_until <= @until AND state = 'claimed';

-- name: LoseTrack
-- Begun and not answered: only the relay knows. The attempt is counted here because the answer, which counts it otherwise, never came;
-- updated_at still holds when it began.
UPDATE delivery
SET state = 'uncertain', owner = NULL, lease_until = NULL, reply = @reply, attempts = attempts + 1,
    first_attempt_at = coalesce(first_attempt_at, updated_at), updated_at = @now
WHERE owner = @owner AND state IN ('claimed', 'sending') AND lease_until <= @until AND state = 'sending';

-- name: SendAgain
-- As LoseTrack, for an installation that sends again by itself, once: through uncertain to pending in one step. It comes before
-- LoseTrack, which takes the rest. Where nothing is sent any more, the row says what is known of the copy that may be out: uncertain.
UPDATE delivery d
SET state = 'pending', owner = NULL, lease_until = NULL, reply = @reply, attempts = attempts + 1, resent = resent + 1,
    first_attempt_at = coalesce(first_attempt_at, updated_at), updated_at = @now
WHERE owner = @owner AND state IN ('claimed', 'sending') AND lease_until <= @until AND state = 'sending' AND resent = 0
  AND EXISTS (SELECT 1 FROM mailing m WHERE m.id = d.mailing_id AND m.state <> 'cancelled')
  AND EXISTS (SELECT 1 FROM subscriber s WHERE s.id = d.subscriber_id AND s.status = 'active'
              AND NOT EXISTS (SELECT 1 FROM suppression x WHERE x.address = s.address));

-- name: RowsInState
SELECT subscriber_id FROM delivery
WHERE mailing_id = @mailing AND state = @from AND subscriber_id > @after
ORDER BY subscriber_id LIMIT @count;

-- name: Reconsider
-- The editor has uncertain or failed rows sent (again). Giving up counts from the next attempt; a failed row also starts anew with
-- its waits. Who has left stays as the row is: it says what is known of the copy that may have gone out.
UPDATE delivery d
SET state = @to, next_attempt_at = NULL, first_attempt_at = NULL, refusal = NULL, updated_at = @now,
    attempts = CASE WHEN state = 'failed' THEN 0 ELSE attempts END,
    resent = CASE WHEN state = 'uncertain' THEN resent + 1 ELSE resent END
WHERE mailing_id = @mailing AND subscriber_id = ANY(@subscribers) AND state = @from
  AND EXISTS (SELECT 1 FROM subscriber s WHERE s.id = d.subscriber_id AND s.status = 'active'
              AND NOT EXISTS (SELECT 1 FROM suppression x WHERE x.address = s.address));

-- name: Confirm
-- The editor says that uncertain ones arrived.
UPDATE delivery SET state = @to, reply = @reply, updated_at = @now
WHERE mailing_id = @mailing AND subscriber_id = ANY(@subscribers) AND state = @from;

-- name: CountInState
-- And how many of those who stay out bounced and have not left: adding the address brings it back.
SELECT count(*), count(*) FILTER (WHERE s.status IN ('active', 'bounced') AND coalesce(x.reason, 'bounced') = 'bounced')
FROM delivery d LEFT JOIN subscriber s ON s.id = d.subscriber_id LEFT JOIN suppression x ON x.address = s.address
WHERE d.mailing_id = @mailing AND d.subscriber_id = ANY(@subscribers) AND d.state = @from;
