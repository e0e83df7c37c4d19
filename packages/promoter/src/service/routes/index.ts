/** All routes of the API. */
import type { Route } from '../route.js';
import { AUDIT_ROUTES } from './audit.js';
import { DECISION_ROUTES } from './decision.js';
import { EVIDENCE_ROUTES } from './evidence.js';
import { LANE_ROUTES } from './lane.js';
import { RELEASE_ROUTES } from './release.js';

export const ROUTES: readonly Route[] = [...RELEASE_ROUTES, ...EVIDENCE_ROUTES, ...DECISION_ROUTES, ...LANE_ROUTES, ...AUDIT_ROUTES];
