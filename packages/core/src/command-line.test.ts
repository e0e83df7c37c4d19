import { expect, test } from 'vitest';
import { type CommandCall, type CommandSpec, type Program, runCommandLine } from './command-line.js';
import { EXIT_CODES } from './error-table.js';
import { CoreError } from './errors.js';

const greet: CommandSpec = {
  name: 'greet',
  summary: 'greets somebody',
  arguments: [
    { name: 'who', description: 'whom to greet' },
    { name: '[more...]', description: 'and whom else' },
  ],
  options: [
    { flags: '--loud', description: 'in capitals' },
    { flags: '--times <n>', description: 'how often' },
    { flags: '--word <w>', description: 'a word, again for more', repeat: true },
    { flags: '--name <n>', description: 'a name', repeat: true },
  ],
  example: 'tool greet alice --home /tmp/x',
  run: (call) =>
    Promise.resolve({
      exit: 0,
      json: { args: call.args, options: call.options },
      text: `hello ${String(call.args[0])}`,
      hint: 'say goodbye',
    }),
};
const failing = (error: Error): CommandSpec => ({ name: 'fail', summary: 'fails', example: 'tool fail', run: () => Promise.reject(error) });

function program(fail: Error = new Error('boom')): { readonly program: Program; readonly loaded: string[] } {
  const loaded: string[] = [];
  const entry = (command: CommandSpec) => ({
    summary: command.summary,
    load: () => {
      loaded.push(command.name);
      return Promise.resolve({ command });
    },
  });
  const needy: CommandSpec = {
    name: 'key make',
    summary: 'makes a key',
    options: [{ flags: '--out <file>', description: 'where', required: true }],
    example: 'tool key make --out k',
    run: greet.run,
  };
  const commands = {
    greet: entry(greet),
    fail: entry(failing(fail)),
    'key make': entry(needy),
    'key list': entry({ ...needy, name: 'key list', options: [] }),
    sign: entry({ ...greet, name: 'sign', options: [{ flags: '--key <keyref>', description: 'who signs', required: true }] }),
    look: entry({ ...greet, name: 'look', options: [{ flags: '--key <id>', description: 'which key' }] }),
  };
  const globals = [
    { flags: '--home <dir>', description: 'the home' },
    { flags: '--lane-url <url>', description: 'the lane' },
    { flags: '--out <file>', description: 'where what would be printed goes' },
    { flags: '--server <url>', description: 'whom to ask', of: ['greet', 'key list'] },
  ];
  return { loaded, program: { name: 'tool', version: '1.2.3', summary: 'a tool', globals, shared: ['--key <keyref>'], commands } };
}

async function run(argv: readonly string[], { env = {}, fail }: { env?: Record<string, string>; fail?: Error } = {}) {
  const { program: tool, loaded } = program(fail);
  let [out, talk] = ['', ''];
  const saved: Record<string, string> = {};
  const io = {
    env,
    cwd: '/',
    isTerminal: false,
    signal: new AbortController().signal,
    out: (text: string) => {
      out += text;
    },
    talk: (text: string) => {
      talk += text;
    },
    save: (file: string, text: string) => {
      saved[file] = text;
    },
  };
  const exit = await runCommandLine(tool, argv, io);
  const parsed = (): {
    args: CommandCall['args'];
    options: CommandCall['options'];
    error?: { code: string; message: string; hint: string };
  } => JSON.parse(out);
  return { exit, out, talk, saved, loaded, parsed };
}

test('--help of a command exits 0, ends with its example, and loads no other command', async () => {
  const { exit, out, talk, loaded } = await run(['greet', '--help']);
  expect(exit).toBe(0);
  expect(out.trimEnd().split('\n').slice(-2)).toEqual(['Example:', '  tool greet alice --home /tmp/x']);
  expect(out).toContain('--home <dir>');
  expect(talk).toBe('');
  expect(loaded).toEqual(['greet']);
});

test('help says of an option that collects that it may be repeated, unless its description does', async () => {
  const { out } = await run(['greet', '--help']);
  expect(out).toMatch(/--name <n> +a name; may be repeated\n/);
  expect(out).toMatch(/--word <w> +a word, again for more\n/);
  expect(out).toMatch(/--times <n> +how often\n/);
});

test('help of the program and of a group lists commands, exits 0 and loads none', async () => {
  for (const argv of [[], ['--help'], ['-h'], ['help'], ['--home', '/x', '--help']]) {
    const { exit, out, loaded } = await run(argv);
    expect([argv, exit, loaded]).toEqual([argv, 0, []]);
    expect(out).toContain('greets somebody');
    expect(out.trimEnd().split('\n').at(-1)).toMatch(/^ {2}tool /);
  }
  const group = await run(['key', '--help']);
  expect(group.exit).toBe(0);
  expect(group.out).toContain('key make');
  expect(group.out).not.toContain('greet');
});

test('help of the program says once what all commands take and which of them take the rest, and every exit code', async () => {
  const { out } = await run(['--help']);
  expect(out).toMatch(/\n {2}--home <dir> +the home\n/);
  expect(out).toMatch(/\n {2}--json +print one JSON object/);
  expect(out).toMatch(/\n {2}--server <url> +whom to ask \(greet, key list\)\n/);
  for (const [exit, meaning] of Object.entries(EXIT_CODES)) expect(out).toContain(`\n  ${exit}  ${meaning}\n`);
  expect((await run(['key', '--help'])).out).not.toContain('Exit codes');
});

test('an option of some commands is in their help, and refused by every other', async () => {
  expect((await run(['greet', '--help'])).out).toContain('--server <url>');
  expect((await run(['sign', '--help'])).out).not.toContain('--server');
  expect((await run(['greet', 'a', '--server', 'x', '--json'])).parsed()).toMatchObject({ options: { server: 'x' } });
  for (const argv of [
    ['sign', 'a', '--key', 'k', '--server', 'x', '--json'],
    ['--server', 'x', 'sign', 'a', '--key', 'k', '--json'],
  ]) {
    const { exit, parsed } = await run(argv);
    expect([exit, parsed().error]).toMatchObject([
      2,
      { code: 'USAGE', message: 'run tool sign: expected no --server <url>, which is for greet, key list' },
    ]);
  }
  // what the environment says is for whoever it may matter to
  expect((await run(['sign', 'a', '--key', 'k', '--json'], { env: { SEALANE_SERVER: 'x' } })).parsed()).toMatchObject({
    options: { server: 'x' },
  });
});

test('--version prints the version', async () => {
  expect(await run(['--version'])).toMatchObject({ exit: 0, out: '1.2.3\n' });
});

test.each([[['greet']], [['key', 'make']], [['key']]])('help of %j is its --help', async (words) => {
  for (const before of [[], ['--home', '/x']]) {
    const asked = await run([...before, 'help', ...words]);
    expect(asked).toMatchObject({ exit: 0, talk: '' });
    expect(asked.out).toBe((await run([...words, '--help'])).out);
  }
  expect((await run(['help', 'greet'])).out).toContain('tool greet alice');
});

test('an unknown command, also with --help, is 2, with a next step on stderr and nothing on stdout', async () => {
  for (const argv of [
    ['frobnicate'],
    ['frobnicate', '--help'],
    ['help', 'frobnicate'],
    ['key'],
    ['key', 'break'],
    ['__proto__'],
    ['toString', '--help'],
  ]) {
    const { exit, out, talk, loaded } = await run(argv);
    expect([argv, exit, out, loaded]).toEqual([argv, 2, '', []]);
    expect(talk).toContain('(USAGE)');
    // the help of its family, where its first word names one
    expect(talk).toContain(argv[0] === 'key' ? 'hint: run: tool key --help' : 'hint: run: tool --help');
  }
});

test('bad flags and arguments are 2 and name the command', async () => {
  for (const argv of [['greet'], ['greet', 'a', '--nope'], ['greet', 'a', '--times'], ['key', 'make'], ['key', 'list', 'extra']]) {
    const { exit, out, talk } = await run(argv);
    expect([argv, exit, out]).toEqual([argv, 2, '']);
    expect(talk).toMatch(/^tool: error: run tool (?:greet|key make|key list): .*\(USAGE\)\ntool: hint: /);
  }
});

test('with --json an error is one object on stdout, with the exit code of its row', async () => {
  const fail = new CoreError('LOG_FORK', 'compare checkpoints: expected an extension, got a fork');
  const { exit, parsed, out, talk } = await run(['fail', '--json'], { fail });
  expect(exit).toBe(4);
  expect(out.endsWith('}\n')).toBe(true);
  expect(parsed()).toEqual({ error: { code: 'LOG_FORK', message: fail.message, hint: expect.stringContaining('auditor') } });
  expect(talk).toContain('tool: error: compare checkpoints');
  const usage = await run(['nope', '--json']);
  expect([usage.exit, usage.parsed().error?.code]).toEqual([2, 'USAGE']);
});

test("the thrower's own hint wins over the table's", async () => {
  const fail = new CoreError('LOG_FORK', 'm', {}, { hint: 'call home' });
  expect((await run(['fail'], { fail })).talk).toContain('tool: hint: call home');
});

test('a fault of the program is 1, and shows its stack only when asked', async () => {
  const plain = await run(['fail', '--json']);
  expect([plain.exit, plain.parsed().error?.code]).toEqual([1, 'INTERNAL']);
  expect(plain.talk).not.toContain('    at ');
  expect((await run(['fail'], { env: { SEALANE_DEBUG: '1' } })).talk).toContain('    at ');
});

test('data goes to stdout, the next step to stderr, and not at all with --json', async () => {
  expect(await run(['greet', 'alice'])).toMatchObject({ exit: 0, out: 'hello alice\n', talk: 'tool: hint: say goodbye\n' });
  const json = await run(['greet', 'alice', 'bob', 'carol', '--word', 'a', '--word', 'b', '--json']);
  expect(json.talk).toBe('');
  expect(json.parsed().args).toEqual(['alice', ['bob', 'carol']]);
  expect(json.parsed().options).toMatchObject({ word: ['a', 'b'], json: true });
});

test('global options come from before the command, after it, or the environment, and the command line wins', async () => {
  const home = async (argv: string[], env: Record<string, string> = {}) => (await run([...argv, '--json'], { env })).parsed().options.home;
  expect(await home(['--home', '/a', 'greet', 'x'])).toBe('/a');
  expect(await home(['--json', '--home=/a', 'greet', 'x'])).toBe('/a');
  expect(await home(['greet', 'x', '--home', '/a'])).toBe('/a');
  expect(await home(['greet', 'x'], { SEALANE_HOME: '/e' })).toBe('/e');
  expect(await home(['--home', '/a', 'greet', 'x'], { SEALANE_HOME: '/e' })).toBe('/a');
  const { options } = (await run(['greet', 'x', '--json'], { env: { SEALANE_LANE_URL: 'http://l', SEALANE_TIMES: '3' } })).parsed();
  expect([options.laneUrl, options.times]).toEqual(['http://l', undefined]);
});

test('an option that commands share comes from before the command or the environment too, where a command has it in that meaning', async () => {
  const keyOf = async (argv: string[], env: Record<string, string> = {}) => (await run([...argv, '--json'], { env })).parsed().options.key;
  expect(await keyOf(['--key', 'a', 'sign', 'x'])).toBe('a');
  expect(await keyOf(['sign', 'x'], { SEALANE_KEY: 'e' })).toBe('e');
  expect(await keyOf(['sign', 'x', '--key', 'a'], { SEALANE_KEY: 'e' })).toBe('a');
  expect(await keyOf(['look', 'x'], { SEALANE_KEY: 'e' })).toBeUndefined();
  expect((await run(['sign', 'x'])).talk).toContain("required option '--key <keyref>' not specified");
  expect((await run(['greet', 'x', '--key', 'a'])).exit).toBe(2);
});

test('--out takes what would be printed; the object of --json is printed too; a command of its own --out gets it itself', async () => {
  expect(await run(['greet', 'alice', '--out', 'f'])).toMatchObject({ exit: 0, out: '', saved: { f: 'hello alice\n' } });
  expect(await run(['greet', 'alice'], { env: { SEALANE_OUT: 'e' } })).toMatchObject({ out: '', saved: { e: 'hello alice\n' } });
  const json = await run(['greet', 'alice', '--json', '--out', 'f']);
  expect(json.saved).toEqual({ f: json.out });
  expect(json.parsed().args[0]).toBe('alice');
  const own = await run(['key', 'make', '--json'], { env: { SEALANE_OUT: 'e' } });
  expect([own.exit, own.saved]).toEqual([0, {}]);
});

test('a leading global without its value, or before nothing, is 2', async () => {
  for (const argv of [['--home'], ['--home', '/a'], ['--home', '/a', 'nope'], ['--loud', 'greet', 'x']]) {
    expect([argv, (await run(argv)).exit]).toEqual([
      argv,
      argv.length === 2 && argv[1] === '/a' ? 0 : argv[0] === '--home' && argv.length === 1 ? 0 : 2,
    ]);
  }
});

test('nothing that a stranger named draws on a terminal or forges a line, and JSON stays what it says', async () => {
  const hostile = 'red \u001b[31m, back \u202e\u200f, home \u009bH, over\rwritten';
  const shown = 'red \\u001b[31m, back \\u202e\\u200f, home \\u009bH, over\\u000dwritten';
  expect((await run(['greet', hostile])).out).toBe(`hello ${shown}\n`);
  const json = (await run(['greet', hostile, '--json'])).out;
  // eslint-disable-next-line no-control-regex -- they are what must not be there
  expect(json).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  expect(JSON.parse(json)).toMatchObject({ args: [hostile, []] });
  const { talk } = await run(['fail'], { fail: new Error('quoted a\u001b[2J\ntool: error: forged') });
  expect(talk).toBe(`tool: error: quoted a [2J tool: error: forged (INTERNAL)\n${talk.split('\n')[1] ?? ''}\n`);
});
