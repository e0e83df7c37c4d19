/** A command on streams that take nothing: its talk is lost, its answer is missed. */
import { expect, it } from 'vitest';
import { commandStreams, type OutputStream } from './command-streams.js';

type Code = 'ENOSPC' | 'EPIPE' | 'EIO';

/** A stream that refuses each write with one code as Node does: it throws nothing, and tells it later. */
function stream(code?: Code): OutputStream & { readonly texts: string[] } {
  const texts: string[] = [];
  const listeners: ((error: Error) => void)[] = [];
  const write: OutputStream['write'] = (text, done) => {
    const error = code === undefined ? null : Object.assign(new Error(`${code}: no, write`), { code, syscall: 'write' });
    if (error === null) texts.push(text);
    queueMicrotask(() => {
      done(error);
      if (error === null) return;
      if (listeners.length === 0) throw error;
      for (const listener of listeners) listener(error);
    });
  };
  return { texts, write, on: (_, listener) => listeners.push(listener) };
}

async function ending(exit: number, out?: Code, talk?: Code): Promise<{ exit: number; told: string }> {
  const stderr = stream(talk);
  const streams = commandStreams('sealane', stream(out), stderr);
  streams.talk('talk\n');
  streams.out('answer\n');
  return { exit: await streams.exitAfterWriting(exit), told: stderr.texts.join('') };
}

it('ends as the command did when all was written, or was read as far as somebody wanted', async () => {
  for (const exit of [0, 3, 5]) {
    expect(await ending(exit)).toEqual({ exit, told: 'talk\n' });
    expect(await ending(exit, 'EPIPE')).toEqual({ exit, told: 'talk\n' });
  }
});

it('does not end with 0 when the answer is lost, and says why', async () => {
  const full = await ending(0, 'ENOSPC');
  expect(full.exit).toBe(2);
  expect(full.told).toMatch(
    /sealane: error: write the answer to standard output: expected the disk to let it, got ENOSPC: no \(STATE_UNWRITABLE\)\nsealane: hint: make room/,
  );
  const broken = await ending(0, 'EIO');
  expect(broken.exit).toBe(1);
  expect(broken.told).toMatch(/write the answer to standard output: EIO: no, write \(INTERNAL\)/);
});

it('keeps an exit code that says more than that', async () => {
  expect(await ending(7, 'ENOSPC')).toMatchObject({ exit: 7, told: expect.stringContaining('STATE_UNWRITABLE') });
});

it('goes on when nobody can be told', async () => {
  expect(await ending(0, undefined, 'ENOSPC')).toEqual({ exit: 0, told: '' });
  expect(await ending(0, 'ENOSPC', 'ENOSPC')).toEqual({ exit: 2, told: '' });
});
