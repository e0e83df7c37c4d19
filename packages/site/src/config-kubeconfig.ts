/** How site.yaml says where the kubeconfig of a site is. */
import { z } from 'zod';

/** A path from the root of the host. */
export const absolutePath = z.string().regex(/^\/[^\0]{1,4095}$/, 'expected an absolute path');

/** What systemd loads a credential from: a file, or one that it was itself given under that name. */
const source = z
  .string()
  .regex(/^(?:\/[^\0\n:]{1,4095}|[A-Za-z0-9][A-Za-z0-9._-]{0,254})$/, 'expected an absolute path or the name of a credential');

/** A file, or a credential that systemd gives to the units of the driver alone. */
export const kubeconfigPlace = z
  .union([
    absolutePath,
    z.strictObject({ loadCredential: source.describe('a file that systemd reads, or a credential that it was given') }),
    z.strictObject({ loadCredentialEncrypted: source.describe('the same, encrypted by systemd-creds') }),
  ])
  .describe(
    'how the cluster is reached: a file with its server, its authority, and a certificate or token of this site; with `unit` also a credential of systemd',
  );
