/** The attacks of `content.attacks.ts`, on copies of one site and by its commands. */
import { contentAttacks } from './content.attacks.js';
import { playOnCommands } from './world.js';

playOnCommands(contentAttacks);
