/** The prober that is a unit: what it is given, and when it gives way to another. The unit here is a pipe; the real one is asked in `test/requirements/b18-units.test.ts`. */
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { laidVariables } from '../drivers/credentials.js';
import type { UnitCommand, Units } from '../drivers/systemd-shell.js';
import type { HealthProbe } from './probe.js';
import { unitProber } from './prober-shell.js';

const question: HealthProbe = { kind: 'command', command: ['true'], timeoutMs: 1000 };
const at = (file?: string): { cwd: string; env: NodeJS.ProcessEnv } => ({
  cwd: '/state/current',
  env: file === undefined ? {} : { SEALANE_VARIABLES: file },
});

/** Units that say of each question that nothing is wrong, and remember how each was started and whether it was told to end. */
function fakeUnits(): { readonly units: Units; readonly started: { readonly properties: readonly string[]; isEnded: boolean }[] } {
  const started: { properties: readonly string[]; isEnded: boolean }[] = [];
  const pipe = ({ properties }: UnitCommand): ReturnType<Units['pipe']> => {
    const [stdin, stdout] = [new PassThrough(), new PassThrough()];
    const unit = { properties, isEnded: false };
    started.push(unit);
    stdin.on('data', () => stdout.write('{"problem":null}\n'));
    const ended = new Promise<void>((resolve) => {
      stdin.on('end', () => {
        unit.isEnded = true;
        stdout.end();
        resolve();
      });
    });
    return { stdin, stdout, ended };
  };
  return { units: { pipe } as Units, started };
}

test('one unit asks for one release; it is given the file of its variables, and one of other variables is another unit', async () => {
  const { units, started } = fakeUnits();
  const prober = unitProber(units, ['User=daemon'], new AbortController().signal, () => '/usr/lib/sealane-site/sealane-site-probe.mjs');
  for (const file of ['/state/1', '/state/1', '/state/2', undefined])
    expect(await prober.ask(question, at(file))).toMatchObject({ verdict: 'pass' });
  expect(started.map(({ properties }) => properties.slice(1))).toEqual([
    ['LoadCredential=SEALANE_VARIABLES:/state/1', 'User=daemon'],
    ['LoadCredential=SEALANE_VARIABLES:/state/2', 'User=daemon'],
    ['User=daemon'],
  ]);
  await prober.close();
  expect(started.map(({ isEnded }) => isEnded)).toEqual([true, true, true]);
});

test('a question is asked with the file that lies there for the user of the unit, and with none where none was given', () => {
  const given = { CREDENTIALS_DIRECTORY: '/run/credentials/x.service' };
  expect(laidVariables(given, at('/state/1').env)).toEqual({ SEALANE_VARIABLES: '/run/credentials/x.service/SEALANE_VARIABLES' });
  expect(laidVariables(given, {})).toEqual({});
  // where no unit is, the file is where it was written
  expect(laidVariables({}, at('/state/1').env)).toEqual({});
});
