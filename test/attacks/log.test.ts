/** The attacks of `log.attacks.ts`, on copies of one site and by its commands. */
import { logAttacks } from './log.attacks.js';
import { playOnCommands } from './world.js';

playOnCommands(logAttacks);
