/** The schema in PostgreSQL's words: the same tables, and guards that hold for a whole statement, TRUNCATE too. */
import { PROJECTION_SCHEMA } from '../../projection/schema.js';
import {
  ARCHIVE_TABLES,
  ARCHIVED_DOCUMENT_TABLE,
  KEPT,
  LOG_KEY_TABLE,
  LOG_TABLES,
  LOG_TABLES_SCHEMA,
  NOT_DENSE,
  SCHEMA_VERSION,
} from '../schema.js';
import type { Dialect } from '../store.js';

/** A function that a trigger calls. */
export interface Guard {
  readonly name: string;
  /** Its body, as the catalog keeps it. */
  readonly body: string;
}

/** A trigger, as `pg_get_triggerdef` writes it. */
export interface GuardTrigger {
  readonly name: string;
  readonly table: string;
  readonly definition: string;
  readonly guard: Guard;
}

const REFUSE = "RAISE EXCEPTION 'append-only'";
const FROZEN: Guard = { name: 'ledger_is_frozen', body: `BEGIN ${REFUSE}; END` };

/** No row is changed or removed. Whoever owns the tables can drop these: the signed heads and witnesses are what shows it. */
function frozen({ name: table }: { readonly name: string }): GuardTrigger {
  const name = `${table}_frozen`;
  const what = table === 'envelope' ? 'UPDATE OR TRUNCATE' : 'DELETE OR UPDATE OR TRUNCATE';
  const definition = `CREATE TRIGGER ${name} BEFORE ${what} ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION ${FROZEN.name}()`;
  return { name, table, definition, guard: FROZEN };
}

/** Envelopes alone are removed, where the schema says that they may. */
const ENVELOPE_KEPT: GuardTrigger = {
  name: 'envelope_kept',
  table: 'envelope',
  definition: 'CREATE TRIGGER envelope_kept BEFORE DELETE ON envelope FOR EACH ROW EXECUTE FUNCTION envelope_kept()',
  guard: { name: 'envelope_kept', body: `BEGIN IF ${KEPT} THEN ${REFUSE}; END IF; RETURN OLD; END` },
};

function dense([table, wrong]: readonly [table: string, wrong: string]): GuardTrigger {
  const name = `${table}_dense`;
  const definition = `CREATE TRIGGER ${name} BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION ${name}()`;
  return { name, table, definition, guard: { name, body: `BEGIN IF ${wrong} THEN ${REFUSE}; END IF; RETURN NEW; END` } };
}

/** Every trigger that keeps rows. */
export const GUARDS: readonly GuardTrigger[] = [...LOG_TABLES.map(frozen), ENVELOPE_KEPT, ...Object.entries(NOT_DENSE).map(dense)];

/** Where a function looks for tables, whoever calls it: never among temporary ones first. */
export const GUARD_PATH = 'search_path=public, pg_temp';

/** The fence of the publish lock: each holder raises it, and each write checks it. The one row that changes. */
const FENCE = [
  'CREATE TABLE publish_fence(id BIGINT PRIMARY KEY CHECK(id = 1), fence BIGINT NOT NULL)',
  'INSERT INTO publish_fence(id, fence) VALUES (1, 0)',
];

/** Tables and indexes. Text is ordered by its bytes, as in SQLite. */
export const TABLES_AND_INDEXES: readonly string[] = [...LOG_TABLES_SCHEMA, ...PROJECTION_SCHEMA].map(translated);

function translated(statement: string): string {
  return statement
    .replace(/\)(?: WITHOUT ROWID,)? STRICT$/, ')')
    .replace(/\bINTEGER\b/g, 'BIGINT')
    .replace(/\bBLOB\b/g, 'BYTEA')
    .replace(/\bTEXT\b/g, 'TEXT COLLATE "C"');
}

const GUARD_FUNCTIONS = [...new Map(GUARDS.map(({ guard }) => [guard.name, guard])).values()].map(createGuard);

function createGuard({ name, body }: Guard): string {
  return `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql SET ${GUARD_PATH.replace('=', ' = ')} AS '${body.replaceAll("'", "''")}'`;
}

// ALWAYS: also in a session that says it replays what a replica was sent
function createTrigger({ definition, name, table }: GuardTrigger): readonly string[] {
  return [definition, `ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${name}`];
}

const LOG_KEY_GUARDS = GUARDS.filter(({ table }) => table === 'log_key');
/** The function that refuses is there since the first version. */
const ADD_LOG_KEY = [
  translated(LOG_KEY_TABLE),
  ...LOG_KEY_GUARDS.map(({ guard }) => guard)
    .filter((guard) => guard !== FROZEN)
    .map(createGuard),
  ...LOG_KEY_GUARDS.flatMap(createTrigger),
];

const ARCHIVE_GUARDS = GUARDS.filter(({ table }) => ['archive_pack', 'archived', 'erased'].includes(table));
const ADD_ARCHIVE = [
  ...ARCHIVE_TABLES.map(translated),
  'DROP TRIGGER envelope_frozen ON envelope',
  'DROP TRIGGER envelope_dense ON envelope',
  'DROP FUNCTION envelope_dense()',
  ...[...ARCHIVE_GUARDS, ...GUARDS.filter(({ table }) => table === 'envelope')].flatMap((trigger) => [
    ...(trigger.guard === FROZEN ? [] : [createGuard(trigger.guard)]),
    ...createTrigger(trigger),
  ]),
];

const DOCUMENT_GUARDS = GUARDS.filter(({ table }) => table === 'archived_document');
const ADD_DOCUMENTS = [
  ...ARCHIVED_DOCUMENT_TABLE.map(translated),
  ...DOCUMENT_GUARDS.flatMap((trigger) => [...(trigger.guard === FROZEN ? [] : [createGuard(trigger.guard)]), ...createTrigger(trigger)]),
];

/** The schema in PostgreSQL's words. */
export const POSTGRES: Dialect = {
  name: 'postgres',
  rowsAtOnce: 'any',
  schema: [...TABLES_AND_INDEXES, ...FENCE, ...GUARD_FUNCTIONS, ...GUARDS.flatMap(createTrigger)],
  projection: PROJECTION_SCHEMA.map(translated),
  upgrades: {
    2: [...ADD_LOG_KEY, ...ADD_ARCHIVE, ...ADD_DOCUMENTS],
    3: [...ADD_LOG_KEY, ...ADD_ARCHIVE, ...ADD_DOCUMENTS],
    4: [...ADD_ARCHIVE, ...ADD_DOCUMENTS],
    5: [...ADD_ARCHIVE, ...ADD_DOCUMENTS],
    6: [...ADD_ARCHIVE, ...ADD_DOCUMENTS],
    7: ADD_DOCUMENTS,
  },
  markVersion: `COMMENT ON TABLE ledger IS 'sealane ledger, schema ${SCHEMA_VERSION}'`,
  versionQuery: `SELECT coalesce(substring(obj_description(to_regclass('public.ledger'), 'pg_class') from '^sealane ledger, schema (\\d+)$'), '0')::bigint AS version`,
};
