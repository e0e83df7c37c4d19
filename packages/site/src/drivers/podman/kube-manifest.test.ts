import { type Digest, digestFromHex, utf8 } from '@sealane/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { registriesConf, signaturePolicy } from './engine-config.js';
import { expectRoom, expectRoomForPods, manifestDocuments, manifestImages, podNames } from './kube-manifest.js';

const part = digestFromHex('a'.repeat(64));
const parts: ReadonlySet<Digest> = new Set([part]);
const images = (text: string): unknown => manifestImages('pods.yaml', utf8(text), parts);

const POD = `
kind: Pod
metadata: { name: readings }
spec:
  initContainers: [{ name: setup, image: registry.example/edge/setup@${part} }]
  containers: [{ name: app, image: registry.example/edge/app@${part} }]
`;

describe('amounts of a manifest', () => {
  const documents = (text: string): readonly unknown[] => manifestDocuments('pods.yaml', utf8(text));
  const deployment = (replicas: string): readonly unknown[] => documents(`kind: Deployment\nspec: { replicas: ${replicas} }\n`);
  const refused = expect.objectContaining({ code: 'DRIVER_REFUSED' }) as Error;

  test('have bounds', () => {
    expectRoom('f', [...deployment('1000'), ...deployment('1000')]);
    expect(() => expectRoom('f', deployment('2147483647'))).toThrow(refused);
    // Go reads it as a number
    expect(() => expectRoom('f', deployment('2_147_483_647'))).toThrow(refused);
    const ports = JSON.stringify(Array.from({ length: 1001 }, (_, at) => ({ hostPort: at + 1 })));
    expect(() => expectRoom('f', documents(`spec: { containers: [{ ports: ${ports} }] }\n`))).toThrow(refused);
  });

  test('are those of all pods together where one host runs them', () => {
    expectRoomForPods('f', [...deployment('200'), ...documents(POD)]);
    expect(() => expectRoomForPods('f', [...deployment('200'), ...deployment('200')])).toThrow(refused);
    const list = documents('kind: List\nitems: [{ kind: Deployment, spec: { replicas: 251 } }]\n');
    expect(() => expectRoomForPods('f', list)).toThrow(refused);
    // no count of less than none makes room for others
    expect(() => expectRoomForPods('f', [...deployment('1000'), ...deployment('-1000')])).toThrow(refused);
    const maps = Array.from({ length: 300 }, (_, n) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `m${n}` } }));
    expectRoomForPods('f', [...maps, ...documents(POD)]);
  });
});

describe('images of a manifest', () => {
  test('of every list of every document, each once', () => {
    const deployment = `kind: Deployment\nmetadata: { name: web }\nspec: { template: { spec: { containers: [{ image: registry.example/edge/app@${part} }] } } }\n`;
    expect(images(`${POD}---\n${deployment}`)).toEqual([
      { name: 'registry.example/edge/setup', digest: part },
      { name: 'registry.example/edge/app', digest: part },
    ]);
  });

  test.each([
    ['a tag', POD.replaceAll(`@${part}`, ':1.0'), 'by digest'],
    ['no version at all', POD.replaceAll(`@${part}`, ''), 'by digest'],
    ['a digest that is no part of the release', POD.replace(part, digestFromHex('b'.repeat(64))), 'parts of the release'],
    ['a container without an image', 'kind: Pod\nspec: { containers: [{ name: app }] }\n', 'without an image'],
    ['an image that is no text', 'kind: Pod\nspec: { containers: [{ image: { a: 1 } }] }\n', 'without an image'],
    ['a container that is a text', 'kind: Pod\nspec: { containers: [app] }\n', 'without an image'],
    ['containers as Podman alone reads them', POD.replace('spec:\n', 'spec:\n  Containers: [{ Image: other }]\n'), 'spec.Containers'],
    ['an image beside the one that is looked at', POD.replace('{ name: app,', '{ name: app, Image: other,'), 'Image'],
    ['a kind as Podman alone reads it', `${POD}Kind: Pod\n`, 'Kind'],
    // Podman ends the comment there
    ...['\r', '\u0085', '\u2028', '\u2029'].map((end): [string, string, string] => [
      `a line that only Podman sees, behind ${JSON.stringify(end)}`,
      POD.replace('spec:\n', `spec:\n  # a note${end}  volumes: [{ name: v, image: { reference: other } }]\n`),
      `every parser reads alike, got U+${(end.codePointAt(0) ?? 0).toString(16).padStart(4, '0').toUpperCase()} in line 5`,
    ]),
    ['a mark of byte order', `\ufeff${POD}`, 'U+FEFF in line 1'],
    [
      'a key in a spelling that only Podman reads',
      POD.replace('spec:\n', 'spec:\n  !!binary Y29udGFpbmVycw==: [{ image: other }]\n'),
      'YAML',
    ],
    [
      'what only Podman merges in',
      POD.replace('spec:\n', "spec:\n  '<<': { containers: [{ image: other }] }\n"),
      'parsers read differently',
    ],
    [
      'one of two that parsers merge in',
      `${POD}a: &a { image: registry.example/edge/app@${part} }\nb: &b { image: other }\nc: [{ <<: *a, <<: *b }]\n`,
      'a << that parsers read differently',
    ],
    ['what is merged in over what is written out', `${POD}b: &b { image: other }\nc: { image: x, <<: *b }\n`, 'a << that parsers read'],
    [
      'an image of a custom kind',
      `${POD}---\nkind: Task\nspec: { steps: [{ image: other@${digestFromHex('b'.repeat(64))} }] }\n`,
      'parts of the',
    ],
    ['an image that is merged in', `a: &a { image: other }\nkind: Pod\nspec: { containers: [{ <<: *a }] }\n`, 'by digest'],
    ['a volume of an image', `${POD}  volumes: [{ name: v, image: { reference: other } }]\n`, 'by digest'],
    [
      'an image of this host that an annotation mounts',
      POD.replace('readings }', 'readings, annotations: { io.podman.annotations.kube.image.volumes.mount/app: other } }'),
      'by digest',
    ],
    [
      'a claim of an image',
      `${POD}---\nkind: PersistentVolumeClaim\nmetadata: { name: v, annotations: { volume.podman.io/image: other } }\n`,
      'by digest',
    ],
    ['nothing to run', 'kind: ConfigMap\nmetadata: { name: x }\n', 'none in it'],
    ['an empty file', '', 'none in it'],
    ['no YAML', 'a: [', 'YAML'],
    ['a key twice', 'kind: Pod\nkind: Pod\n', 'YAML'],
    [
      'an alias bomb',
      `a: &a [x, x]\n${Array.from('bcdefgh')
        .map(
          (name, at) =>
            `${name}: &${name} [*${'abcdefgh'[at]}, *${'abcdefgh'[at]}, *${'abcdefgh'[at]}, *${'abcdefgh'[at]}, *${'abcdefgh'[at]}, *${'abcdefgh'[at]}]\n`,
        )
        .join('')}`,
      'YAML',
    ],
    ['bytes that are no text', '\ud800', 'by digest'],
  ])('%s is refused', (_what, text, expected) => {
    const bytes = text === '\ud800' ? Uint8Array.of(0xff, 0xfe) : utf8(text);
    const run = (): unknown => manifestImages('pods.yaml', bytes, parts);
    expect(run).toThrow(expect.objectContaining({ code: 'DRIVER_REFUSED' }));
    if (text !== '\ud800') expect(run).toThrow(expected);
  });

  test('a file whose name is that of a quadlet unit is none: it was judged as one', () => {
    expect(() => manifestImages('/slot/pods/web.container', utf8(POD), parts)).toThrow(
      expect.objectContaining({ code: 'DRIVER_REFUSED', message: expect.stringContaining('quadlet') as string }),
    );
  });

  test('arbitrary text is refused with a name, or names parts only', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        try {
          expect(manifestImages('pods.yaml', utf8(text), parts).every(({ digest }) => parts.has(digest))).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: 'DRIVER_REFUSED' });
        }
      }),
    );
  });
});

test('pods of a manifest are known by name, and no others', () => {
  const isOurs = podNames('pods.yaml', utf8('kind: Pod\nmetadata: { name: readings }\n---\nkind: Deployment\nmetadata: { name: web }\n'));
  expect(['readings', 'web-pod', 'web-pod-0', 'web-pod-12'].filter(isOurs)).toHaveLength(4);
  expect(['readings-2', 'web', 'web-pod-', 'web-pod-x', 'web-podling', 'other', ''].filter(isOurs)).toEqual([]);
  expect(podNames('empty.yaml', utf8('kind: Pod\n'))('')).toBe(false);
});

test('an engine pulls the digests of a release from the mirror, and nothing from anywhere else', () => {
  const list = [
    { name: 'registry.example/edge/app', digest: part },
    { name: 'other.example:5000/db', digest: part },
  ];
  expect(registriesConf(list, '127.0.0.1:5080')).toBe(
    [
      'unqualified-search-registries = []\n',
      '[[registry]]\nprefix = "other.example:5000"\nlocation = "127.0.0.1:5080"\ninsecure = true\n',
      '[[registry]]\nprefix = "registry.example"\nlocation = "127.0.0.1:5080"\ninsecure = true\n',
    ].join('\n'),
  );
  const policy = JSON.parse(signaturePolicy(list, '127.0.0.1:5080')) as { default: unknown; transports: { docker: object } };
  expect(policy.default).toEqual([{ type: 'reject' }]);
  expect(Object.keys(policy.transports.docker)).toEqual(
    expect.arrayContaining([`registry.example/edge/app@${part}`, `127.0.0.1:5080/edge/app@${part}`, `127.0.0.1:5080/db@${part}`]),
  );
});
