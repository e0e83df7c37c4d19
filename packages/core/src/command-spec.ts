/** What a command is, and the program that it belongs to: plain data, but for what it does. */
import type { ExitCode } from './error-table.js';

/** A positional argument: `name`, `[name]` when optional, `name...` when it takes the rest. */
export interface ArgumentSpec {
  readonly name: string;
  readonly description: string;
}

/** An option in commander's notation: `--to <stage>`; `repeat` collects every use into an array. */
export interface OptionSpec {
  readonly flags: string;
  readonly description: string;
  readonly repeat?: true;
  readonly required?: true;
}

/** An option of the program: of each of its commands, or of those that `of` names, and the others refuse it. */
export interface GlobalOption extends OptionSpec {
  readonly of?: readonly string[];
}

/** What a command is given: parsed arguments and options (camelCase, environment merged in), and where to talk. */
export interface CommandCall {
  readonly args: readonly (string | readonly string[] | undefined)[];
  readonly options: Readonly<Record<string, string | readonly string[] | boolean | undefined>>;
  readonly io: CommandIo;
}

/** The outside world of a command, injected by the launcher. `out` is data (stdout), `talk` is for people (stderr). */
export interface CommandIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly isTerminal: boolean;
  readonly signal: AbortSignal;
  /** Aborts when somebody waits for this command to end: what waits for others gives way, all else goes on. */
  readonly hurry?: AbortSignal;
  out(text: string): void;
  talk(text: string): void;
  /** Writes a whole file, durably; where the program takes the global `--out`. */
  save?(file: string, text: string): void;
}

/** What a command answers: `json` is printed with `--json`, `text` otherwise; `error` adds the failure to the object. */
export interface CommandResult {
  readonly exit: ExitCode;
  readonly json: object;
  readonly text: string;
  /** A last line for people on stderr: the next step after a refusal. */
  readonly hint?: string;
  /** A server said its object when it began to answer: nothing is printed at its end. */
  readonly isSaid?: true;
}

/** The option that every command has. */
export const JSON_OPTION: OptionSpec = { flags: '--json', description: 'print one JSON object on stdout' };

/** One command: its words, its help, an example that a test runs, and what it does. */
export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  /** Whole command lines, one a line, that work after the quickstart. */
  readonly example: string;
  readonly run: (call: CommandCall) => Promise<CommandResult>;
}

/** What a command takes and says of itself, without what it does: plain data. */
export type CommandHelp = Omit<CommandSpec, 'run'>;

/** An executable: its name, global options and lazily loaded commands (key = words of the command). */
export interface Program {
  readonly name: string;
  readonly version: string;
  readonly summary: string;
  readonly globals: readonly GlobalOption[];
  /** Options that several commands have in one meaning: as global ones they may come from the environment. */
  readonly shared?: readonly OptionSpec['flags'][];
  readonly commands: Readonly<
    Record<string, { readonly summary: string; readonly load: () => Promise<{ readonly command: CommandSpec }> }>
  >;
  /** What `describeCommands` said when the program was bundled: with it, help loads no command. */
  readonly written?: () => Readonly<Record<string, CommandHelp>> | undefined;
}

/** The name under which a call has an option: `asOf` for `--as-of <time>`. */
export function optionName(flags: string): string {
  return (/--([a-z-]+)/.exec(flags)?.[1] ?? '').replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
