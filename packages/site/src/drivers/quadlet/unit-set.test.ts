import { type Digest, parseDigest, utf8 } from '@sealane/core';
import { expect, test } from 'vitest';
import { type UnitSet, unitSet } from './unit-set.js';

const DIGEST: Digest = parseDigest(`sha256:${'ab'.repeat(32)}`);
const IMAGE = `registry.example/readings@${DIGEST}`;
const CREDENTIALS = { folder: '/run/values', secrets: [{ name: 'db-password', version: 7 }] };

function set(files: Readonly<Record<string, string>>, credentials: typeof CREDENTIALS | null = CREDENTIALS): UnitSet {
  return unitSet(
    Object.entries(files).map(([name, text]) => ({ file: `/slot/${name}`, bytes: utf8(text) })),
    {
      digests: new Set([DIGEST]),
      credentials: credentials ?? undefined,
      secrets: (at) => `/run/values/.volumes/${at}`,
      folder: '/run/containers/systemd/100%',
    },
  );
}

const container = (lines: string, more = ''): Readonly<Record<string, string>> => ({
  'readings.container': `[Container]\nImage=${IMAGE}\n${lines}\n${more}`,
});

test('a set is written anew from what was read: what the updater does itself is left out, what it adds is in', () => {
  const made = set({
    ...container(
      'Volume=data.volume:/data',
      '[Unit]\nAfter=data.volume\nRequires=data.volume network-online.target\n[Install]\nWantedBy=default.target\n',
    ),
    'data.volume': '# data\n[Volume]\n',
    'edge.network': '[Network]\nInternal=true\n',
  });
  expect([made.services, made.all]).toEqual([['readings.service'], ['readings.service', 'data-volume.service', 'edge-network.service']]);
  expect(made.images).toEqual([{ name: 'registry.example/readings', digest: DIGEST }]);
  expect(made.files.map(({ name }) => name)).toEqual(['data.volume', 'edge.network', 'readings.container']);
  expect(Buffer.from(made.files[2]?.bytes ?? []).toString()).toBe(`[Unit]
After=data.volume
Requires=data.volume network-online.target
[Container]
Image=${IMAGE}
Volume=data.volume:/data
Pull=never
EnvironmentFile=/run/containers/systemd/100%%/sealane.env
[Service]
`);
});

test('a secret becomes a file that is mounted read-only', () => {
  const { files, secrets } = set(container('Secret=db-password,target=/etc/password,mode=0400\nSecret=db-password'));
  expect(Buffer.from(files[0]?.bytes ?? []).toString()).toContain(
    'Volume=/run/values/.volumes/0/db-password:/etc/password:ro\nVolume=/run/values/.volumes/1/db-password:/run/secrets/db-password:ro\n',
  );
  expect(secrets.map(({ files: [file] }) => file)).toEqual([
    { secret: 'db-password', name: 'db-password', mode: 0o400 },
    { secret: 'db-password', name: 'db-password', mode: 0o444 },
  ]);
});

test('a manifest goes with the unit that names it, its secrets as folders', () => {
  const { files, services, secrets } = set({
    'pods.kube': '[Kube]\nYaml=pods.yaml\n',
    'pods.yaml': `spec: { containers: [{ name: app, image: "${IMAGE}" }], volumes: [{ name: v, secret: { secretName: sealane } }] }\n`,
  });
  expect([services, files.map(({ name }) => name)]).toEqual([['pods.service'], ['pods.kube', 'pods.yaml']]);
  expect(Buffer.from(files[1]?.bytes ?? []).toString()).toContain('"hostPath":{"path":"/run/values/.volumes/0","type":"Directory"}');
  expect(secrets).toHaveLength(1);
});

test.each([
  ['PodmanArgs=--privileged', 'PodmanArgs= in [Container]'],
  ['Pull=always', 'Pull= in [Container]'],
  ['Rootfs=/', 'Rootfs= in [Container]'],
  ['ServiceName=sshd', 'ServiceName= in [Container]'],
  ['EnvironmentFile=/etc/shadow', 'EnvironmentFile= in [Container]'],
  ['Mount=type=image,source=other,destination=/x', 'Mount=type=image'],
  ['Mount="type=image",source=other,destination=/x', 'type=image'],
  ['Mount=type=ima\\x67e,source=other,destination=/x', 'source=other'],
  ['Secret=other', 'got other'],
  ['Secret=db-password,type=env,target=PASSWORD', 'type=env'],
  ['Secret=db-password,target=../../etc/passwd', 'got db-password,target=../../etc/passwd'],
  ['Secret=db-password,uid=0', 'uid=0'],
  ['Image=other', 'got 2'],
  // systemd expands what quadlet writes as it is: to an image, and `$X` to no word at all, so that the next flag is its value
  ['Mount=type=${X}image,source=other,destination=/x', 'expands nothing'],
  ['Mount=type=%p,source=other,destination=/x', 'expands nothing'],
  ['HostName=$X\nAnnotation=--privileged=true', 'got HostName=$X'],
  ['Environment="\\x24X"', 'expands nothing'],
  ['Volume=:$X', 'expands nothing'],
  ['HealthCmd="$X"', 'expands nothing'],
  // quadlet writes the source into RequiresMountsFor= as it is
  ['Mount=\'type=bind,"source=/x\\n[Service]\\nExecStartPre=/bin/sh",destination=/x\'', 'without control characters'],
  ['ContainerName=--all', 'a plain name'],
  ['[Service]\nExecStartPre=/bin/sh', 'ExecStartPre= in [Service]'],
  ['[Service]\nUser=root', 'User= in [Service]'],
  ['[Unit]\nFailureAction=reboot', 'FailureAction= in [Unit]'],
  ['[Unit]\nConflicts=ssh.service', 'Conflicts= in [Unit]'],
  ['[Unit]\nWants=readings.service reboot.target', 'got reboot.target'],
  ['[Quadlet]\nDefaultDependencies=false', 'in [Quadlet]'],
  ['[Volume]\nImage=other', 'in [Volume]'],
  ['no assignment', 'another in line 3'],
  // systemd takes each of these for the end of a line, and quadlet does not
  ['[Service]\nRestart=no\rExecStartPre=/bin/sh', 'another in line 4'],
  ['[Service]\nRestart=no\0ExecStartPre=/bin/sh', 'another in line 4'],
  ['[Service]\r\nRestart=no', 'another in line 3'],
  // would take in the line that is written after it
  ['Exec=run\\\\', 'another in line 3'],
])('refuses a unit with %j', (lines, problem) => {
  expect(() => set(container(lines))).toThrow(
    expect.objectContaining({ code: 'DRIVER_REFUSED', message: expect.stringContaining(problem) as string }),
  );
});

test.each(['Environment=COST=5$ A=$$HOME%%', 'HealthCmd=test -e $STATE', "Exec=sh -c 'echo $A %%'"])('takes a unit with %j', (line) => {
  expect(Buffer.from(set(container(line)).files[0]?.bytes ?? []).toString()).toContain(`${line}\n`);
});

test.each<[string, Readonly<Record<string, string>>, string]>([
  ['nothing that runs', { 'data.volume': '[Volume]\n' }, 'got none'],
  ['another type of unit', { ...container(''), 'app.build': '[Build]\n' }, 'got build'],
  ['a template', { 'app@.container': `[Container]\nImage=${IMAGE}\n` }, 'got app@.container'],
  ['two of one service', { ...container(''), 'readings.kube': '[Kube]\nYaml=a.yaml\n', 'a.yaml': '{}' }, 'got two'],
  ['a manifest that is not there', { 'pods.kube': '[Kube]\nYaml=/etc/pods.yaml\n' }, 'got /etc/pods.yaml'],
  ['a file that nothing names', { ...container(''), 'pods.yaml': '{}' }, 'got pods.yaml'],
  ['an image by tag', { 'a.container': '[Container]\nImage=registry.example/readings:1\n' }, 'images by digest'],
  ['an image of no release', { 'a.container': `[Container]\nImage=registry.example/a@sha256:${'cd'.repeat(32)}\n` }, 'which is none'],
  ['a volume out of an image', { ...container(''), 'a.volume': '[Volume]\nDriver=image\n' }, 'Driver=image'],
  ['a volume out of an image in quotes', { ...container(''), 'a.volume': '[Volume]\nDriver="image"\n' }, 'Driver="image"'],
  ['a flag as a name', { ...container(''), 'a.volume': '[Volume]\nVolumeName=--opt=image=x\n' }, 'a plain name'],
])('refuses a set with %s', (_, files, problem) => {
  expect(() => set(files)).toThrow(
    expect.objectContaining({ code: 'DRIVER_REFUSED', message: expect.stringContaining(problem) as string }),
  );
});

test('refuses a secret in a release that declares none', () => {
  expect(() => set(container('Secret=db-password'), null)).toThrow(expect.objectContaining({ code: 'DRIVER_REFUSED' }));
});
