/** A real PostgreSQL server of its own: data in a temporary folder, reached by a Unix socket, killed and started again at will. */
import { type ChildProcess, execFileSync, type ExecFileSyncOptions, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LedgerPlace } from '@sealane/ledger';
import pg from 'pg';
import { requireProgram } from './require-program.js';

/** Settings of the tests' server: few connections, and otherwise what a server has. */
const SETTINGS = ['listen_addresses=', 'max_connections=60', 'shared_buffers=32MB'];

/** A server. */
export interface Postgres {
  readonly socket: string;
  /** An empty database of its own. */
  createDatabase(name: string): Promise<Database>;
  /** A database that is there. */
  database(name: string): Database;
  /** Another server that follows this one: what is written here is sent there. `pg_promote()` makes it a server of its own. */
  startStandby(): Promise<Postgres>;
  /** Runs statements outside of them all, as the owner of everything. */
  sql(text: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Ends it as a power cut would, as far as a process can be: nothing is written any more. */
  kill(): Promise<void>;
  start(more?: readonly string[]): Promise<void>;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
}

/** A database on it. */
export interface Database {
  readonly name: string;
  /** The place of a ledger in it, with what lies beside it in `folder`. */
  place(folder: string): LedgerPlace;
  /** The text of `database.json`. */
  readonly json: string;
  /** Runs statements as the owner of everything. */
  sql(text: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** The server's programs, or undefined where the machine has none. */
export function postgresPrograms(): Programs | undefined {
  const [initdb, postgres, basebackup] = [requireProgram('initdb'), requireProgram('postgres'), requireProgram('pg_basebackup')];
  return initdb === undefined || postgres === undefined || basebackup === undefined ? undefined : { initdb, postgres, basebackup };
}

interface Programs {
  readonly initdb: string;
  readonly postgres: string;
  readonly basebackup: string;
}

/** Makes and starts a server. It does not run as root: there it takes the account that Debian made for it. */
export async function startPostgres(programs: Programs): Promise<Postgres> {
  return await startIn(programs, (data, options) => {
    const words = ['-D', data, '-U', 'sealane', '--auth=trust', '-E', 'UTF8', '--locale=C.UTF-8'];
    execFileSync(programs.initdb, words, { ...options, stdio: 'pipe' });
  });
}

type SpawnOptions = Pick<ExecFileSyncOptions, 'cwd' | 'env' | 'uid' | 'gid'>;

/** Starts a server over the data that `fill` brings. */
async function startIn(programs: Programs, fill: (data: string, options: SpawnOptions) => void): Promise<Postgres> {
  const { postgres, basebackup } = programs;
  // in memory where there is such a disk: a killed process loses nothing that it has written there either, and a flush costs nothing
  const folder = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sealane-pg-'));
  const [data, socket] = [path.join(folder, 'data'), path.join(folder, 'socket')];
  mkdirSync(socket);
  const account = process.getuid?.() === 0 ? accountOf('postgres') : undefined;
  if (account !== undefined) for (const each of [folder, socket]) chownSync(each, account.uid, account.gid);
  const options = { ...account, cwd: folder, env: { ...process.env, LC_ALL: 'C.UTF-8' } };
  fill(data, options);
  let child: ChildProcess | undefined;
  const client = (database: string): pg.Client => new pg.Client({ host: socket, user: 'sealane', database });
  const sql = async (database: string, text: string): Promise<readonly Readonly<Record<string, unknown>>[]> => {
    const connection = client(database);
    await connection.connect();
    try {
      const result: unknown = await connection.query(text);
      const last = (Array.isArray(result) ? result.at(-1) : result) as pg.QueryResult<Record<string, unknown>>;
      return last.rows;
    } finally {
      await connection.end();
    }
  };
  const answers = async (): Promise<boolean> => {
    try {
      await sql('postgres', 'SELECT 1');
      return true;
    } catch {
      return false;
    }
  };
  const ended = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    child = undefined;
    if (running?.exitCode !== null || running.signalCode !== null) return;
    const gone = new Promise((resolve) => running.once('exit', resolve));
    running.kill(signal);
    await gone;
  };
  const server: Postgres = {
    socket,
    sql: (text) => sql('postgres', text),
    createDatabase: async (name) => {
      await sql('postgres', `CREATE DATABASE ${name}`);
      return server.database(name);
    },
    database: (name) => {
      const at = { host: socket, port: 5432, database: name, user: 'sealane' };
      return {
        name,
        place: (beside) => ({ file: path.join(beside, `${name}.sqlite`), database: at }),
        json: databaseJson(socket, name),
        sql: (text) => sql(name, text),
      };
    },
    startStandby: () =>
      startIn(programs, (target, at) => {
        execFileSync(basebackup, ['-D', target, '-R', '-c', 'fast', '-h', socket, '-U', 'sealane'], { ...at, stdio: 'pipe' });
      }),
    // the postmaster; its children see that it is gone, and end
    kill: () => ended('SIGKILL'),
    start: async (more = []) => {
      const words = ['-D', data, '-k', socket, ...[...SETTINGS, ...more].flatMap((setting) => ['-c', setting])];
      child = spawn(postgres, words, { ...options, stdio: 'ignore' });
      while (!(await answers())) {
        // children of a killed one may not have ended yet: then it does not start, and is started again
        if (child.exitCode !== null) child = spawn(postgres, words, { ...options, stdio: 'ignore' });
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    remove: async () => {
      await ended('SIGQUIT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

/** A `database.json`. */
export function databaseJson(host: string, database: string): string {
  return JSON.stringify({ apiVersion: 'sealane/v1', kind: 'Database', postgres: { host, database, user: 'sealane' } });
}

function accountOf(name: string): { readonly uid: number; readonly gid: number } {
  const id = (flag: string): number => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
