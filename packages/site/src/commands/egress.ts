/** `sealane-site egress`: what a firewall has to let out for this site; it has to let nothing in. */
import { isIP } from 'node:net';
import type { CommandSpec } from '@sealane/core/command-line';
import { readConfig } from '../config.js';
import { nodeDisk } from '../disk.js';
import { egressOf } from '../fetch/routes/egress.js';
import { placeOf } from '../site-shell.js';

/** The command. */
export const command: CommandSpec = {
  name: 'egress',
  summary: 'list every host and port that this site talks to; nothing has to reach it from outside',
  example: 'sealane-site egress --config site/site.yaml',
  run: (call) => {
    const config = readConfig(nodeDisk, placeOf(call).configFile);
    const egress = egressOf(config);
    // names ask a resolver, which is the host's own business
    const needsDns = egress.some(({ host }) => isIP(host.replace(/^\[|\]$/g, '')) === 0);
    const lines = egress.map(({ host, port, carries }) => `${host}:${port} tcp (${carries.join(', ')})`);
    const text = [...lines, ...(needsDns ? ['and the resolver of this host, for their names'] : [])].join('\n');
    return Promise.resolve({
      exit: 0,
      json: { site: config.name, egress, needsDns },
      text: text === '' ? 'none: media and folders are all' : text,
    });
  },
};
