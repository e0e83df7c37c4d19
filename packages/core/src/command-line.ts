/**
 * The frame around every command of both executables: lazy loading, `--json`, exit codes, errors with a next step.
 *
 * A program is a table of names and loaders, so that `--help` of one command loads that command's file and nothing else.
 * The frame never touches the process: it reads `io` and returns the exit code.
 */
import { hasOwn, parseArguments } from './command-arguments.js';
import { type CommandHelp, type CommandIo, type CommandSpec, type GlobalOption, JSON_OPTION, type Program } from './command-spec.js';
import { diskRefusal } from './disk-refusal.js';
import { ERRORS, EXIT_CODES } from './error-table.js';
import { SealaneError } from './errors.js';
import { oneLine, printable } from './printable.js';

export {
  type ArgumentSpec,
  type CommandCall,
  type CommandHelp,
  type CommandIo,
  type CommandResult,
  type CommandSpec,
  type GlobalOption,
  optionName,
  type OptionSpec,
  type Program,
} from './command-spec.js';

export { type CommandStreams, commandStreams, type OutputStream } from './command-streams.js';

/** Every command's help, by name. */
export async function describeCommands(program: Program): Promise<Readonly<Record<string, CommandHelp>>> {
  const described = Object.entries(program.commands).map(async ([name, { load }]): Promise<[string, CommandHelp]> => {
    const { run: _run, ...help } = (await load()).command;
    return [name, help];
  });
  return Object.fromEntries(await Promise.all(described));
}

/**
 * Runs one command line (without node and script) and returns the exit code of CONTRACT.md.
 *
 * Global options may stand before the command or after it. Unknown commands and bad flags are 2. A `SealaneError` becomes
 * `{error: {code, message, hint}}` (with `--json`) or two lines on stderr, and the exit code of its row in the error table. Anything else
 * is an internal fault, 1. All that is printed is `printable`.
 */
export async function runCommandLine(program: Program, given: readonly string[], bare: CommandIo): Promise<number> {
  const io = showing(bare);
  const leading = leadingGlobals(program, given);
  const argv = given.slice(leading);
  // `help promote` and `promote --help` are one
  if (argv[0] === 'help' && argv[1] !== undefined && !argv[1].startsWith('-'))
    return await runCommandLine(program, [...given.slice(0, leading), ...argv.slice(1), '--help'], bare);
  const name = commandName(program, argv);
  const wantsJson = given.includes('--json');
  if (name === undefined) return helpOrUnknown(program, argv, io, wantsJson);
  try {
    const entry = program.commands[name];
    if (entry === undefined) return helpOrUnknown(program, argv, io, wantsJson);
    const command = (asksForHelp(argv) ? writtenCommand(program, name, entry.load) : undefined) ?? (await entry.load()).command;
    return await runOne(program, command, [...given.slice(0, leading), ...argv.slice(name.split(' ').length)], io);
  } catch (error) {
    return reportFailure(error, program, io, wantsJson);
  }
}

/** Reports, inventories and file names are quoted in answers, and whoever wrote them is not trusted with a terminal. */
function showing(io: CommandIo): CommandIo {
  return { ...io, out: (text) => io.out(printable(text)), talk: (text) => io.talk(printable(text)) };
}

function asksForHelp(argv: readonly string[]): boolean {
  return argv.includes('--help') || argv.includes('-h');
}

/** A command as it was written down. `--help` may have been the value of an option: then the command itself is loaded and run. */
function writtenCommand(program: Program, name: string, load: Program['commands'][string]['load']): CommandSpec | undefined {
  const help = program.written?.()?.[name];
  return help === undefined ? undefined : { ...help, run: async (call) => await (await load()).command.run(call) };
}

/** How many leading words are global options and their values: `--home DIR --json`. */
function leadingGlobals(program: Program, argv: readonly string[]): number {
  let count = 0;
  for (;;) {
    const [name = '', inline] = (argv[count] ?? '').split('=', 2);
    const leading = [...program.globals, JSON_OPTION].map(({ flags }) => flags).concat(program.shared ?? []);
    const option = leading.find((flags) => name !== '' && flags.split(/[ ,]+/).includes(name));
    if (option === undefined) return Math.min(count, argv.length);
    count += inline === undefined && option.includes('<') ? 2 : 1;
  }
}

/** The longest leading words of `argv` that name a command. */
function commandName(program: Program, argv: readonly string[]): string | undefined {
  for (const count of [3, 2, 1]) {
    const words = argv.slice(0, count).join(' ');
    if (argv.length >= count && Object.hasOwn(program.commands, words)) return words;
  }
  return undefined;
}

function helpOrUnknown(program: Program, argv: readonly string[], io: CommandIo, wantsJson: boolean): number {
  const first = argv[0];
  if (first === '--version') {
    io.out(`${program.version}\n`);
    return 0;
  }
  const words = argv.filter((word) => !word.startsWith('-'));
  const group = Object.keys(program.commands).filter((name) => name.startsWith(`${words.join(' ')} `));
  const isOfAll = words.length === 0 || first === 'help';
  if ((asksForHelp(argv) || first === 'help' || first === undefined) && (isOfAll || group.length > 0)) {
    io.out(isOfAll ? programHelp(program) : commandsHelp(program, group));
    return 0;
  }
  const message = `run ${program.name}: expected a command, got ${JSON.stringify(words.join(' ') || argv.join(' '))}`;
  const [family = ''] = words;
  const isFamily = Object.keys(program.commands).some((name) => name.startsWith(`${family} `));
  return printError(
    { code: 'USAGE', message, hint: `run: ${program.name} ${isFamily ? `${family} ` : ''}--help` },
    2,
    program,
    io,
    wantsJson,
  );
}

/** Once for all commands: what they all take, and how they end. */
function programHelp(program: Program): string {
  const options = [...program.globals, JSON_OPTION].map(({ flags, description, of }: GlobalOption): [string, string] => [
    flags,
    of === undefined ? description : `${description} (${of.join(', ')})`,
  ]);
  const more = `Options of commands:\n${inColumns(options)}\n\nExit codes:\n${inColumns(Object.entries(EXIT_CODES))}\n`;
  return commandsHelp(program, Object.keys(program.commands), more);
}

function commandsHelp(program: Program, names: readonly string[], more?: string): string {
  const commands = inColumns(names.map((name) => [name, program.commands[name]?.summary ?? '']));
  const example = `Example:\n  ${program.name} ${names[0] ?? ''} --help\n`;
  return [`${program.name}: ${program.summary}\n`, `${commands}\n`, ...(more === undefined ? [] : [more]), example].join('\n');
}

function inColumns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`).join('\n');
}

async function runOne(program: Program, spec: CommandSpec, argv: readonly string[], io: CommandIo): Promise<number> {
  const parsed = parseArguments(program, spec, argv, io);
  if (parsed === 'help') return 0;
  const result = await spec.run({ ...parsed, io });
  if (result.isSaid) return result.exit;
  const isJson = parsed.options.json === true;
  const answer = isJson
    ? `${JSON.stringify(result.json)}\n`
    : result.text === '' || result.text.endsWith('\n')
      ? result.text
      : `${result.text}\n`;
  const file = hasOwn(spec, 'out') ? undefined : parsed.options['out'];
  if (typeof file === 'string' && file !== '') io.save?.(file, printable(answer));
  // the object of --json is printed whatever else is done with it
  if (isJson || file === undefined || file === '') io.out(answer);
  if (result.hint !== undefined && parsed.options.json !== true) io.talk(`${program.name}: hint: ${result.hint}\n`);
  return result.exit;
}

function reportFailure(error: unknown, program: Program, io: CommandIo, wantsJson: boolean): number {
  const known = error instanceof SealaneError ? error : diskRefusal(error);
  if (known !== undefined) {
    const row = ERRORS[known.code];
    return printError({ code: known.code, message: known.message, hint: known.hint ?? row.hint }, row.exit, program, io, wantsJson);
  }
  const message = error instanceof Error ? error.message : String(error);
  if (io.env.SEALANE_DEBUG !== undefined && error instanceof Error) io.talk(`${error.stack ?? ''}\n`);
  const hint = 'this is a fault of the program: run it again with SEALANE_DEBUG=1 and report what it prints';
  return printError({ code: 'INTERNAL', message, hint }, 1, program, io, wantsJson);
}

function printError(
  error: { readonly code: string; readonly message: string; readonly hint: string },
  exit: number,
  program: Program,
  io: CommandIo,
  wantsJson: boolean,
): number {
  if (wantsJson) io.out(`${JSON.stringify({ error })}\n`);
  io.talk(`${program.name}: error: ${oneLine(error.message)} (${error.code})\n${program.name}: hint: ${oneLine(error.hint)}\n`);
  return exit;
}

/** Waits until a command is asked to end: what a server does once it answers. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
