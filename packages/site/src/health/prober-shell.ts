/** The two probers: one in this process, one as a unit of systemd with the network of the host, asked through a pipe. */
import { boundedLines } from '../apply/bounded-lines.js';
import { loadVariables, VARIABLES } from '../drivers/credentials.js';
import type { PipedUnit, Units } from '../drivers/systemd-shell.js';
import { programBeside } from '../program-beside.js';
import { type HealthProbe, probe, verdictOf } from './probe.js';
import type { Prober, ProbePlace } from './prober.js';
import { MAX_ANSWER_BYTES, parseProblem } from './probe-wire.js';

/** Asks from here. */
export function directProber(signal: AbortSignal): Prober {
  return { ask: (question, place) => probe(question, { ...place, signal }), close: () => Promise.resolve() };
}

/** Asks through a unit of `program`, which is started with the first question, and again after it was ended by others. */
export function unitProber(
  units: Units,
  properties: readonly string[],
  signal: AbortSignal,
  program = (): string => programBeside('sealane-site-probe'),
): Prober {
  let asker: Asker | undefined;
  let given: string | undefined;
  const close = async (): Promise<void> => {
    signal.removeEventListener('abort', stop);
    await asker?.close();
    asker = undefined;
  };
  const stop = (): void => void close();
  const started = (variables: string | undefined): Asker => {
    signal.addEventListener('abort', stop, { once: true });
    given = variables;
    const made = startAsker(units, program(), [...loadVariables(variables), ...properties]);
    void made.ended.then(() => {
      if (asker === made) asker = undefined;
    });
    return made;
  };
  return {
    ask: async (question, place) => {
      const variables = place.env[VARIABLES];
      // a unit is given its files when it starts: those of another release are another unit's
      if (asker !== undefined && given !== variables) {
        void asker.close();
        asker = undefined;
      }
      return verdictOf(question, await (asker ??= started(variables)).ask(question, place));
    },
    close,
  };
}

interface Asker {
  ask(question: HealthProbe, place: ProbePlace): Promise<string | undefined>;
  close(): Promise<void>;
  /** Resolves when it is there no more, for whatever reason. */
  readonly ended: Promise<void>;
}

/** Questions go out as they come; answers come back in their order. */
function startAsker(units: Units, program: string, properties: readonly string[]): Asker {
  const unit: PipedUnit = units.pipe({
    properties: ['Description=Sealane health probes', ...properties],
    cwd: '/',
    argv: [process.execPath, program],
  });
  const lines = boundedLines(unit.stdout, MAX_ANSWER_BYTES);
  // a prober that is gone shows as a missing answer
  unit.stdin.on('error', () => undefined);
  let last: Promise<string | undefined> = Promise.resolve(undefined);
  return {
    ask: (question, place) => {
      unit.stdin.write(`${JSON.stringify({ question, place })}\n`);
      last = last.then(() => nextProblem(lines));
      return last;
    },
    close: async () => {
      unit.stdin.end();
      await unit.ended;
    },
    ended: unit.ended,
  };
}

async function nextProblem(lines: AsyncIterator<Uint8Array, void>): Promise<string | undefined> {
  try {
    const { value, done } = await lines.next();
    return done === true ? 'whoever asks it ended without an answer' : parseProblem(value);
  } catch (error) {
    // too long or garbled: whoever answers so is not healthy
    return error instanceof Error ? error.message : String(error);
  }
}
