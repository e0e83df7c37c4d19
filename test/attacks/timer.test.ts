/** Attacks against a site with nothing resident: each update is the service that `sealane-site.timer` starts. */
import { describe } from 'vitest';
import { canBoot } from '../support/machine.js';
import { playInstalled } from './installed-world.js';
import { timerAttacks } from './timer.attacks.js';

describe.skipIf(!canBoot())('the service of the timer (skipped without root, systemd-nspawn)', () => {
  playInstalled('by timer', timerAttacks);
});
