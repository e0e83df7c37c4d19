// Preloaded with `node --import`: writes the file that SEALANE_TOUCH_FILE names when the point that SEALANE_TOUCH_AT names is reached.
import { subscribe } from 'node:diagnostics_channel';
import { writeFileSync } from 'node:fs';

subscribe('sealane:point', (message) => {
  if (message.name === process.env.SEALANE_TOUCH_AT) writeFileSync(process.env.SEALANE_TOUCH_FILE ?? '', '');
});
