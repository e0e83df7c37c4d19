/** The driver's own program, as it is asked about a cluster. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { type KubeObject, kubeObjects } from '../../packages/site/src/drivers/kubernetes/objects.js';
import type { ClusterRequest } from '../../packages/site/src/drivers/kubernetes/wire.js';
import { ROOT } from './run.js';

/** What it answers. */
export function answerOf(request: ClusterRequest): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const words = [path.join(ROOT, 'dist', 'sealane-site-kubernetes.mjs')];
    const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.once('error', reject);
    child.once('close', () => resolve(JSON.parse(said)));
    child.stdin.end(JSON.stringify(request));
  });
}

/** Objects of a release of that site, each as if it stood alone: one twice is for the program to find. */
export function setOf(documents: readonly object[], site: string): readonly KubeObject[] {
  return documents.flatMap((document) => kubeObjects('set.yaml', [document], site)).toSorted((left, right) => rank(left) - rank(right));
}

function rank({ kind }: KubeObject): number {
  return kind === 'Namespace' || kind === 'CustomResourceDefinition' ? 0 : 1;
}
