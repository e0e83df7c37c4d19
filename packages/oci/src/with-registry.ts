/** Opens a registry for as long as some work takes. */
import type { RegistryClient, RegistryOptions } from './registry.js';

/** Runs `work` with a client, and closes it. */
export async function withRegistry<T>(
  registry: string,
  options: RegistryOptions,
  work: (client: RegistryClient) => Promise<T>,
): Promise<T> {
  // loaded here: an HTTP client is a third of what most commands would load
  const { openRegistry } = await import('./registry.js');
  const client = openRegistry(registry, options);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}
