/** The attacks of `denial.attacks.ts`, on copies of one site and by its commands. */
import { denialAttacks } from './denial.attacks.js';
import { playOnCommands } from './world.js';

playOnCommands(denialAttacks);
