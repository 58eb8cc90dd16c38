-- name: SessionKeys
SELECT convert_from(value, 'UTF8') FROM secret WHERE name LIKE 'session-key/%' ORDER BY name;

-- name: AddSessionKey
-- Done twice, as after an answer that was lost, it adds one.
INSERT INTO secret (name, value) VALUES ('session-key/' || @name, convert_to(@content, 'UTF8')) ON CONFLICT (name) DO NOTHING;

-- name: AddSignInLink
-- Until when it is good, in eight bytes that compare like the number they hold. The database's clock alone counts.
INSERT INTO secret (name, value) VALUES ('sign-in-link/' || @hash, int8send(clock_ms() + @lifetime));

-- name: UseSignInLink
-- Of two nodes that come here at once, the second finds no row.
DELETE FROM secret WHERE name = 'sign-in-link/' || @hash RETURNING value > int8send(clock_ms());

-- name: ForgetOldSignInLinks
DELETE FROM secret WHERE name LIKE 'sign-in-link/%' AND value <= int8send(clock_ms());
