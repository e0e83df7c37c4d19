/** A lane told step by step, as the tests of admission tell theirs, in a real ledger: what an auditor is given. */
import { type Digest, type Envelope, envelopeSignature } from '@sealane/core';
import { ed25519NoteSigner, type Ledger, type NewEntry, openLedger } from '@sealane/ledger';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { receiptStatement, type ReceiptPredicate } from '../../../trust/src/evidence/predicates/receipt.js';
import { siteRecordStatement } from '../../../trust/src/evidence/predicates/site-record.js';
import type { Policy } from '../../../trust/src/policy/policy-types.js';
import type { Topology } from '../../../trust/src/reports/topology.js';
import { saltOf, StatementLane, TIMES } from '../../../trust/src/testing/statement-lane.js';
import { envelopeOf, type TestSigner } from '../../../trust/src/testing/test-keys.js';
import type { AuditContext } from '../answers/context.js';

type Step = { readonly envelope: Envelope; readonly spki: Uint8Array } | { readonly cosigned: string };

/** See the head of the file. Steps are synchronous and kept; `open` makes the ledger of them. */
export class LedgerLane extends StatementLane {
  readonly #steps: Step[] = [];
  /** The lane's roots, ascending. */
  readonly roots: Uint8Array[] = [];
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'sealane-auditor-'));
  #ledger: Ledger | undefined;

  override sign(payload: Uint8Array, signer: TestSigner): Digest {
    const envelope = envelopeOf(payload, signer);
    this.#steps.push({ envelope, spki: signer.spki });
    // signatures differ each time: the log in memory gets the very same one
    return super.sign(payload, { ...signer, signNow: () => envelopeSignature(envelope) });
  }

  override seal(...words: Parameters<StatementLane['seal']>): void {
    super.seal(...words);
    this.#steps.push({ cosigned: this.checkpoint });
  }

  /** The registrar's record of a site and its key. */
  site(site: string, key: TestSigner, change: { readonly signer?: TestSigner; readonly topology?: Topology } = {}): Digest {
    const record = {
      site,
      key: { id: key.keyId, spki: Buffer.from(key.spki).toString('base64') },
      stage: 'prod',
      labels: { region: 'eu' },
      nonce: saltOf(this.log.size()),
      issuedAt: TIMES.evidence,
      ...(change.topology === undefined ? {} : { topology: change.topology }),
    };
    return this.sign(siteRecordStatement(record), change.signer ?? this.people.registrar);
  }

  /** A site's receipt; numbers start at 1. */
  receipt(receipt: ReceiptPredicate, key: TestSigner): Digest {
    return this.sign(receiptStatement(receipt), key);
  }

  /** The ledger of all steps so far, with one policy a stage. */
  async open(policies: readonly Policy[] = this.policies()): Promise<AuditContext> {
    await this.#ledger?.close();
    const ledger = await openLedger({
      file: path.join(this.#folder, 'ledger.sqlite'),
      origin: this.log.origin,
      logSigner: ed25519NoteSigner(this.log.origin, this.logKey),
      now: () => TIMES.published,
    });
    this.#ledger = ledger;
    // what was logged between two checkpoints is one commit: a disk is slow
    const waiting: NewEntry[] = [];
    for (const step of this.#steps.splice(0)) {
      if (!('cosigned' in step)) waiting.push(step);
      else {
        await ledger.append(waiting.splice(0));
        await ledger.saveCosigned(step.cosigned);
      }
    }
    await ledger.append(waiting);
    return {
      ledger,
      policies,
      roots: this.roots,
      readBlob: (digest) => this.blobs.get(digest),
      log: { list: () => [], read: () => undefined },
    };
  }

  policies(): readonly Policy[] {
    const { policy } = this;
    return policy.chain.map(({ stage }, at) => ({ ...policy, stage, chain: policy.chain.slice(0, at + 1) }));
  }

  async close(): Promise<void> {
    await this.#ledger?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
