/** The public surface of `promoter`: the executable, and nothing that holds keys. */
export { describeSealane, runSealane } from './run.js';
