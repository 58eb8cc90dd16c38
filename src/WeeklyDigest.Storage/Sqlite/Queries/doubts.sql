-- Relays that refuse everybody: what is held against them, and what is taken back of it.

-- name: DoubtRelay
INSERT INTO relay_doubt (relay, mailing_id, subscriber_id, stamp, at) VALUES (@relay, @mailing, @subscriber, @stamp, @now)
ON CONFLICT (relay, mailing_id, subscriber_id) DO UPDATE SET stamp = excluded.stamp, at = excluded.at, pardoned = 0;

-- name: TrustRelay
-- What was refused before a message that it accepted stands for good. One that it put off ends a row too, but not one that was too long already.
-- Behind @newest is what was refused before the clock was set back.
DELETE FROM relay_doubt
WHERE relay = @relay AND (at < @accepted OR at > @newest
    OR (at < @answered AND NOT EXISTS (SELECT 1 FROM relay_doubt p WHERE p.relay = @relay AND p.pardoned = 1 AND p.at >= @accepted)));

-- name: RelayDoubts
-- Asked every second. There are few rows: those since a relay worked last.
SELECT r.relay AS Relay, count(*) FILTER (WHERE r.pardoned = 0) AS Refused, max(r.pardoned) AS Pardoned,
       (SELECT (SELECT d.reply FROM delivery d WHERE d.mailing_id = l.mailing_id AND d.subscriber_id = l.subscriber_id)
        FROM relay_doubt l WHERE l.relay = r.relay AND l.pardoned = 0 ORDER BY l.at DESC LIMIT 1) AS Reply
FROM relay_doubt r GROUP BY r.relay ORDER BY r.relay;

-- name: Refusals
-- Of one mailing; each with the relay that refused last. There are few rows: those since a relay worked last.
SELECT r.relay AS Relay, d.reply AS Reply, d.refusal AS Refusal
FROM relay_doubt r CROSS JOIN delivery d ON d.mailing_id = r.mailing_id AND d.subscriber_id = r.subscriber_id AND d.stamp = r.stamp
WHERE r.mailing_id = @mailing AND d.state = 'failed' ORDER BY r.at, r.subscriber_id LIMIT 1000;

-- name: DoubtedRows
SELECT mailing_id AS MailingId, subscriber_id AS SubscriberId, stamp AS Stamp FROM relay_doubt
WHERE relay = @relay AND pardoned = 0 ORDER BY mailing_id, subscriber_id LIMIT @count;

-- name: NotePardoned
UPDATE relay_doubt SET pardoned = 1 WHERE relay = @relay AND mailing_id = @mailing AND subscriber_id = @subscriber AND stamp = @stamp;

-- name: PardonRefusal
-- Else a mailbox would be suppressed for the third of these.
UPDATE delivery SET refusal = 'other'
WHERE mailing_id = @mailing AND subscriber_id = @subscriber AND stamp = @stamp AND state = 'failed' AND refusal IN ('address', 'mailbox');

-- name: PardonAddress
-- Suppressed at the moment in which a delivery failed is suppressed for it. Two may have been under way at once, over two relays: a refusal that
-- stands keeps the address out. A key lookup for each mailing that had not ended by then.
DELETE FROM suppression
WHERE reason = 'bounced' AND address = (SELECT s.address FROM subscriber s WHERE s.id = @subscriber)
  AND EXISTS (SELECT 1 FROM mailing m CROSS JOIN delivery d ON d.mailing_id = m.id AND d.subscriber_id = @subscriber
              WHERE (m.id = @mailing OR m.finished_at IS NULL OR m.finished_at >= suppression.at)
                AND d.state = 'failed' AND d.refusal = 'other' AND d.updated_at = suppression.at)
  AND NOT EXISTS (SELECT 1 FROM mailing m CROSS JOIN delivery d ON d.mailing_id = m.id AND d.subscriber_id = @subscriber
                  WHERE (m.finished_at IS NULL OR m.finished_at >= suppression.at)
                    AND d.state = 'failed' AND d.refusal = 'address' AND d.updated_at >= suppression.at)
RETURNING at;

-- name: Readmit
-- Passed over for a suppression that is taken back. @resend: 1 where uncertain rows are sent again by themselves, once; who was kept out was not, so
-- those that became so since are now.
UPDATE delivery
SET state = 'pending', updated_at = @now, reply = CASE WHEN state = 'uncertain' THEN reply END, resent = resent + CASE WHEN state = 'uncertain' THEN 1 ELSE 0 END,
    -- It was kept out meanwhile; what it is given to be tried in begins anew.
    first_attempt_at = CASE WHEN state <> 'uncertain' THEN first_attempt_at END
WHERE subscriber_id = @subscriber
  AND ((state = 'suppressed' AND reply = @reply) OR (@resend = 1 AND state = 'uncertain' AND resent = 0 AND updated_at >= @since))
  AND mailing_id IN (SELECT m.id FROM mailing m WHERE m.state <> 'cancelled' AND (m.finished_at IS NULL OR m.finished_at >= @since))
RETURNING mailing_id;

-- name: GoOn
-- Rows of a mailing that was sent are open again. Nobody has resumed it: a relay that was set aside is not tried again for that.
UPDATE mailing SET state = 'sending', state_reason = NULL, finished_at = NULL WHERE id = @mailing AND state = 'sent';

-- name: PardonSubscriber
UPDATE subscriber SET status = 'active', updated_at = @now WHERE id = @subscriber AND status = 'bounced';
