/** The version of this program, as it says it itself in inventories and at `--version`. */
export const VERSION = '0.1.0';
