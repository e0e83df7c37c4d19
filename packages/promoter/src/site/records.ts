/**
 * Records of sites, as registrars signed them. The ledger keeps what anybody had logged as a record; who asks which sites there are, or what one is, reads
 * them here.
 */
import type { SiteRecord } from '@sealane/ledger';
import { isRegistrarsWord } from '@sealane/trust';
import type { GateSource } from '../decision/gate-source.js';

type Source = Pick<GateSource, 'ledger' | 'lane'>;

/** The records in log order, of one site where it is given. */
export async function siteRecords({ ledger, lane }: Source, site?: string): Promise<readonly SiteRecord[]> {
  const policies = [...lane.stages.values()].map(({ policy }) => policy);
  return (await ledger.sites(site)).filter((row) => isRegistrarsWord(policies, row));
}

/** The last record of each site: the one that counts. */
export async function lastRecords(source: Source): Promise<readonly SiteRecord[]> {
  return [...new Map((await siteRecords(source)).map((row) => [row.site, row])).values()];
}
