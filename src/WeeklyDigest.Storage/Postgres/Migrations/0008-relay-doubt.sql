-- As on SQLite: deliveries whose address or mailbox was refused since the relay that said so worked last.
CREATE TABLE relay_doubt (
    relay text COLLATE "C" NOT NULL,
    mailing_id bigint NOT NULL REFERENCES mailing (id),
    subscriber_id bigint NOT NULL,
    stamp bigint NOT NULL,
    at bigint NOT NULL,
    pardoned bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (relay, mailing_id, subscriber_id)
);
