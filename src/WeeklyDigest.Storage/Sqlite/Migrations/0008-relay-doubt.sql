-- Deliveries whose address or mailbox was refused since the relay that said so worked last. Many of them say that the relay is wrong, not they.
CREATE TABLE relay_doubt (
    relay TEXT NOT NULL,
    mailing_id INTEGER NOT NULL REFERENCES mailing (id),
    subscriber_id INTEGER NOT NULL,
    -- Of the refused attempt: another one speaks for itself.
    stamp INTEGER NOT NULL,
    at INTEGER NOT NULL,
    -- 1: what followed from it is taken back. While a relay has such a row, nothing it says of a recipient counts.
    pardoned INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (relay, mailing_id, subscriber_id)
) STRICT, WITHOUT ROWID;
