// Appends prepared statements to a ledger, one call after the other, and says on stdout what was acknowledged: run by tests that kill it or fail its
// system calls. Words: the folder with the ledger and its keys, the file of statements.
import { createPrivateKey } from 'node:crypto';
import { readFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { cosign, parseCheckpoint } from '../../dist/core.mjs';
import { ed25519NoteSigner, ledgerAt, openLedger } from '../../dist/ledger.mjs';

const [folder, statements] = process.argv.slice(2);
const key = (name) => createPrivateKey(readFileSync(path.join(folder, name)));
const now = () => '2026-11-24T10:00:00Z';

/** One line, written before anything else happens: what a killed process has said stays said. */
const say = (line) => void writeSync(1, `${JSON.stringify(line)}\n`);

/** A step that may fail; its failure is said with its code, and the next step is tried. */
async function step(work) {
  try {
    say(await work());
  } catch (error) {
    say({ failed: error.code ?? null, message: error.message });
  }
}

const calls = JSON.parse(readFileSync(statements, 'utf8')).map((call) =>
  call.map(({ envelope, spki }) => ({ envelope, spki: new Uint8Array(Buffer.from(spki, 'base64')) })),
);
const origin = 'lane.example';
await step(async () => {
  const ledger = await openLedger({
    ...ledgerAt(path.join(folder, 'ledger.sqlite')),
    origin,
    logSigner: ed25519NoteSigner(origin, key('log.pem')),
    now,
  });
  for (const [at, entries] of calls.entries()) {
    await step(async () => ({ appended: (await ledger.append(entries)).map(({ index, statementDigest }) => [index, statementDigest]) }));
    if (at % 3 === 0) await step(async () => ({ cosigned: await cosigned(ledger) }));
  }
  await ledger.close();
  return { closed: true };
});

/** As the promoter does after an append: the head goes out to a witness, and comes back. */
async function cosigned(ledger) {
  const note = await ledger.checkpointNote();
  say({ shown: note });
  const line = cosign({ name: 'witness.example', privateKey: key('witness.pem') }, parseCheckpoint(note).text, 1_795_600_000);
  await ledger.saveCosigned(note + line);
  return note + line;
}
