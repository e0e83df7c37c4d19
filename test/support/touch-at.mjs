// Preloaded with `node --import`: writes the file that SEALANE_TOUCH_FILE names when the point that SEALANE_TOUCH_AT names is reached, and with
// SEALANE_TOUCH_STOP stands still there until it gets SIGCONT.
import { subscribe } from 'node:diagnostics_channel';
import { writeFileSync } from 'node:fs';

const { SEALANE_TOUCH_AT: point, SEALANE_TOUCH_FILE: file = '', SEALANE_TOUCH_STOP: stop } = process.env;

subscribe('sealane:point', (message) => {
  if (message.name !== point) return;
  writeFileSync(file, '');
  if (stop !== undefined) process.kill(process.pid, 'SIGSTOP');
});
