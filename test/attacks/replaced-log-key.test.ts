/** The attacks of `replaced-log-key.attacks.ts`, on copies of one site and by its commands. */
import { replacedLogKeyAttacks } from './replaced-log-key.attacks.js';
import { playOnCommands } from './world.js';

playOnCommands(replacedLogKeyAttacks);
