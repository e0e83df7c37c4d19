/** The attacks of `waybill.attacks.ts`, on copies of one site and by its commands. */
import { waybillAttacks } from './waybill.attacks.js';
import { playOnCommands } from './world.js';

playOnCommands(waybillAttacks);
