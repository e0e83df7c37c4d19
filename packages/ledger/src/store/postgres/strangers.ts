/**
 * Who else could have his code run by a promoter. A function or an operator in the schema of the tables that fits a call better than PostgreSQL's own is taken in its
 * place, with the rights of whoever calls (CVE-2018-1058): so nobody but those who own the database may make any there.
 */
import { LedgerError } from '@sealane/core';
import type pg from 'pg';
import { textAt } from '../rows.js';

/** Superusers, who owns the database, its schema and the tables, and this session's own role: they could do as they like anyway. Every name is whole, since nothing is known yet. */
const TRUSTED = `SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolsuper OR r.rolname OPERATOR(pg_catalog.=) current_user
  UNION ALL SELECT d.datdba FROM pg_catalog.pg_database d WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
  UNION ALL SELECT n.nspowner FROM pg_catalog.pg_namespace n WHERE n.nspname OPERATOR(pg_catalog.=) 'public'::pg_catalog.name
  UNION ALL SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass('public.ledger'::pg_catalog.text)::pg_catalog.oid`;

/** One row for each way in. Grantee 0 is everybody. */
const WAYS_IN = `WITH trusted AS (${TRUSTED}), home AS (SELECT * FROM pg_catalog.pg_namespace n WHERE n.nspname OPERATOR(pg_catalog.=) 'public'::pg_catalog.name)
  SELECT CASE WHEN a.grantee OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN 'PUBLIC'::pg_catalog.text ELSE pg_catalog.pg_get_userbyid(a.grantee)::pg_catalog.text END AS who,
    'may create there'::pg_catalog.text AS what
  FROM home, pg_catalog.aclexplode(home.nspacl) a
  WHERE a.privilege_type OPERATOR(pg_catalog.=) 'CREATE'::pg_catalog.text AND NOT (a.grantee OPERATOR(pg_catalog.=) ANY (SELECT t.oid FROM trusted t))
  UNION ALL SELECT pg_catalog.pg_get_userbyid(p.proowner)::pg_catalog.text, p.proname::pg_catalog.text FROM pg_catalog.pg_proc p, home
  WHERE p.pronamespace OPERATOR(pg_catalog.=) home.oid AND NOT (p.proowner OPERATOR(pg_catalog.=) ANY (SELECT t.oid FROM trusted t))
  UNION ALL SELECT pg_catalog.pg_get_userbyid(o.oprowner)::pg_catalog.text, o.oprname::pg_catalog.text FROM pg_catalog.pg_operator o, home
  WHERE o.oprnamespace OPERATOR(pg_catalog.=) home.oid AND NOT (o.oprowner OPERATOR(pg_catalog.=) ANY (SELECT t.oid FROM trusted t))
  LIMIT 1`;

/**
 * Refuses a database in which somebody else may make functions, or has made some. To be asked before anything else is.
 *
 * @throws LedgerError `LEDGER_EXPOSED`
 */
export async function expectNoStrangers(client: pg.PoolClient | pg.Client, name: string): Promise<void> {
  const [row] = (await client.query(WAYS_IN)).rows as readonly Record<string, unknown>[];
  if (row === undefined) return;
  const [who, what] = [textAt(row, 'who'), textAt(row, 'what')];
  const got = what === 'may create there' ? `${who}, who ${what}` : `${what}, which ${who} made`;
  throw new LedgerError('LEDGER_EXPOSED', `open ledger ${name}: expected nobody else's functions in its schema public, got ${got}`, {
    who,
  });
}
