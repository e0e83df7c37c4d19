/** The attacks of `channel.attacks.ts`, on copies of one site and by its commands. */
import { channelAttacks } from './channel.attacks.js';
import { playOnCommands } from './world.js';

playOnCommands(channelAttacks);
