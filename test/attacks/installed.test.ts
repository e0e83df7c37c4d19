/** Attacks against the service as it is installed: on trust metadata, on waybills, on the log, on what is fetched; last those after which the lane has other keys. */
import { describe } from 'vitest';
import { canBoot } from '../support/machine.js';
import { denialAttacks } from './denial.attacks.js';
import { playInstalled } from './installed-world.js';
import { logAttacks } from './log.attacks.js';
import { replacedLogKeyAttacks } from './replaced-log-key.attacks.js';
import { rootAttacks } from './roots.attacks.js';
import { trustAttacks } from './trust.attacks.js';
import { waybillAttacks } from './waybill.attacks.js';

describe.skipIf(!canBoot())('the installed service (skipped without root, systemd-nspawn)', () => {
  playInstalled('resident', trustAttacks, waybillAttacks, logAttacks, denialAttacks, replacedLogKeyAttacks, rootAttacks);
});
