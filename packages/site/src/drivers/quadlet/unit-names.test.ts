import { utf8 } from '@sealane/core';
import { expect, test } from 'vitest';
import { unitNames } from './unit-names.js';

const names = (files: Readonly<Record<string, string>>): ReturnType<typeof unitNames> =>
  unitNames(Object.entries(files).map(([name, text]) => ({ file: `/slot/${name}`, bytes: utf8(text) })));

test('what units make in the engine, and what they use there', () => {
  const made = names({
    'a.container':
      '[Container]\nVolume=data:/data:ro\nVolume=own.volume:/own\nVolume=/anonymous\nVolume=/srv:/srv\nNetwork=plant:ip=10.0.0.9\n',
    'b.container': `[Container]\nContainerName=bee\nMount='type=volume,"source=quoted",dst=/x'\nMount=src=plain,dst=/y\nMount=type=tmpfs,dst=/z\nNetwork=own.network\nNetwork=none\n`,
    'own.volume': '[Volume]\n',
    'named.volume': '[Volume]\nVolumeName=given\n',
    'own.network': '[Network]\n',
    'pods.kube': '[Kube]\nYaml=pods.yaml\nNetwork=yard\n',
    'pods.yaml': 'kind: Pod\nmetadata: { name: web }\nspec: { volumes: [{ name: v, persistentVolumeClaim: { claimName: claimed } }] }\n',
  });
  expect(made).toMatchObject({
    containers: ['bee', 'systemd-a'],
    volumes: ['claimed', 'data', 'given', 'plain', 'quoted', 'systemd-own'],
    networks: ['systemd-own'],
    usedNetworks: ['plant', 'yard'],
  });
  expect(made.pods({ id: 'f00', name: 'web' })).toBe(true);
});

test.each(['Network', 'UserNS'])('%s= of a container of the release is taken, and of another refused', (key) => {
  const two = (name: string): Readonly<Record<string, string>> => ({
    'a.container': `[Container]\n${key}=container:${name}\n`,
    'b.container': '[Container]\nContainerName=bee\n',
  });
  expect(names(two('bee')).usedNetworks).toEqual([]);
  expect(() => names(two('database'))).toThrow(expect.objectContaining({ code: 'DRIVER_REFUSED' }));
});
