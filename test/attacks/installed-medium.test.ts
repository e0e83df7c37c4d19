/** Attacks by a medium (T10) against the service as it is installed: what reads it is `fetch` in its sandbox, and what refuses it is `apply`, which has another. */
import { describe } from 'vitest';
import { canBoot } from '../support/machine.js';
import { playInstalled } from './installed-world.js';
import { mediumAttacks } from './medium.attacks.js';

describe.skipIf(!canBoot())('the installed service (skipped without root, systemd-nspawn)', () => {
  playInstalled('resident', mediumAttacks);
});
