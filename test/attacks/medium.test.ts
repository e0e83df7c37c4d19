/** The attacks of `medium.attacks.ts`, on copies of one site and by its commands. */
import { mediumAttacks } from './medium.attacks.js';
import { playOnCommands } from './world.js';

playOnCommands(mediumAttacks);
