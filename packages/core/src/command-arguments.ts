/** Reads the words of a command: positional arguments, its own options, the global ones, and those that the environment may set. */
import { Command, CommanderError, Option } from 'commander';
import {
  type CommandCall,
  type CommandIo,
  type CommandSpec,
  type GlobalOption,
  JSON_OPTION,
  optionName,
  type OptionSpec,
  type Program,
} from './command-spec.js';
import { SealaneError } from './errors.js';

/**
 * The arguments and options of a command, out of its words and the environment; `help` where they asked for it, which was printed.
 *
 * @throws SealaneError `USAGE`
 */
export function parseArguments(
  program: Program,
  spec: CommandSpec,
  argv: readonly string[],
  io: CommandIo,
): Omit<CommandCall, 'io'> | 'help' {
  const parser = new Command(`${program.name} ${spec.name}`).description(spec.summary).exitOverride();
  parser.configureOutput({
    writeOut: (text) => {
      io.out(text);
    },
    writeErr: () => undefined,
  });
  for (const argument of spec.arguments ?? []) {
    parser.argument(/^[[<]/.test(argument.name) ? argument.name : `<${argument.name}>`, argument.description);
  }
  const globals = program.globals.filter(({ flags }) => !hasOwn(spec, optionName(flags)));
  for (const option of [...(spec.options ?? []), ...globals, JSON_OPTION]) addOption(parser, option, takes(spec, option));
  parser.addHelpText('after', `\nExample:\n${spec.example.trim().replace(/^/gm, '  ')}`);
  try {
    parser.parse([...argv], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 'help';
    throw usage(program, spec, commanderMessage(error), error);
  }
  const untaken = globals.find((option) => !takes(spec, option) && parser.getOptionValue(optionName(option.flags)) !== undefined);
  if (untaken !== undefined) throw usage(program, spec, `expected no ${untaken.flags}, which is for ${(untaken.of ?? []).join(', ')}`);
  const options = withEnvironment(parser.opts(), program, spec, io);
  const missing = spec.options?.find(({ flags, required }) => required && options[optionName(flags)] === undefined);
  if (missing !== undefined) throw usage(program, spec, `required option '${missing.flags}' not specified`);
  return { args: parser.processedArgs as CommandCall['args'], options };
}

function usage(program: Program, { name }: CommandSpec, problem: string, cause?: unknown): SealaneError {
  return new SealaneError('USAGE', `run ${program.name} ${name}: ${problem}`, { command: name }, { cause });
}

/** Whether a command has an option of its own by this name: it means there what its help says. */
export function hasOwn({ options = [] }: CommandSpec, name: string): boolean {
  return options.some(({ flags }) => optionName(flags) === name);
}

/** Whether an option is one of this command: its own, or a global one that is not of others only. */
function takes({ name }: CommandSpec, { of }: GlobalOption): boolean {
  return of?.includes(name) !== false;
}

/** One that is not taken is known all the same, so that it is refused by what it is for. */
function addOption(parser: Command, option: OptionSpec, isShown: boolean): void {
  const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value];
  // most descriptions leave it to be said here
  const more = /repeat|again/.test(option.description) ? '' : '; may be repeated';
  const known = new Option(option.flags, `${option.description}${option.repeat ? more : ''}`).hideHelp(!isShown);
  // one that must be there may come from the environment: looked for when that was read
  parser.addOption(option.repeat ? known.argParser(collect) : known);
}

/** Global options, and those of this command that are shared, may come from the environment as `SEALANE_NAME`; the command line wins. */
function withEnvironment(
  options: Record<string, string | undefined>,
  { globals, shared = [] }: Program,
  { options: own = [] }: CommandSpec,
  io: CommandIo,
): CommandCall['options'] {
  const merged: Record<string, string | undefined> = { ...options };
  for (const { flags } of [...globals, ...own.filter((option) => shared.includes(option.flags))]) {
    const long = /--([a-z-]+)/.exec(flags)?.[1] ?? '';
    merged[optionName(flags)] ??= io.env[`SEALANE_${long.replaceAll('-', '_').toUpperCase()}`];
  }
  return merged;
}

/** Commander's words on one line: it puts its guess at a misspelt option on a second. */
function commanderMessage(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
}
