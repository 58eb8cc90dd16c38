-- Receiving domains, what refusals are about, and alarms.

CREATE TABLE domain (
    id INTEGER PRIMARY KEY,
    -- What stands behind the @ in subscriber.address.
    name TEXT NOT NULL UNIQUE
) STRICT;

INSERT INTO domain (name) SELECT DISTINCT substr(address, instr(address, '@') + 1) FROM subscriber;

ALTER TABLE subscriber ADD COLUMN domain_id INTEGER NOT NULL DEFAULT 0;
UPDATE subscriber SET domain_id = (SELECT d.id FROM domain d WHERE d.name = substr(address, instr(address, '@') + 1));

-- Copied from the subscriber, so that a claim passes rows of a domain by without looking at anything but an index.
ALTER TABLE delivery ADD COLUMN domain_id INTEGER NOT NULL DEFAULT 0;
UPDATE delivery SET domain_id = (SELECT s.domain_id FROM subscriber s WHERE s.id = subscriber_id) WHERE state NOT IN ('sent', 'suppressed');

-- What a failed delivery was refused for; null when attempts ran out.
ALTER TABLE delivery ADD COLUMN refusal TEXT CHECK (refusal IN ('address', 'mailbox', 'policy', 'other'));

-- Since when rows that were never tried count as waiting; a pause in between must not make them fail.
ALTER TABLE mailing ADD COLUMN resumed_at INTEGER;

DROP INDEX delivery_pending;
CREATE INDEX delivery_pending ON delivery (mailing_id, subscriber_id, domain_id) WHERE state = 'pending';

DROP INDEX delivery_deferred;
CREATE INDEX delivery_deferred ON delivery (mailing_id, next_attempt_at, domain_id) WHERE state = 'deferred';

-- A receiving domain that does not want a mailing. A row here blames us, never an address.
CREATE TABLE alarm (
    mailing_id INTEGER NOT NULL REFERENCES mailing (id),
    domain_id INTEGER NOT NULL,
    refusals INTEGER NOT NULL,
    -- Since the last message it accepted.
    in_a_row INTEGER NOT NULL,
    -- The latest one's words.
    reply TEXT NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    -- Set while the mailing leaves the domain alone.
    stopped_at INTEGER,
    PRIMARY KEY (mailing_id, domain_id)
) STRICT, WITHOUT ROWID;
