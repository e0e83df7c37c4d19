/** The owners' ceremony: proposals travel to owners on other machines and back, and nothing is current before enough of them have signed. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { canonicalJson } from '@sealane/core';
import { describeTarget, encodePolicy, parsePolicy } from '@sealane/trust';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, makeHome, PROVENANCE, runSealane, type TestHome } from '../testing/test-home.js';
import { describedChanges } from './described-changes.js';
import { encodeProposal, parseProposal } from './proposal.js';

let lane: TestHome;
let proposal: string;

beforeEach(async () => {
  lane = await makeHome();
  proposal = path.join(lane.home, 'proposal.json');
});

afterEach(async () => {
  await lane.stop();
});

/** The lane as sites fetch it: names of its metadata, and what the timestamp vouches for. */
const metadata = (): readonly string[] => readdirSync(path.join(lane.home, 'lane', 'trust', 'metadata'));
const versions = async (): Promise<Record<string, number>> => (await lane.sealane(['trust', 'verify'])).versions;

async function expectCode(words: readonly string[], exit: number, code: string): Promise<Answer['json']['error']> {
  const { json, exit: got, talk } = await lane.run(words);
  expect({ exit: got, code: json?.error?.code }, talk).toEqual({ exit, code });
  expect(json.error.hint).toMatch(/\w/);
  return json.error;
}

/** Moves an owner's private key to a machine of its own and leaves the public half behind. */
async function moveAway(owner: string): Promise<string> {
  const machine = mkdtempSync(path.join(lane.dir, `${owner}-`));
  mkdirSync(path.join(machine, 'keys'), { mode: 0o700 });
  const local = path.join(lane.home, 'owners', `${owner}.pem`);
  cpSync(local, path.join(machine, 'keys', `${owner}.pem`));
  const exported = await runSealane(machine, ['key', 'export', owner, '--home', machine]);
  renameSync(local, path.join(machine, 'moved.pem'));
  writeFileSync(path.join(lane.home, 'owners', `${owner}.pub.pem`), exported.json.public);
  return machine;
}

async function sign(...owners: readonly string[]): Promise<void> {
  for (const owner of owners) await lane.sealane(['trust', 'sign', proposal, '--key', owner]);
}

function editPipeline(from: string, to: string): void {
  const file = path.join(lane.home, 'pipeline.yaml');
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(from);
  writeFileSync(file, text.replace(from, to));
}

describe('a change of policy', () => {
  it('tells the owner whose signature is the last one how it is published, and that works as told', async () => {
    editPipeline('count: 1', 'count: 2');
    await lane.run(['trust', 'propose']);
    await sign('targets-1');
    const talk = await lane.talkOf(['trust', 'sign', proposal, '--key', 'targets-2']);
    const [, told = ''] = /: sealane (trust publish \S+)$/m.exec(talk) ?? [];
    await lane.sealane(told.split(' '));
    expect(await versions()).toMatchObject({ targets: 2 });
  });

  it('is nothing when nothing differs', async () => {
    expect(await lane.sealane(['trust', 'propose'])).toMatchObject({ file: null, changes: [] });
    expect(existsSync(proposal)).toBe(false);
  });

  it('waits for the owners (5), says who is missing, and leaves the lane as it was', async () => {
    const before = metadata();
    editPipeline('count: 1', 'count: 2');
    const { exit, json } = await lane.run(['trust', 'propose']);
    expect(exit).toBe(5);
    expect(json).toMatchObject({ file: proposal, basedOn: { root: 1, targets: 1 }, root: null, targets: { missing: 2, signedBy: [] } });
    expect(json.changes.join('\n')).toMatch(/prod/);
    expect(await lane.talkOf(['trust', 'sign', proposal, '--key', 'targets-1'])).toContain(`sealane trust sign ${proposal} --key KEY`);
    await expectCode(['trust', 'publish'], 5, 'TRUST_UNSIGNED');
    expect(metadata()).toEqual(before);
    expect(await versions()).toMatchObject({ root: 1, targets: 1 });
    expect(existsSync(proposal)).toBe(true);
  });

  it('takes copies that owners signed on machines of their own, and publishes when both have', async () => {
    const machines = { 'targets-1': await moveAway('targets-1'), 'targets-2': await moveAway('targets-2') };
    editPipeline('count: 1', 'count: 2');
    await lane.sealane(['trust', 'propose'], 5);
    const copies: string[] = [];
    for (const [owner, machine] of Object.entries(machines)) {
      const copy = path.join(machine, 'proposal.json');
      cpSync(proposal, copy);
      const signed = await runSealane(machine, ['trust', 'sign', copy, '--key', owner, '--home', machine]);
      expect(signed.exit, signed.talk).toBe(0);
      copies.push(copy);
    }
    await expectCode(['trust', 'publish', copies[0] ?? ''], 5, 'TRUST_UNSIGNED');
    // the same signature twice is still one owner
    await expectCode(['trust', 'publish', copies[0] ?? '', copies[0] ?? ''], 5, 'TRUST_UNSIGNED');
    expect(await versions()).toMatchObject({ targets: 1 });
    await lane.sealane(['trust', 'publish', ...copies]);
    expect(await versions()).toMatchObject({ root: 1, targets: 2 });
    expect(existsSync(proposal)).toBe(false);
    expect(await lane.sealane(['trust', 'propose'])).toMatchObject({ file: null });
  });

  it('does not take a signature of anybody who is no owner', async () => {
    editPipeline('count: 1', 'count: 2');
    await lane.sealane(['trust', 'propose'], 5);
    const before = readFileSync(proposal);
    const { exit, json } = await lane.run(['trust', 'sign', proposal, '--key', 'alice']);
    expect({ exit, code: json.error.code }).toEqual({ exit: 2, code: 'KEY_NOT_NAMED' });
    expect(readFileSync(proposal)).toEqual(before);
  });

  it('whose shown policy is not the one that is signed is refused before anybody signs', async () => {
    editPipeline('count: 1', 'count: 2');
    await lane.sealane(['trust', 'propose'], 5);
    const document = readFileSync(proposal, 'utf8');
    expect(document).toContain('"count":2');
    writeFileSync(proposal, document.replace('"count":2', '"count":9'));
    await expectCode(['trust', 'show'], 2, 'CONFIG_INVALID');
    await expectCode(['trust', 'sign', proposal, '--key', 'targets-1'], 2, 'CONFIG_INVALID');
    await expectCode(['trust', 'publish'], 2, 'CONFIG_INVALID');
    expect(await versions()).toMatchObject({ targets: 1 });
  });

  it('does not mix copies of two proposals', async () => {
    editPipeline('count: 1', 'count: 2');
    await lane.sealane(['trust', 'propose'], 5);
    const first = path.join(lane.dir, 'first.json');
    cpSync(proposal, first);
    editPipeline('count: 2', 'count: 3');
    await lane.sealane(['trust', 'propose'], 5);
    await expectCode(['trust', 'publish', first], 4, 'TRUST_MISMATCH');
  });

  it('that was made for a state of the lane that has passed is stale (2)', async () => {
    editPipeline('count: 1', 'count: 2');
    await lane.sealane(['trust', 'propose'], 5);
    await sign('targets-1', 'targets-2');
    const old = path.join(lane.dir, 'old.json');
    cpSync(proposal, old);
    await lane.sealane(['trust', 'publish']);
    editPipeline('count: 2', 'count: 3');
    await lane.sealane(['trust', 'propose'], 5);
    await sign('targets-1', 'targets-2');
    await lane.sealane(['trust', 'publish']);
    await expectCode(['trust', 'publish', old], 2, 'PROPOSAL_STALE');
    expect(await versions()).toMatchObject({ targets: 3 });
  });

  it('keeps what was decided under the policy before below the log’s size now, unless told otherwise', async () => {
    await lane.release('1.0.0');
    editPipeline('count: 1', 'count: 2');
    const { changes } = await lane.sealane(['trust', 'propose'], 5);
    const policyOf = (): { accepts: { belowIndex: number }[] } => JSON.parse(readFileSync(proposal, 'utf8')).files['policy/prod.json'];
    expect(policyOf().accepts).toMatchObject([{ belowIndex: 1 }]);
    expect(changes.join('\n')).toMatch(/accept/);
    await lane.sealane(['trust', 'propose', '--accept', 'none'], 5);
    expect(policyOf().accepts).toEqual([]);
    const { exit } = await lane.run(['trust', 'propose', '--accept', 'all']);
    expect(exit).toBe(2);
  });
});

describe('rotation', () => {
  it('of a root key takes two of the three old owners and two of the new', async () => {
    await lane.sealane(['key', 'rotate', 'root-1'], 5);
    await sign('root-2');
    await expectCode(['trust', 'publish'], 5, 'TRUST_UNSIGNED');
    // the new key is an owner of the new root only: the old one still has one signature of two
    await sign('root-1.next');
    await expectCode(['trust', 'publish'], 5, 'TRUST_UNSIGNED');
    expect(await versions()).toMatchObject({ root: 1 });
    await sign('root-3');
    await lane.sealane(['trust', 'publish']);
    expect(await versions()).toMatchObject({ root: 2, targets: 1 });
    // the old key signs no more: the name means the new one
    await lane.sealane(['key', 'rotate', 'root-2'], 5);
    await sign('root-1', 'root-3');
    await lane.sealane(['trust', 'publish']);
    expect(await versions()).toMatchObject({ root: 3 });
  });

  it('of the stage’s key keeps its channel, and the new key signs from then on', async () => {
    const release = await lane.release('1.0.0');
    await lane.sealane(['evidence', 'add', release, '--provenance', lane.file('provenance.json', PROVENANCE), '--key', 'builder']);
    await lane.sealane(['promote', release, '--to', 'dev']);
    const before = await lane.sealane(['channel', 'show', 'dev']);
    const oldKey = readFileSync(path.join(lane.home, 'keys', 'dev.pem'), 'utf8');
    await lane.sealane(['key', 'rotate', 'dev'], 5);
    // the old key goes on until the owners have published
    expect(readFileSync(path.join(lane.home, 'keys', 'dev.pem'), 'utf8')).toBe(oldKey);
    await lane.sealane(['channel', 'hold', 'dev', '--reason', 'a rotation is on its way']);
    await sign('targets-1', 'targets-2');
    await lane.sealane(['trust', 'publish']);
    expect(readFileSync(path.join(lane.home, 'keys', 'dev.pem'), 'utf8')).not.toBe(oldKey);
    const after = await lane.sealane(['channel', 'show', 'dev']);
    expect(after.groups).toEqual(before.groups);
    expect(after.held).not.toEqual([]);
    await lane.sealane(['channel', 'unhold', 'dev']);
    await lane.sealane(['trust', 'verify']);
    expect(await lane.sealane(['promote', release, '--to', 'dev'])).toMatchObject({ decision: 'passed' });
  });

  it.each(['snapshot', 'timestamp'])('of %s takes a new root, and the lane verifies under it', async (role) => {
    await lane.sealane(['key', 'rotate', role], 5);
    await lane.sealane(['publish', '--refresh']);
    await sign('root-1', 'root-2');
    await lane.sealane(['trust', 'publish']);
    expect(await versions()).toMatchObject({ root: 2 });
    await lane.sealane(['publish', '--refresh']);
    await lane.sealane(['trust', 'verify']);
  });

  it('of a key of root waits for no witness: the root is logged, and seen by them later', async () => {
    await lane.release('1.0.0');
    await lane.sealane(['publish', '--refresh']);
    await lane.stopWitness();
    await lane.sealane(['key', 'rotate', 'timestamp'], 5);
    await sign('root-1', 'root-2');
    await lane.sealane(['trust', 'publish']);
    expect(await versions()).toMatchObject({ root: 2 });
    expect((await lane.sealane(['audit', 'verify'])).answer).toMatchObject({ ok: true, problems: [] });
    const { answer, complete } = await lane.sealane(['audit', 'keys'], 4);
    expect(answer.roots).toMatchObject([
      { version: 1, witnessed: null },
      { version: 2, witnessed: null },
    ]);
    expect(complete).toBe(false);
  });

  it('of an owner of targets takes root, and targets signed by the new owners', async () => {
    await lane.sealane(['key', 'rotate', 'targets-1'], 5);
    await sign('root-1', 'root-2');
    await expectCode(['trust', 'publish'], 5, 'TRUST_UNSIGNED');
    expect(await versions()).toMatchObject({ root: 1, targets: 1 });
    // the one proposal has both to sign
    expect(await lane.sealane(['trust', 'show'])).toMatchObject({ root: { missing: 0 }, targets: { missing: 2 } });
    await sign('targets-1.next', 'targets-2');
    await lane.sealane(['trust', 'publish']);
    expect(await versions()).toMatchObject({ root: 2, targets: 2 });
  });

  it('of a person: approvals by the new key count, the old key’s later ones do not', async () => {
    const { id: before } = (await lane.sealane(['key', 'list'])).keys.find(({ names }: { names: string[] }) => names.includes('alice'));
    await lane.sealane(['key', 'rotate', 'alice'], 5);
    await sign('targets-1', 'targets-2');
    await lane.sealane(['trust', 'publish']);
    const { keys } = await lane.sealane(['key', 'list']);
    expect(keys.find(({ id }: { id: string }) => id === before)).toMatchObject({ untilIndex: 0 });
    expect(keys.find(({ names }: { names: string[] }) => names.includes('alice'))).toMatchObject({ untilIndex: null });
  });

  it('of the log waits for witnesses that know the new key, and is withdrawn by taking key and proposal away', async () => {
    const before = await versions();
    await lane.sealane(['key', 'rotate', 'log'], 5);
    await sign('targets-1', 'targets-2');
    await expectCode(['trust', 'publish'], 5, 'LOG_KEY_UNKNOWN');
    expect(await versions()).toEqual(before);
    rmSync(path.join(lane.home, 'keys', 'log.next.pem'));
    await expectCode(['trust', 'publish'], 2, 'KEY_NOT_NAMED');
    rmSync(proposal);
    expect(await lane.sealane(['trust', 'propose'])).toMatchObject({ file: null });
    await lane.release('1.0.0');
    await lane.sealane(['publish', '--refresh']);
    expect(await lane.sealane(['ledger', 'fsck'])).toMatchObject({ ok: true });
  });

  it('puts no key back into a role that let it go: neither proposed nor published', async () => {
    const backAs = (name: string): void => {
      const [old] = readdirSync(path.join(lane.home, 'keys')).filter((file) => file.startsWith(`${name}.retired-`));
      cpSync(path.join(lane.home, 'keys', old ?? ''), path.join(lane.home, 'keys', `${name}.next.pem`));
    };
    for (const name of ['timestamp', 'dev']) await lane.sealane(['key', 'rotate', name], 5);
    await sign('root-1', 'root-2', 'targets-1', 'targets-2');
    await lane.sealane(['trust', 'publish']);
    backAs('timestamp');
    const { message } = await expectCode(['trust', 'propose'], 2, 'KEY_RETURNED');
    expect(message).toMatch(
      /^propose root 3: expected keys that timestamp has or never had, got [0-9a-f]{64} again, which version 2 let go$/,
    );
    expect(existsSync(proposal)).toBe(false);
    rmSync(path.join(lane.home, 'keys', 'timestamp.next.pem'));
    backAs('dev');
    expect((await expectCode(['trust', 'propose'], 2, 'KEY_RETURNED')).message).toMatch(/^propose targets 3: .* dev has or never had/);
    rmSync(path.join(lane.home, 'keys', 'dev.next.pem'));
    // a key that is in use, and a proposal that renews, are no return
    await lane.sealane(['trust', 'propose', '--renew'], 5);
    await sign('root-1', 'root-2', 'targets-1', 'targets-2');
    await lane.sealane(['trust', 'publish']);
    expect(await versions()).toMatchObject({ root: 3, targets: 3 });
  });

  it('that a host proposed which forgot what was published, with a key put back, is not published however many sign it', async () => {
    await lane.sealane(['key', 'rotate', 'dev'], 5);
    await sign('targets-1', 'targets-2');
    await lane.sealane(['trust', 'publish']);
    const before = metadata();
    const forgotten = path.join(lane.home, 'lane', 'trust', 'metadata', '1.targets.json');
    const kept = readFileSync(forgotten);
    rmSync(forgotten);
    const [old] = readdirSync(path.join(lane.home, 'keys')).filter((file) => file.startsWith('dev.retired-'));
    cpSync(path.join(lane.home, 'keys', old ?? ''), path.join(lane.home, 'keys', 'dev.next.pem'));
    await lane.sealane(['trust', 'propose'], 5);
    writeFileSync(forgotten, kept);
    await sign('targets-1', 'targets-2');
    await expectCode(['trust', 'publish'], 2, 'KEY_RETURNED');
    expect(metadata()).toEqual(before);
  });

  it('of a key that is not there, or of the log in a token, is refused and proposes nothing', async () => {
    await expectCode(['key', 'rotate', 'log', '--held-by', 'exec:no-such-helper'], 2, 'USAGE');
    await expectCode(['key', 'rotate', 'nobody'], 2, 'KEY_NOT_NAMED');
    expect(existsSync(proposal)).toBe(false);
  });
});

describe('roles that must be apart', () => {
  it.each([
    ['a key of owners for a stage', '  - name: dev\n', '  - name: dev\n    key: targets-1\n', 'owner of targets than as stage dev'],
    ['a key of owners for a person', 'keys: [bob]', 'keys: [root-2]', 'owner of root than as person bob'],
    ["a stage's key for a person", 'keys: [bob]', 'keys: [dev]', 'stage dev than as person bob'],
    ["a stage's key for a lab", 'tests: [lab]', 'tests: [prod]', 'stage prod than as signer of tests'],
    ["a stage's key for the registrar", 'registrar: registrar', 'registrar: prod', 'stage prod than as registrar'],
    ['the key of the timestamp for an author', 'release: [author]', 'release: [timestamp]', 'timestamp than as signer of release'],
  ])('%s is not proposed', async (_, from, to, roles) => {
    editPipeline(from, to);
    expect((await expectCode(['trust', 'propose'], 2, 'KEY_ROLES_SHARED')).message).toMatch(
      new RegExp(`^judge who has which role: expected another key as ${roles}, got [0-9a-f]{64} for both$`),
    );
    expect(existsSync(proposal)).toBe(false);
    editPipeline(to, from);
    expect(await lane.sealane(['trust', 'propose'])).toMatchObject({ file: null });
  });

  it('a key of owners that becomes the one of a person in a policy that stays is not proposed', async () => {
    cpSync(path.join(lane.home, 'keys', 'bob.pem'), path.join(lane.home, 'owners', 'root-3.next.pem'));
    expect((await expectCode(['trust', 'propose'], 2, 'KEY_ROLES_SHARED')).message).toContain('owner of root than as person bob');
    expect(existsSync(proposal)).toBe(false);
  });

  it('a key that had one role has the other once it has ended there', async () => {
    await lane.sealane(['key', 'rotate', 'bob'], 5);
    await sign('targets-1', 'targets-2');
    await lane.sealane(['trust', 'publish']);
    const [old] = readdirSync(path.join(lane.home, 'keys')).filter((file) => file.startsWith('bob.retired-'));
    cpSync(path.join(lane.home, 'keys', old ?? ''), path.join(lane.home, 'owners', 'root-3.next.pem'));
    await lane.sealane(['trust', 'propose'], 5);
  });

  it('a proposal that a host made which asks nobody is neither signed nor published', async () => {
    await lane.sealane(['key', 'create', 'bob-token']);
    editPipeline('keys: [bob]', 'keys: [bob-token]');
    await lane.sealane(['trust', 'propose'], 5);
    withPerson('bob', 'dev');
    const made = readFileSync(proposal);
    const before = metadata();
    expect((await expectCode(['trust', 'sign', proposal, '--key', 'targets-1'], 2, 'KEY_ROLES_SHARED')).message).toContain(
      'stage dev than as person bob',
    );
    expect(readFileSync(proposal)).toEqual(made);
    await expectCode(['trust', 'publish'], 2, 'KEY_ROLES_SHARED');
    expect(metadata()).toEqual(before);
  });
});

/** Gives a person of the open proposal a stage's key, and says so as the promoter would. */
function withPerson(person: string, stage: string): void {
  const open = parseProposal(readFileSync(proposal), proposal);
  const files = new Map(
    [...open.files].map(([name, bytes]): [string, Uint8Array] => {
      if (!name.startsWith('policy/')) return [name, bytes];
      const policy = parsePolicy(bytes);
      const keys = policy.chain.find((link) => link.stage === stage)?.keys ?? [];
      return [name, encodePolicy({ ...policy, people: policy.people.map((each) => (each.id === person ? { ...each, keys } : each)) })];
    }),
  );
  const targets = JSON.parse(new TextDecoder().decode(open.targets ?? undefined)) as {
    readonly signed: { readonly targets: Record<string, { length: number; hashes: { sha256: string } }> };
  };
  for (const [name, bytes] of files) {
    const { lengthBytes, sha256Hex } = describeTarget(name, bytes);
    targets.signed.targets[name] = { length: lengthBytes, hashes: { sha256: sha256Hex } };
  }
  const parts = { ...open, files, targets: canonicalJson(targets) };
  writeFileSync(proposal, encodeProposal({ ...parts, changes: describedChanges(parts) }));
}

describe('revocation', () => {
  it('ends a key at a log index, waits for the owners (5), and holds in every later proposal', async () => {
    await lane.sealane(['key', 'revoke', 'lab', '--until-index', '7', '--reason', 'stolen from the bench'], 5);
    await sign('targets-1', 'targets-2');
    await lane.sealane(['trust', 'publish']);
    const lab = async (): Promise<unknown> =>
      (await lane.sealane(['key', 'list'])).keys.find(({ names }: { names: string[] }) => names.includes('lab'));
    expect(await lab()).toMatchObject({ untilIndex: 7 });
    // later is not taken: windows only get narrower
    expect(await lane.sealane(['key', 'revoke', 'lab', '--until-index', '9', '--reason', 'again'])).toMatchObject({ file: null });
    editPipeline('count: 1', 'count: 2');
    await lane.sealane(['trust', 'propose'], 5);
    await sign('targets-1', 'targets-2');
    await lane.sealane(['trust', 'publish']);
    expect(await lab()).toMatchObject({ untilIndex: 7 });
  });

  it('of a stage’s key waits for another one, since no index ends what it says in a channel', async () => {
    const { message, hint } = await expectCode(['key', 'revoke', 'dev', '--until-index', '0'], 2, 'USAGE');
    expect(message).toContain('expected another key for stage dev first');
    expect(existsSync(proposal)).toBe(false);
    const [, id = ''] = /sealane key revoke ([0-9a-f]{64}) --until-index/.exec(hint) ?? [];
    await lane.sealane(['key', 'rotate', 'dev'], 5);
    await lane.sealane(['key', 'revoke', id, '--until-index', '0', '--reason', 'stolen'], 5);
    await sign('targets-1', 'targets-2');
    await lane.sealane(['trust', 'publish']);
    const rows: { id: string; uses: string[]; untilIndex: number | null }[] = (await lane.sealane(['key', 'list'])).keys;
    expect(rows.find((row) => row.id === id)).toMatchObject({ untilIndex: 0 });
    expect(rows.filter(({ uses }) => uses.includes('signs channel dev')).map((row) => row.id)).not.toContain(id);
  });

  it('of a key that no policy names, or from an index that is none, is refused', async () => {
    await expectCode(['key', 'revoke', 'timestamp', '--reason', 'x'], 2, 'KEY_NOT_NAMED');
    await expectCode(['key', 'revoke', 'lab', '--until-index', '-1', '--reason', 'x'], 2, 'USAGE');
    expect(existsSync(proposal)).toBe(false);
  });
});
