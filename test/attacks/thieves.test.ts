/** The attacks of `thieves.attacks.ts`, on copies of one site and by its commands. */
import { thievesAttacks } from './thieves.attacks.js';
import { playOnCommands } from './world.js';

playOnCommands(thievesAttacks);
