-- The roles that Administrate's database is used by, for psql as a superuser, connected to that database:
--
--   administrate_owner   owns the schema; for `manage.py migrate` alone
--   administrate_app     reads and changes rows; for everything else
--
-- Their passwords come from DATABASE_OWNER_PASSWORD and DATABASE_PASSWORD, or from the files that the same names with
-- _FILE name. To be run before each migration: it may be repeated, and takes over what another role has owned.
-- pg_restore leaves owners and rights out; running this brings them back.

\set ON_ERROR_STOP on
\set owner_password `printf %s "${DATABASE_OWNER_PASSWORD:-$(cat "$DATABASE_OWNER_PASSWORD_FILE")}"`
\set app_password `printf %s "${DATABASE_PASSWORD:-$(cat "$DATABASE_PASSWORD_FILE")}"`
SELECT :'owner_password' = '' OR :'app_password' = '' AS incomplete \gset
\if :incomplete
  \warn 'DATABASE_OWNER_PASSWORD and DATABASE_PASSWORD are needed, or files that hold them.'
  SELECT 1 / 0 AS incomplete;
\endif

BEGIN;
SET LOCAL log_statement = 'none';

SELECT format('CREATE ROLE %I', name)
FROM unnest(ARRAY['administrate_owner', 'administrate_app']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE administrate_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
ALTER ROLE administrate_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'app_password';

-- Tables first: a sequence of a column follows its table.
SELECT format('ALTER %s %s OWNER TO administrate_owner', CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, oid::regclass)
FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
  AND relowner <> 'administrate_owner'::regrole
  AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype IN ('a', 'i', 'e'))
ORDER BY relkind = 'S' \gexec
SELECT format('ALTER ROUTINE %s OWNER TO administrate_owner', oid::regprocedure)
FROM pg_proc
WHERE pronamespace = 'public'::regnamespace AND proowner <> 'administrate_owner'::regrole
  AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e') \gexec
ALTER SCHEMA public OWNER TO administrate_owner;

REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
-- Syncs put what they have read into a temporary table.
GRANT CONNECT, TEMPORARY ON DATABASE :"DBNAME" TO administrate_owner, administrate_app;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO administrate_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO administrate_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO administrate_app;
-- And on what later migrations make.
ALTER DEFAULT PRIVILEGES FOR ROLE administrate_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO administrate_app;
ALTER DEFAULT PRIVILEGES FOR ROLE administrate_owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO administrate_app;

COMMIT;
