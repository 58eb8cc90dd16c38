-- For PostgreSQL; here the numbers of new rows always go on behind the last.
SELECT 1;
