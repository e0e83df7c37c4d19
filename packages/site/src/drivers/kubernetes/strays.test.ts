import { expect, test } from 'vitest';
import type { Cluster } from './cluster-shell.js';
import { findStrays } from './strays-shell.js';
import { parseAnswer } from './wire.js';

test('a pod that names what it runs at any length, or a thousand of them, hide none of the others from the answer', async () => {
  const named = (name: string, image: string): object => ({ metadata: { namespace: 'edge', name }, spec: { containers: [{ image }] } });
  const items = [named('first', `x${'\u{1f642}'.repeat(1_000_000)}`), ...Array.from({ length: 9999 }, (_, at) => named(`p${at}`, 'other'))];
  const nothing = { status: 404, body: {} } as const;
  const answer = (): Promise<typeof nothing> => Promise.resolve(nothing);
  const cluster: Cluster = {
    place: answer,
    apply: answer,
    replace: answer,
    look: answer,
    remove: answer,
    endPod: answer,
    isGone: () => Promise.resolve(true),
    pods: () => Promise.resolve([{ status: 200, body: { items } }]),
    close: () => Promise.resolve(),
  };
  const question = { approved: [], namespaces: null, except: [], does: 'report' } as const;
  const place = { kubeconfig: '/x', namespace: 'edge', site: 'harbour-7', fence: { namespaces: [], kinds: [] } };
  const request = { do: 'strays', ...place, objects: [], keys: [], secrets: [] } as const;
  const found = await findStrays({ cluster, request, objects: [] }, question);
  const read = parseAnswer(JSON.stringify({ is: 'found', ...found }));
  expect(read).toMatchObject({
    is: 'found',
    strays: expect.arrayContaining([{ what: 'pod edge/p7', how: expect.stringContaining('other') as string, did: 'reported' }]) as unknown,
  });
});
