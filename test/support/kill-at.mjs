// Preloaded with `node --import`: SIGKILLs this process when the point that SEALANE_KILL_AT names is reached (`name`, or `name#2` for the second time).
import { subscribe } from 'node:diagnostics_channel';

const [wanted, nth = '1'] = (process.env.SEALANE_KILL_AT ?? '').split('#');
let times = 0;
subscribe('sealane:point', (message) => {
  if (message.name !== wanted) return;
  times += 1;
  if (times === Number(nth)) process.kill(process.pid, 'SIGKILL');
});
