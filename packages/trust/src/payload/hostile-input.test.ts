/** Manifests of orchestrators against what a stranger may write into one: judged or refused by name, at once, and never clean for being broken. */
import { fromUtf8, utf8 } from '@sealane/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tryParser } from '../../../../test/support/hostile-input.js';
import { readManifestFile } from './manifest-file.js';
import { payloadFindings, unpinnedImages } from './payload-findings.js';

const PINNED = `registry.example/app@sha256:${'a'.repeat(64)}`;
const KUBERNETES = `apiVersion: apps/v1
kind: Deployment
metadata: { name: app }
spec:
  template:
    spec:
      containers:
        - name: app
          image: ${PINNED}
          securityContext: { privileged: false, runAsNonRoot: true, allowPrivilegeEscalation: false }
          resources: { limits: { cpu: '1', memory: 64Mi }, requests: { cpu: 100m, memory: 32Mi } }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { MODE: fast }
`;
const COMPOSE = `services:
  app:
    image: ${PINNED}
    user: '1000'
    environment: [MODE=fast]
    deploy: { resources: { limits: { cpus: '1', memory: 64M } } }
`;
const QUADLET = `[Unit]
Description=app
[Container]
Image=${PINNED}
User=1000
PodmanArgs=--memory 64m
[Install]
WantedBy=default.target
`;

const judge =
  (name: string) =>
  (bytes: Uint8Array): unknown => {
    const file = readManifestFile(name, bytes);
    return [payloadFindings(file), unpinnedImages(file)];
  };

describe('judged or refused by name', () => {
  test.each([
    ['app.yaml', KUBERNETES],
    ['compose.yaml', COMPOSE],
    ['app.container', QUADLET],
  ])('%s', (name, sample) => {
    tryParser({ parse: judge(name), samples: [sample], codes: /^CONTENT_LENGTH$/, runs: 300 });
  });

  test('a document of aliases that would swell', () => {
    const swelling = [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...'bcdefgh'.split('').map(
        (to, at) =>
          `${to}: &${to} [${Array(9)
            .fill(`*${'abcdefg'[at] ?? ''}`)
            .join(', ')}]`,
      ),
    ];
    const file = readManifestFile('swelling.yaml', utf8(swelling.join('\n')));
    expect(file).toMatchObject({ format: 'text' });
    expect(payloadFindings(file)).toMatchObject({ ok: false });
  });
});

/** Something that policy refuses, in a place where each format says it. */
const REFUSED: readonly (readonly [name: string, text: string])[] = [
  ['app.yaml', KUBERNETES.replace(PINNED, 'registry.example/app:latest')],
  ['app.yaml', KUBERNETES.replace('privileged: false', 'privileged: true')],
  ['compose.yaml', COMPOSE.replace(PINNED, 'registry.example/app:latest')],
  ['app.container', QUADLET.replace(PINNED, 'registry.example/app:latest')],
];

test('what breaks a rule is found whatever stands around it: comments, other documents, other keys, other line ends', () => {
  const noise = fc.string({
    unit: fc.constantFrom(
      'a',
      'b',
      ':',
      '-',
      ' ',
      '#',
      '"',
      "'",
      '[',
      ']',
      '{',
      '}',
      '&',
      '*',
      '!',
      '|',
      '>',
      '%',
      '@',
      ',',
      '\\',
      '\t',
      '\u00e9',
      '\u2028',
    ),
    maxLength: 24,
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...REFUSED),
      fc.nat(),
      noise,
      fc.constantFrom('comment', 'head', 'crlf', 'tail'),
      ([name, text], at, junk, how) => {
        const lines = text.split('\n');
        const place = at % lines.length;
        const bent = {
          comment: [...lines.slice(0, place), `# ${junk}`, ...lines.slice(place)].join('\n'),
          head: `# ${junk}\n${text}`,
          crlf: text.replaceAll('\n', '\r\n'),
          tail: `${text}# ${junk}\n`,
        }[how];
        const judged = payloadFindings(readManifestFile(name, utf8(bent)));
        // refused as a whole, or the fault is found; never clean
        expect(judged.ok && judged.findings.length === 0, `${how}\n${fromUtf8(utf8(bent))}`).toBe(false);
      },
    ),
    { numRuns: 400 },
  );
});
