/** Attacks against the service as it is installed: on orders of the channel, on exceptions, by code in fetch, on content, and by thieves of keys. */
import { describe } from 'vitest';
import { canBoot } from '../support/machine.js';
import { channelAttacks } from './channel.attacks.js';
import { contentAttacks } from './content.attacks.js';
import { exceptionAttacks } from './exception.attacks.js';
import { fetchCodeAttacks } from './fetch-code.attacks.js';
import { playInstalled } from './installed-world.js';
import { thievesAttacks } from './thieves.attacks.js';

describe.skipIf(!canBoot())('the installed service (skipped without root, systemd-nspawn)', () => {
  playInstalled('resident', channelAttacks, exceptionAttacks, fetchCodeAttacks, contentAttacks, thievesAttacks);
});
