/**
 * Recoveries in the process of a test flush no folders: each is judged on the machine that it ran on, where nothing is lost, and a process for each flush was a
 * fifth of their time. The commands that are traced, killed and cut off are processes of their own and flush as ever.
 */
import { vi } from 'vitest';

vi.mock('../../packages/oci/src/sync-tree.js', () => ({ syncTree: () => Promise.resolve(), syncPath: () => Promise.resolve() }));
