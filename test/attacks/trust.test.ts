/** The attacks of `trust.attacks.ts`, on copies of one site and by its commands. */
import { trustAttacks } from './trust.attacks.js';
import { playOnCommands } from './world.js';

playOnCommands(trustAttacks);
