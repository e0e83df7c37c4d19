/** The schema as it is in the catalog of the database, against what this version makes; and indexes against the rows that they are of. */
import type pg from 'pg';
import { integerAt, textAt } from '../rows.js';
import { ALL_TABLES } from '../schema.js';
import { rowOf } from './begin.js';
import { GUARD_PATH, GUARDS, TABLES_AND_INDEXES } from './schema.js';

const NAMES = ALL_TABLES.map(({ name }) => name);

/** Triggers on the ledger's tables, with what they call. */
const TRIGGERS = `SELECT t.tgname::text AS name, pg_get_triggerdef(t.oid, true) AS definition, t.tgenabled::text AS enabled, p.prosrc AS body,
    coalesce(array_to_string(p.proconfig, ' '), '') AS config, l.lanname::text AS language
  FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_language l ON l.oid = p.prolang
    JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE NOT t.tgisinternal AND n.nspname = 'public' AND c.relname = ANY($1) ORDER BY t.tgname`;

/** Triggers that are not there as they were made: name → what is there, undefined when it is missing. */
async function triggerDifferences(client: pg.PoolClient): Promise<ReadonlyMap<string, string | undefined>> {
  const { rows } = await client.query(TRIGGERS, [NAMES]);
  const actual = new Map(
    rows.map((row: Record<string, unknown>) => [
      textAt(row, 'name'),
      ['definition', 'enabled', 'language', 'config', 'body'].map((column) => textAt(row, column)).join(' '),
    ]),
  );
  const wanted = new Map(
    GUARDS.map(({ name, definition, guard }) => [name, `${definition} A plpgsql ${GUARD_PATH} ${guard.body}`] as const),
  );
  return differences(wanted, actual);
}

/** Tables whose rows go past something, or come from elsewhere: rules, policies, heirs. */
const PASSED_BY = `SELECT c.relname::text AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY($1)
    AND (c.relkind NOT IN ('r', 'i') OR c.relrowsecurity OR EXISTS (SELECT 1 FROM pg_rewrite r WHERE r.ev_class = c.oid)
      OR EXISTS (SELECT 1 FROM pg_inherits i WHERE c.oid IN (i.inhparent, i.inhrelid)))`;

/** Names of triggers that are not there as they were made, or that somebody else made, and of tables that have more than triggers. */
export async function wrongGuards(client: pg.PoolClient): Promise<readonly string[]> {
  const { rows } = await client.query(PASSED_BY, [NAMES]);
  return [...(await triggerDifferences(client)).keys(), ...rows.map((row: Record<string, unknown>) => textAt(row, 'name'))];
}

/** Tables with their columns and constraints, and indexes, in one schema. What else a table can have is said, since ours have none of it. */
const RELATIONS = `SELECT c.relname::text AS name,
    c.relkind::text || CASE WHEN c.relpersistence = 'u' THEN ' unlogged' ELSE '' END || CASE WHEN c.relrowsecurity THEN ' row security' ELSE '' END
    || CASE WHEN EXISTS (SELECT 1 FROM pg_inherits i WHERE i.inhparent = c.oid) THEN ' inherited' ELSE '' END
    || CASE WHEN EXISTS (SELECT 1 FROM pg_rewrite r WHERE r.ev_class = c.oid) THEN ' rules' ELSE '' END || ' '
    || (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
        || CASE WHEN a.atthasdef THEN ' default' ELSE '' END || coalesce((SELECT ' ' || o.collname FROM pg_collation o WHERE o.oid = a.attcollation), ''), ', ' ORDER BY a.attnum)
      FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
    || coalesce((SELECT string_agg('; ' || pg_get_constraintdef(k.oid), '' ORDER BY k.conname)
      FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('c', 'f', 'p', 'u', 'x')), '') AS definition
  FROM pg_class c WHERE c.relnamespace = $1::oid AND c.relname = ANY($2)
  UNION ALL
  SELECT ic.relname::text, pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN '' ELSE ' invalid' END
  FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid
  WHERE c.relnamespace = $1::oid AND c.relname = ANY($2)`;

/** Tables, indexes and triggers that differ. What they must be is asked of the server itself: it makes them once more, as temporary tables. */
export async function schemaDifferences(client: pg.PoolClient): Promise<ReadonlyMap<string, string | undefined>> {
  return new Map([...(await relationDifferences(client)), ...(await triggerDifferences(client))]);
}

async function relationDifferences(client: pg.PoolClient): Promise<ReadonlyMap<string, string | undefined>> {
  await client.query('BEGIN READ WRITE; SET LOCAL search_path = pg_temp');
  try {
    await client.query(TABLES_AND_INDEXES.join(';'));
    return differences(await relationsIn(client, 'pg_my_temp_schema()'), await relationsIn(client, "'public'::regnamespace"));
  } finally {
    await client.query('ROLLBACK');
  }
}

async function relationsIn(client: pg.PoolClient, schema: string): Promise<ReadonlyMap<string, string>> {
  const oid = integerAt(rowOf(await client.query(`SELECT ${schema}::oid::int AS oid`)), 'oid');
  const { rows } = await client.query(RELATIONS, [oid, NAMES]);
  return new Map(
    rows.map((row: Record<string, unknown>) => [
      textAt(row, 'name'),
      textAt(row, 'definition').replaceAll(/\b(?:pg_temp_\d+|pg_temp|public)\./g, ''),
    ]),
  );
}

function differences(wanted: ReadonlyMap<string, string>, actual: ReadonlyMap<string, string>): ReadonlyMap<string, string | undefined> {
  const names = [...new Set([...wanted.keys(), ...actual.keys()])].filter((name) => wanted.get(name) !== actual.get(name));
  return new Map(names.map((name) => [name, actual.get(name)]));
}

/** Tables of which the index of the key finds another number of rows than there are. */
export async function indexProblems(client: pg.PoolClient): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const { name, key } of ALL_TABLES) {
    const count = `SELECT count(${key[0] ?? '*'})::int AS rows FROM ${name}`;
    const scanned = integerAt(
      rowOf(
        await client.query(
          `BEGIN; SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off; ${count}`,
        ),
      ),
      'rows',
    );
    const found = integerAt(
      rowOf(
        await client.query(
          `SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = on; SET LOCAL enable_indexonlyscan = on; ${count} WHERE ${key[0] ?? ''} >= -9223372036854775808`,
        ),
      ),
      'rows',
    );
    await client.query('ROLLBACK');
    if (scanned !== found) problems.push(`${name}: its index finds ${found} of ${scanned} rows`);
  }
  return problems;
}
