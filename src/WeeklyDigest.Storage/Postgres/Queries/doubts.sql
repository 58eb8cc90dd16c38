-- Relays that refuse everybody: what is held against them, and what is taken back of it.

-- name: TrustRelays
-- What was refused before a message that a relay accepted stands for good. One that it put off ends a row too, but not one that was too long already.
-- Behind newest is what was refused before the clock was set back.
-- Two nodes do this at once: they take the rows in one order.
DELETE FROM relay_doubt r USING (
    SELECT d.relay, d.mailing_id, d.subscriber_id FROM unnest(@relays, @accepted, @answered, @newest) AS w (relay, accepted, answered, newest)
    JOIN relay_doubt d ON d.relay = w.relay
    WHERE d.at < w.accepted OR d.at > w.newest
       OR (d.at < w.answered AND NOT EXISTS (SELECT 1 FROM relay_doubt p WHERE p.relay = w.relay AND p.pardoned = 1 AND p.at >= w.accepted))
    ORDER BY d.relay, d.mailing_id, d.subscriber_id FOR UPDATE OF d) gone
WHERE r.relay = gone.relay AND r.mailing_id = gone.mailing_id AND r.subscriber_id = gone.subscriber_id;

-- name: RelayDoubts
-- Asked every second. There are few rows: those since a relay worked last.
SELECT r.relay AS Relay, count(*) FILTER (WHERE r.pardoned = 0) AS Refused, max(r.pardoned) AS Pardoned,
       (SELECT (SELECT d.reply FROM delivery d WHERE d.mailing_id = l.mailing_id AND d.subscriber_id = l.subscriber_id)
        FROM relay_doubt l WHERE l.relay = r.relay AND l.pardoned = 0 ORDER BY l.at DESC LIMIT 1) AS Reply
FROM relay_doubt r GROUP BY r.relay ORDER BY r.relay;

-- name: Refusals
-- Of one mailing; each with the relay that refused last. There are few rows: those since a relay worked last.
SELECT r.relay AS Relay, d.reply AS Reply, d.refusal AS Refusal
FROM relay_doubt r JOIN delivery d ON d.mailing_id = r.mailing_id AND d.subscriber_id = r.subscriber_id AND d.stamp = r.stamp
WHERE r.mailing_id = @mailing AND d.state = 'failed' ORDER BY r.at, r.subscriber_id LIMIT 1000;

-- name: DoubtedRows
SELECT mailing_id AS MailingId, subscriber_id AS SubscriberId, stamp AS Stamp FROM relay_doubt
WHERE relay = @relay AND pardoned = 0 ORDER BY mailing_id, subscriber_id LIMIT @count;

-- name: NotePardoned
UPDATE relay_doubt r SET pardoned = 1
FROM unnest(@mailings, @subscribers, @stamps) AS w (mailing_id, subscriber_id, stamp)
WHERE r.relay = @relay AND r.mailing_id = w.mailing_id AND r.subscriber_id = w.subscriber_id AND r.stamp = w.stamp;

-- name: LockRecent
-- Those that may have passed somebody over for one of these failures: whoever opens or closes one of them waits.
SELECT m.id FROM mailing m
WHERE m.state <> 'cancelled' AND (m.finished_at IS NULL OR m.finished_at >= (
    SELECT min(d.updated_at) FROM unnest(@mailings, @subscribers) AS w (mailing_id, subscriber_id)
    JOIN delivery d ON d.mailing_id = w.mailing_id AND d.subscriber_id = w.subscriber_id))
ORDER BY m.id FOR NO KEY UPDATE;

-- name: LockUnsent
-- A claim, or a mark, that has seen the suppression already is over when this returns; another claim steps over these, and another mark looks afterwards.
SELECT d.subscriber_id FROM delivery d
WHERE d.mailing_id = ANY(@mailings) AND d.subscriber_id = ANY(@subscribers) AND d.state IN ('pending', 'deferred', 'claimed', 'sending')
ORDER BY d.mailing_id, d.subscriber_id FOR NO KEY UPDATE;

-- name: LockBounced
-- The subscriber before the suppression, as an unsubscription does.
SELECT s.id FROM subscriber s
WHERE s.id = ANY(@subscribers) AND EXISTS (SELECT 1 FROM suppression x WHERE x.address = s.address AND x.reason = 'bounced')
ORDER BY s.id FOR NO KEY UPDATE OF s;

-- name: PardonRefusals
-- Else a mailbox would be suppressed for the third of these.
UPDATE delivery d SET refusal = 'other'
FROM unnest(@mailings, @subscribers, @stamps) AS w (mailing_id, subscriber_id, stamp)
WHERE d.mailing_id = w.mailing_id AND d.subscriber_id = w.subscriber_id AND d.stamp = w.stamp AND d.state = 'failed' AND d.refusal IN ('address', 'mailbox');

-- name: Pardon
-- Suppressed at the moment in which a delivery failed is suppressed for it. Two may have been under way at once, over two relays: a refusal that
-- stands keeps the address out. @recent: mailings that had not ended when the first of them failed; each was passed over for it in those that
-- had not ended by then. @resend: 1 where uncertain rows are sent again by themselves, once; who was kept out was not, so those that became so since are now.
WITH pardoned AS (
    DELETE FROM suppression x USING subscriber s
    WHERE s.id = ANY(@subscribers) AND x.address = s.address AND x.reason = 'bounced'
      AND EXISTS (SELECT 1 FROM delivery d WHERE d.mailing_id = ANY(@mailings || @recent) AND d.subscriber_id = s.id
                  AND d.state = 'failed' AND d.refusal = 'other' AND d.updated_at = x.at)
      AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.mailing_id = ANY(@recent) AND d.subscriber_id = s.id
                      AND d.state = 'failed' AND d.refusal = 'address' AND d.updated_at >= x.at)
    RETURNING s.id, x.at
), forgotten AS (
    -- Files that were read while they were kept out: the next run reads them again. That there was a file stays known.
    UPDATE list_file f SET hash = '' WHERE f.imported_at >= (SELECT min(p.at) FROM pardoned p)
), active AS (
    UPDATE subscriber s SET status = 'active', updated_at = @now FROM pardoned p WHERE s.id = p.id AND s.status = 'bounced'
), readmitted AS (
    UPDATE delivery d
    SET state = 'pending', updated_at = @now, reply = CASE WHEN d.state = 'uncertain' THEN d.reply END, resent = d.resent + CASE WHEN d.state = 'uncertain' THEN 1 ELSE 0 END,
        -- It was kept out meanwhile; what it is given to be tried in begins anew.
        first_attempt_at = CASE WHEN d.state <> 'uncertain' THEN d.first_attempt_at END
    FROM pardoned p, mailing m
    WHERE m.id = ANY(@recent) AND (m.finished_at IS NULL OR m.finished_at >= p.at) AND d.mailing_id = m.id AND d.subscriber_id = p.id
      AND ((d.state = 'suppressed' AND d.reply = @reply) OR (@resend = 1 AND d.state = 'uncertain' AND d.resent = 0 AND d.updated_at >= p.at))
    RETURNING d.mailing_id
)
SELECT (SELECT count(*) FROM pardoned) AS Pardoned, ARRAY(SELECT DISTINCT mailing_id FROM readmitted) AS Readmitted;

-- name: GoOn
-- Rows of mailings that were sent are open again. Nobody has resumed them: a relay that was set aside is not tried again for that.
UPDATE mailing SET state = 'sending', state_reason = NULL, finished_at = NULL WHERE id = ANY(@mailings) AND state = 'sent';
