/** What the API server itself is told: pods with other images than those of admitted releases are not let in. A ValidatingAdmissionPolicy and its binding. Pure. */
import { type JsonObject, sha256, utf8 } from '@sealane/core';
import { type KubeObject, SITE_LABEL } from './objects.js';

const GROUP = 'admissionregistration.k8s.io/v1';

/** Lists of a pod that run images (Kubernetes API, PodSpec). */
const LISTS = ['containers', 'initContainers', 'ephemeralContainers'];

/** Both objects, the policy first. `images` are as manifests name them; in the namespaces of `except` anything may run. */
export function admissionObjects(
  site: string,
  images: readonly string[],
  except: readonly string[],
  name = admissionName(site),
): readonly KubeObject[] {
  const policy = {
    // who could switch the server's answer off by breaking the policy would run what he likes
    failurePolicy: 'Fail',
    matchConstraints: {
      resourceRules: [
        { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['pods', 'pods/ephemeralcontainers'] },
      ],
    },
    variables: [{ name: 'approved', expression: JSON.stringify([...new Set(images)].sort()) }],
    validations: [...LISTS.map(onlyApproved), ONLY_APPROVED_VOLUMES].map((expression) => ({
      expression,
      message: 'an image that no admitted release of this site names',
    })),
  };
  const binding = {
    policyName: name,
    validationActions: ['Deny'],
    ...(except.length === 0
      ? {}
      : {
          matchResources: {
            namespaceSelector: {
              matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: [...except] }],
            },
          },
        }),
  };
  return [objectOf('ValidatingAdmissionPolicy', site, name, policy), objectOf('ValidatingAdmissionPolicyBinding', site, name, binding)];
}

/** A name that a cluster takes as it is (RFC 1123, subdomain). */
const DNS_NAME = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** Of a digest, enough that no two sites of a cluster have it. */
const HASH_DIGITS = 12;

/** The name of both objects: of no other site. What a cluster does not take in a name is written otherwise, with a hash of the whole; no name of a site begins with a dash. */
export function admissionName(site: string): string {
  if (DNS_NAME.test(site)) return `sealane-${site}`;
  const hash = sha256(utf8(site)).slice('sha256:'.length, 'sha256:'.length + HASH_DIGITS);
  return `sealane--${site.replaceAll(/[^a-z0-9]/g, '-')}-${hash}`;
}

/** The name that both had before `a_b` and `a-b` were told apart. */
export function oldAdmissionName(site: string): string {
  return `sealane-${site.replaceAll('_', '-')}`;
}

/** CEL. What a pod runs already stays as it is: the last pods of a release that has left are still to be ended, which changes them. */
function onlyApproved(list: string): string {
  const before = `oldObject != null && has(oldObject.spec.${list}) && oldObject.spec.${list}.exists(o, o.name == c.name && o.image == c.image)`;
  return `!has(object.spec.${list}) || object.spec.${list}.all(c, c.image in variables.approved || (${before}))`;
}

/** CEL. A volume may be an image as well (since Kubernetes 1.31); volumes of a pod are never changed. An earlier server knows no such field, and has none. */
const ONLY_APPROVED_VOLUMES =
  'oldObject != null || !has(object.spec.volumes) || object.spec.volumes.all(v, !has(v.image) || v.image.reference in variables.approved)';

function objectOf(kind: string, site: string, name: string, spec: JsonObject): KubeObject {
  const body = { apiVersion: GROUP, kind, metadata: { name, labels: { [SITE_LABEL]: site } }, spec };
  return { apiVersion: GROUP, kind, name, namespace: undefined, body };
}
