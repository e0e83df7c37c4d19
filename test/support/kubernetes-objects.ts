/** Objects that tests hand to an API server. */

/** A pod of one container; without a name where it is the template of others. */
export function pod(name: string, image: string): { readonly spec: object } {
  const containers = [{ name: 'app', image, resources: { limits: { memory: '64Mi', cpu: '100m' } } }];
  const shape = { apiVersion: 'v1', kind: 'Pod', metadata: { name } };
  return { ...shape, spec: { containers } };
}

/** A deployment `readings` of two such pods; `deadline` is in seconds. */
export function deployment(
  image: string,
  {
    nodeSelector,
    volumes,
    deadline = 600,
  }: { readonly nodeSelector?: object; readonly volumes?: readonly object[]; readonly deadline?: number },
): object {
  const { spec } = pod('', image);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'readings' },
    spec: {
      replicas: 2,
      progressDeadlineSeconds: deadline,
      selector: { matchLabels: { app: 'readings' } },
      template: {
        metadata: { labels: { app: 'readings' } },
        spec: { ...spec, ...(nodeSelector && { nodeSelector }), ...(volumes && { volumes }) },
      },
    },
  };
}
