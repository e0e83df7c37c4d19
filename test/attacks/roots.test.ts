/** The attacks of `roots.attacks.ts`, on copies of one site and by its commands. */
import { rootAttacks } from './roots.attacks.js';
import { playOnCommands } from './world.js';

playOnCommands(rootAttacks);
