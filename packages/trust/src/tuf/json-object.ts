/** The one question that readers of JSON ask again and again. */
import type { JsonObject, JsonValue } from '@sealane/core';

/** Whether a JSON value is an object, not an array and not null. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
