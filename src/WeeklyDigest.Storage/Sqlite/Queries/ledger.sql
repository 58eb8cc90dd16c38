-- The deliveries table. Every change names the state and the stamp the writer saw: a row that moved on is left alone.

-- name: MailingState
-- Read inside the writing transaction, so it holds until the commit.
SELECT state, started_at FROM mailing WHERE id = @mailing;

-- name: NoteStarted
UPDATE mailing SET started_at = @now WHERE id = @mailing AND started_at IS NULL;

-- name: DueRows
-- Nothing but the index is walked: rows whose domain has no room now are passed by, and there may be very many of them.
SELECT subscriber_id, domain_id FROM delivery INDEXED BY delivery_deferred
WHERE mailing_id = @mailing AND state = 'deferred' AND next_attempt_at <= @now
ORDER BY next_attempt_at LIMIT @count;

-- name: PendingRows
-- In the order of the table, so that neighbours change together: claimed in the order of domains, every row would be a page of its own to
-- write. Left to itself, the planner takes the primary key and walks past every row sent so far.
SELECT subscriber_id, domain_id FROM delivery INDEXED BY delivery_pending
WHERE mailing_id = @mailing AND state = 'pending' AND subscriber_id > @after
ORDER BY subscriber_id LIMIT @count;

-- name: ClaimCandidate
-- Whether the subscriber is still to be mailed is read in the same transaction as the claim.
SELECT d.stamp, d.attempts, d.first_attempt_at, d.resent, d.domain_id, s.address, s.name, s.attributes, s.status,
       (SELECT x.reason FROM suppression x WHERE x.address = s.address) AS suppressed
FROM delivery d CROSS JOIN subscriber s ON s.id = d.subscriber_id
WHERE d.mailing_id = @mailing AND d.subscriber_id = @subscriber;

-- name: Claim
UPDATE delivery
SET state = 'claimed', stamp = stamp + 1, owner = @owner, lease_until = @lease, next_attempt_at = NULL, updated_at = @now
WHERE mailing_id = @mailing AND subscriber_id = @subscriber AND state IN ('pending', 'deferred');

-- name: Postpone
-- A deferred row that is due, while its domain has no room and so many others of such domains are due that they hide the rest.
UPDATE delivery SET next_attempt_at = @next, updated_at = @now
WHERE mailing_id = @mailing AND subscriber_id = @subscriber AND state = 'deferred';

-- name: Suppress
-- The subscriber left between publishing and sending; nothing of this row is out, for AbandonRow comes before it. One that is sending only its sender asks about, in Begin.
UPDATE delivery
SET state = 'suppressed', owner = NULL, lease_until = NULL, next_attempt_at = NULL, reply = @reply, updated_at = @now
WHERE mailing_id = @mailing AND subscriber_id = @subscriber AND state IN ('pending', 'deferred', 'claimed', 'sending');

-- name: AbandonRow
-- It waits to be sent again and never will be: the mailing is cancelled, or the subscriber has left. Nothing of the further copy is out, and
-- whether the one before arrived is as unknown as it was. Asked behind each change that makes a row wait, and before Suppress.
UPDATE delivery
SET state = 'uncertain', owner = NULL, lease_until = NULL, next_attempt_at = NULL, resent = resent - 1, updated_at = @now
WHERE mailing_id = @mailing AND subscriber_id = @subscriber AND state IN ('pending', 'deferred', 'claimed', 'sending') AND resent > 0
  AND (EXISTS (SELECT 1 FROM mailing m WHERE m.id = @mailing AND m.state = 'cancelled')
    OR NOT EXISTS (SELECT 1 FROM subscriber s WHERE s.id = @subscriber AND s.status = 'active'
                   AND NOT EXISTS (SELECT 1 FROM suppression x WHERE x.address = s.address)));

-- name: FailUnreadable
-- What stands as the address is none. Through claimed to failed in one step: nobody can try it.
UPDATE delivery
SET state = 'failed', stamp = stamp + 1, owner = NULL, lease_until = NULL, next_attempt_at = NULL, reply = @reply, updated_at = @now
WHERE mailing_id = @mailing AND subscriber_id = @subscriber AND state IN ('pending', 'deferred');

-- name: Begin
-- The mark before DATA. It asks once more whether the mailing goes on and the subscriber is still there: from this commit on the
-- message may be out, so a pause, a cancellation or an unsubscription committed before it wins. Where the relay took its time and
-- nothing is out yet, the sender makes the mark once more.
UPDATE delivery
SET state = 'sending', attempts = attempts + @counted, reply = coalesce(@reply, reply), updated_at = @now,
    first_attempt_at = CASE WHEN @counted = 1 THEN coalesce(first_attempt_at, @now) ELSE first_attempt_at END
WHERE mailing_id = @mailing AND subscriber_id = @subscriber AND state IN ('claimed', 'sending') AND stamp = @stamp
  AND EXISTS (SELECT 1 FROM mailing m WHERE m.id = @mailing AND m.state = 'sending')
  AND EXISTS (SELECT 1 FROM subscriber s WHERE s.id = @subscriber AND s.status = 'active'
              AND NOT EXISTS (SELECT 1 FROM suppression x WHERE x.address = s.address));

-- name: WhyNotBegun
-- Asked only when Begin changed nothing: no row here means that the row is not the writer's any more.
SELECT m.state, s.status, (SELECT x.reason FROM suppression x WHERE x.address = s.address) AS suppressed
FROM delivery d JOIN mailing m ON m.id = d.mailing_id JOIN subscriber s ON s.id = d.subscriber_id
WHERE d.mailing_id = @mailing AND d.subscriber_id = @subscriber AND d.state IN ('claimed', 'sending') AND d.stamp = @stamp;

-- name: GiveBack
UPDATE delivery SET state = 'pending', owner = NULL, lease_until = NULL, updated_at = @now
WHERE mailing_id = @mailing AND subscriber_id = @subscriber AND state IN ('claimed', 'sending') AND stamp = @stamp;

-- name: Transition
-- Every change but Begin ends the hold on the row. A final answer may come late, when whoever waited for it was given up: as long as nobody has
-- claimed the row since (the stamp), it takes the place of "uncertain", or of sending again, and its attempt is counted already.
UPDATE delivery
SET state = @to, owner = NULL, lease_until = NULL, next_attempt_at = @next,
    attempts = attempts + CASE WHEN state = @from THEN @counted ELSE 0 END,
    reply = coalesce(@reply, reply), updated_at = @now,
    first_attempt_at = CASE WHEN @counted = 1 THEN coalesce(first_attempt_at, @now) ELSE first_attempt_at END,
    resent = CASE WHEN @from = 'uncertain' AND @to = 'pending' THEN resent + 1 WHEN state = 'pending' THEN max(resent - 1, 0) ELSE resent END
WHERE mailing_id = @mailing AND subscriber_id = @subscriber AND stamp = @stamp
  AND (state = @from OR (@from = 'sending' AND @to IN ('sent', 'failed') AND state IN ('uncertain', 'pending')));

-- name: NoteRefusal
UPDATE delivery SET refusal = @refusal WHERE mailing_id = @mailing AND subscriber_id = @subscriber;

-- name: MailboxRefusalsBefore
-- Of the two issues before this one that the mailbox had a say in, how many it refused. Read from the ledger, when a refusal comes: a
-- counter would have to be set back with every accepted message. Walks back from mailing to mailing, a key lookup each.
SELECT count(*) FROM (
    SELECT d.state FROM mailing m CROSS JOIN delivery d ON d.mailing_id = m.id AND d.subscriber_id = @subscriber
    WHERE m.id < @mailing AND (d.state = 'sent' OR (d.state = 'failed' AND d.refusal = 'mailbox'))
    ORDER BY m.id DESC LIMIT 2)
WHERE state = 'failed';

-- name: SuppressBounced
INSERT INTO suppression (address, reason, source, at)
SELECT address, 'bounced', @source, @now FROM subscriber WHERE id = @subscriber
ON CONFLICT (address) DO NOTHING;

-- name: NoteBounced
UPDATE subscriber SET status = 'bounced', updated_at = @now WHERE id = @subscriber AND status IN ('pending', 'active');

-- name: RaiseAlarm
INSERT INTO alarm (mailing_id, domain_id, refusals, in_a_row, reply, first_at, last_at, stopped_at)
SELECT mailing_id, domain_id, 1, 1, @reply, @now, @now, CASE WHEN @stops = 1 OR @limit <= 1 THEN @now END
FROM delivery WHERE mailing_id = @mailing AND subscriber_id = @subscriber
ON CONFLICT (mailing_id, domain_id) DO UPDATE
SET refusals = refusals + 1, in_a_row = in_a_row + 1, reply = excluded.reply, last_at = excluded.last_at,
    stopped_at = coalesce(stopped_at, excluded.stopped_at, CASE WHEN in_a_row + 1 >= @limit THEN excluded.last_at END);

-- name: EndRefusals
-- The domain has accepted a message; a stop stays until the editor lifts it.
UPDATE alarm SET in_a_row = 0
WHERE mailing_id = @mailing AND stopped_at IS NULL
  AND domain_id = (SELECT d.domain_id FROM delivery d WHERE d.mailing_id = @mailing AND d.subscriber_id = @subscriber);

-- name: StoppedDomains
SELECT domain_id FROM alarm WHERE mailing_id = @mailing AND stopped_at IS NOT NULL;

-- name: IsOverdue
-- An owner is the process and, behind the last /, its mailing; what each process noted last is a row of few. While one of them gets on, so does the mailing.
SELECT 1 FROM mailing
WHERE id = @mailing AND state = 'sending'
  AND max(coalesce(resumed_at, 0), coalesce(started_at, scheduled_at, created_at)) <= @before
  AND NOT EXISTS (SELECT 1 FROM sent_by WHERE noted_at > @before AND owner LIKE '%/' || @mailing);

-- name: GiveUp
UPDATE delivery SET state = 'failed', reply = @reply || CASE WHEN resent > 0 THEN @note ELSE '' END, updated_at = @now
WHERE mailing_id = @mailing AND state = 'pending' AND subscriber_id IN (
    SELECT subscriber_id FROM delivery INDEXED BY delivery_pending
    WHERE mailing_id = @mailing AND state = 'pending' AND attempts = 0 LIMIT @count);

-- name: HasLongWait
-- Mailings are few, and of each the end of an index is looked at.
SELECT EXISTS (SELECT 1 FROM mailing m CROSS JOIN delivery d INDEXED BY delivery_deferred
               WHERE m.state = 'sending' AND d.mailing_id = m.id AND d.state = 'deferred' AND d.next_attempt_at > @latest);

-- name: CutWaits
-- Deferred by a clock that was ahead: not to the present, for whoever has the longer waits of two nodes with different settings would defer them at once again.
UPDATE delivery SET next_attempt_at = @latest, updated_at = @now
WHERE state = 'deferred' AND (mailing_id, subscriber_id) IN (
    SELECT d.mailing_id, d.subscriber_id FROM mailing m CROSS JOIN delivery d INDEXED BY delivery_deferred
    WHERE m.state = 'sending' AND d.mailing_id = m.id AND d.state = 'deferred' AND d.next_attempt_at > @latest LIMIT @count);

-- name: Renew
UPDATE delivery SET lease_until = @lease WHERE owner = @owner AND state IN ('claimed', 'sending');

-- name: Holders
SELECT owner AS Owner, max(lease_until) AS LeaseUntil, count(*) AS Rows FROM delivery
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
FROM delivery INDEXED BY delivery_held
WHERE owner = @owner AND state IN ('claimed', 'sending') AND state = 'sending'
ORDER BY mailing_id, subscriber_id;

-- name: HasLease
-- Read inside the writing transaction: an owner that was heard of again after somebody saw its lease over.
SELECT 1 FROM delivery INDEXED BY delivery_held WHERE owner = @owner AND state IN ('claimed', 'sending') AND lease_until > @now LIMIT 1;

-- name: AbandonClaimed
-- Before Release, which takes the rest: what AbandonRow is for a dead owner's rows of cancelled mailings.
UPDATE delivery SET state = 'uncertain', owner = NULL, lease_until = NULL, resent = resent - 1, updated_at = @now
WHERE owner = @owner AND state IN ('claimed', 'sending') AND state = 'claimed' AND resent > 0
  AND EXISTS (SELECT 1 FROM mailing m WHERE m.id = delivery.mailing_id AND m.state = 'cancelled');

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
SET state = @to, next_attempt_at = NULL, first_attempt_at = NULL, refusal = NULL, updated_at = @now,
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
-- And whether who stays out bounced and has not left: adding the address brings it back.
SELECT s.status IN ('active', 'bounced') AND coalesce(x.reason, 'bounced') = 'bounced'
FROM delivery d LEFT JOIN subscriber s ON s.id = d.subscriber_id LEFT JOIN suppression x ON x.address = s.address
WHERE d.mailing_id = @mailing AND d.subscriber_id = @subscriber AND d.state = @from;
