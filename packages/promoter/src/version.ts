/** The version of this program, as `--version` and every decision say it. */
export const VERSION = '0.1.0';
