/** Row B21: behind a firewall that lets nothing in, all that the centre orders arrives; what leaves goes to the declared list, as a capture of packets shows. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeLane, type TestLane } from '../support/lane.js';
import { canLink, type End, end, plug } from '../support/link.js';
import { requireProgram } from '../support/require-program.js';
import { type Answer, commandWords, ROOT, runProgram, type Server, startListening } from '../support/run.js';
import { enrolSite, type TestSite } from '../support/site.js';

const python = requireProgram('python3');

describe.skipIf(!canLink() || python === undefined)('B21 outbound only (skipped where no links can be made)', () => {
  let dir: string;
  let lane: TestLane;
  let here: End;
  let center: End;
  let central: Server;
  let capture: Server;
  let site: TestSite;
  let one: string;
  let two: string;

  const inside = (at: End, words: readonly string[]): [string, readonly string[]] => [at.enter[0], [...at.enter.slice(1), ...words]];
  const onSite = async (...words: readonly string[]): Promise<Answer> => {
    const command = commandWords('sealane-site', [...words, '--config', site.config, '--state', site.state, '--json']);
    const ended = await runProgram(...inside(here, [process.execPath, ...command]));
    return { ...ended, json: ended.stdout === '' ? undefined : JSON.parse(ended.stdout) };
  };
  const expectUpdate = async (exit: number, what: object): Promise<void> => {
    const answer = await onSite('update');
    expect({ exit: answer.exit, ...answer.json }, answer.stderr).toMatchObject({ exit, ...what });
  };

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sealane-b21-'));
    const grants = '  - { kind: rollback, people: [alice], need: 1, maxDays: 2, maxUses: 1 }\n';
    lane = await makeLane(dir, { pipeline: (text) => text.replace(/( {2}- \{ kind: stale.*\n)/, `$1${grants}`) });
    [here, center] = [await end('10.77.0.1'), await end('10.77.1.1')];
    for (const side of [here, center]) side.run('sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1');
    plug('wan', here, center);
    // whoever wants to begin a conversation with the site is not heard; answers are
    for (const rule of ['-P INPUT DROP', '-A INPUT -i lo -j ACCEPT', '-A INPUT -p tcp ! --syn -j ACCEPT'])
      here.run('iptables', ...rule.split(' '));
    const serve = commandWords('sealane', ['serve', '--listen', `${center.address}:0`, '--home', lane.home]);
    central = await startListening(...inside(center, [process.execPath, ...serve]));
    one = await lane.release('1.0.0');
    await lane.promote(one);
    site = await enrolSite(lane, path.join(dir, 'site'), { upstreams: [central.url], receiptsTo: central.url });
    capture = await startListening(...inside(here, [python ?? '', path.join(ROOT, 'test', 'support', 'capture.py'), 'wan']));
  });

  afterAll(async () => {
    await site.stop();
    await capture.stop();
    await central.stop();
    await lane.stop();
    here.stop();
    center.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test('B21 a release, a fence, a hold, a revocation and their lifting arrive, and receipts leave, with all inbound traffic dropped', async () => {
    await expectUpdate(0, { outcome: 'installed', release: one });
    // EAGAIN: not even refused, which would be an answer
    const knock = `import socket; s = socket.socket(); s.settimeout(1); print(s.connect_ex(("${here.address}", 22)))`;
    expect(center.run(python ?? '', '-c', knock).trim()).toBe('11');
    await lane.sealane(['site', 'fence', 'harbour-7', '--reason', 'a flood']);
    await expectUpdate(3, { outcome: 'refused', reason: 'SITE_FENCED' });
    await lane.sealane(['site', 'rejoin', 'harbour-7', '--reason', 'it is dry']);
    await expectUpdate(0, { outcome: 'unchanged' });
    two = await lane.release('1.1.0');
    await lane.promote(two);
    await lane.sealane(['channel', 'hold', 'prod', '--reason', 'not before noon']);
    await expectUpdate(3, { outcome: 'refused', reason: 'CHANNEL_HELD' });
    await lane.sealane(['channel', 'unhold', 'prod', '--reason', 'it is noon']);
    await lane.sealane(['revoke', two, '--reason', 'it loses data']);
    await expectUpdate(3, { outcome: 'refused', reason: 'RELEASE_REVOKED' });
    expect((await onSite('status')).json).toMatchObject({ receiptsQueued: 0, current: { release: one } });
  });

  test('B21 a drain and its end arrive, and a grant to go back below the floor, with all inbound traffic dropped', async () => {
    await lane.sealane(['site', 'drain', 'harbour-7', '--reason', 'the crane is rebuilt']);
    await expectUpdate(3, { outcome: 'refused', reason: 'SITE_DRAINED' });
    expect((await onSite('status')).json).toMatchObject({ state: 'drained', workload: { is: 'none' } });
    await lane.sealane(['site', 'rejoin', 'harbour-7', '--reason', 'it stands']);
    const three = await lane.release('1.2.0');
    await lane.promote(three);
    await expectUpdate(0, { outcome: 'installed', release: three });
    await lane.sealane(['revoke', two, '--floor', '--reason', 'what came before it loses data too']);
    await expectUpdate(0, { outcome: 'unchanged' });
    const back = async (): Promise<Answer> => await onSite('rollback', one);
    expect((await back()).json).toMatchObject({ reason: 'RELEASE_BELOW_FLOOR' });

    const request = path.join(dir, 'request.json');
    await onSite('exception', 'request', '--kind', 'rollback', '--release', one, '--reason', 'tills', '--out', request);
    const granted = await lane.sealane(['exception', 'create', '--request', request, '--key', 'alice', '--reason', 'tills stand still']);
    await lane.sealane(['exception', 'send', granted.statements[0].digest]);
    await onSite('update');
    expect((await back()).json).toMatchObject({ outcome: 'installed', release: one });
  });

  test('B21 its end arrives too, and its last receipt leaves', async () => {
    await lane.sealane(['site', 'retire', 'harbour-7', '--reason', 'the quay is closed', '--key', 'registrar']);
    await expectUpdate(3, { outcome: 'refused', reason: 'SITE_RETIRED' });
    expect((await onSite('status')).json).toMatchObject({ state: 'retired', receiptsQueued: 0 });
    expect(await lane.sealane(['site', 'show', 'harbour-7'])).toMatchObject({ retired: true, lastEvent: 'retired' });
  });

  test('B21 what left went to the list that sealane-site egress prints, and nowhere else', async () => {
    const { egress, needsDns } = (await onSite('egress')).json as { egress: { host: string; port: number }[]; needsDns: boolean };
    expect(egress).toEqual([{ host: center.address, port: Number(new URL(central.url).port), carries: ['trust', 'content', 'receipts'] }]);
    expect(needsDns).toBe(false);
    expect(capture.stderr().trim().split('\n')).toEqual(egress.map(({ host, port }) => `${host}:${port} tcp`));
  });
});
