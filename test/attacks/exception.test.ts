/** The attacks of `exception.attacks.ts`, on copies of one site and by its commands. */
import { exceptionAttacks } from './exception.attacks.js';
import { playOnCommands } from './world.js';

playOnCommands(exceptionAttacks);
