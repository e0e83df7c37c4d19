/** The public surface of `promoter`: the executable, and nothing that holds keys. */
export { runSealane } from './run.js';
