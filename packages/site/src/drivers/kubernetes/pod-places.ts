/** Where an object of a release says what pods run: in a Deployment, in the jobs of a CronJob, in a custom kind. Pure. */
import type { JsonObject, JsonValue } from '@sealane/core';

/** The places of pod specs in it, as names of fields. Of a Pod none: once it is there its spec is the cluster's too, as where it runs. */
export function podPlaces(body: JsonObject): readonly (readonly string[])[] {
  return body['kind'] === 'Pod' ? [] : placesIn(body);
}

function placesIn(value: JsonValue | undefined): readonly (readonly string[])[] {
  if (!isObject(value)) return [];
  if (Array.isArray(value['containers'])) return [[]];
  return Object.entries(value).flatMap(([name, child]) => placesIn(child).map((place) => [name, ...place]));
}

/** `there` with what `body` has in that place. */
export function withPlaceOf(there: JsonValue | undefined, body: JsonValue | undefined, place: readonly string[]): JsonValue {
  const [name, ...rest] = place;
  if (name === undefined) return body ?? null;
  const [outer, inner] = [isObject(there) ? there : {}, isObject(body) ? body : {}];
  return { ...outer, [name]: withPlaceOf(outer[name], inner[name], rest) };
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
