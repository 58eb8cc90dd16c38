-- How often a delivery was sent again although an earlier copy may have arrived: by the setting, or by the editor's decision. So
-- that the setting does so once only, and so that everybody who may have got two copies can be named.
ALTER TABLE delivery ADD COLUMN resent INTEGER NOT NULL DEFAULT 0;
