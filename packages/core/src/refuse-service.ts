/** A promoter service that was named to a command which works on the files here. */
import type { CommandCall } from './command-spec.js';
import { SealaneError } from './errors.js';

/**
 * Refuses a call for which the environment names a service: the command would act on, or answer for, whatever home or copy happens to be here. The option
 * `--server` itself is refused where words are read.
 *
 * @throws SealaneError `USAGE`
 */
export function refuseService({ options }: Pick<CommandCall, 'options'>): void {
  const { server } = options;
  // not quoted: there may be a password in it
  if (typeof server !== 'string' || server === '') return;
  throw new SealaneError(
    'USAGE',
    'run on the files here: expected no service for this command, got SEALANE_SERVER',
    {},
    { hint: 'run it where the home is, or unset SEALANE_SERVER; the help of the program says which commands a service takes' },
  );
}
