import { expect, test } from 'vitest';
import { MemoryDisk } from '../testing/memory-disk.js';
import { environmentFile, unitEnvironments } from './unit-environment.js';

const FOLDER = '/run/sealane/environments';

test('values stand in quotes, and what a shell would take for more is text', () => {
  expect(Buffer.from(environmentFile({ A: 'one two', B: '"$HOME" `id` \\', C: 'x\ny', D: '' })).toString()).toBe(
    'A="one two"\nB="\\"\\$HOME\\" \\`id\\` \\\\"\nC="x\ny"\nD=""\n',
  );
});

test('the file of a workload stays until it is stopped, that of a command goes with it, also when it fails', async () => {
  const disk = new MemoryDisk();
  const environments = unitEnvironments(FOLDER, { disk, pid: 7, processes: { startTime: () => '100' } });
  expect(environments.keep('workload.service', { A: '1' })).toBe(`EnvironmentFile=${FOLDER}/workload.service.env`);
  const during = environments.during('start:1.service', { A: '2' }, (property) => {
    const file = property.slice('EnvironmentFile='.length);
    expect(disk.read(file, 99)).toEqual(environmentFile({ A: '2' }));
    return Promise.reject(new Error('it does not start'));
  });
  await expect(during).rejects.toThrow('it does not start');
  expect(disk.list(FOLDER)).toEqual(['workload.service.env']);
  environments.drop('workload.service');
  environments.drop('workload.service');
  expect(disk.list(FOLDER)).toEqual([]);
});

test('what a killed process left is swept, what one that lives waits for is not', () => {
  const disk = new MemoryDisk();
  const of = (pid: number, startTime: (of: number) => string | undefined): ReturnType<typeof unitEnvironments> =>
    unitEnvironments(FOLDER, { disk, pid, processes: { startTime } });
  for (const pid of [7, 8, 9]) void of(pid, () => '100').during('look:1.service', {}, () => new Promise(() => undefined));
  of(1, () => '100').keep('workload.service', {});
  // 7 is gone, 9 is another process of that id
  of(1, (pid) => ({ 8: '100', 9: '200' })[pid]).sweep();
  expect(disk.list(FOLDER)).toEqual(['look:1.service.8-100.env', 'workload.service.env']);
});
