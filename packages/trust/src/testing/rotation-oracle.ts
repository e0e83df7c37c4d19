/**
 * What a site may take of a lane, said once more and in few words: from the truth about who signed which file, not from the files.
 *
 * A file that was taken before stands as long as those who signed it may still sign: below its version nothing of its role is taken.
 */
import { type Doc, type LaneRole, nameOf, type Signers, type View } from './rotating-lane.js';

/** `content` of the channel, or why nothing may be taken. */
export type Judgement = { readonly content: string } | { readonly refused: string };

/** What one site has seen. */
export class RotationOracle {
  private readonly taken: { readonly snapshot: Doc; readonly timestamp: Doc; readonly targets: Doc; readonly prod: Doc }[] = [];

  /** How many of these were taken before the snapshot's keys were replaced last. */
  private takenBefore = 0;

  constructor(public root: Doc) {}

  /** Judges what is offered. Roots that hold are kept, whatever follows; the rest once `take` is said. */
  judge(view: View, now: string): Judgement & { readonly take?: () => void } {
    const broken = this.followRoots(view);
    if (broken !== undefined) return { refused: broken };
    if (this.root.expiresAt <= now) return { refused: 'root expired' };
    const timestamp = view.get('metadata/timestamp.json');
    const snapshot = timestamp?.lists.snapshot;
    const targets = snapshot?.lists.targets;
    const prod = snapshot?.lists.prod;
    if (timestamp === undefined || snapshot === undefined || targets === undefined || prod === undefined) return { refused: 'incomplete' };
    for (const doc of [timestamp, snapshot, targets, prod]) {
      if (view.get(nameOf(doc)) !== doc) return { refused: `another ${doc.role} than listed` };
      if (!maySign(doc, doc.role === 'prod' ? targets.names.prod : this.root.names[doc.role]))
        return { refused: `${doc.role} is not signed` };
      if (doc.expiresAt <= now) return { refused: `${doc.role} expired` };
    }
    const offered = { timestamp, snapshot, targets, prod };
    const older = this.taken.map((before, at) => this.olderThan(offered, before, at)).find((role) => role !== undefined);
    if (older !== undefined) return { refused: `${older} went back` };
    return { content: prod.content, take: () => this.taken.push(offered) };
  }

  private followRoots(view: View): string | undefined {
    for (;;) {
      const next = view.get(nameOf({ role: 'root', version: this.root.version + 1 }));
      if (next === undefined) return undefined;
      if (!maySign(next, this.root.names.root) || !maySign(next, next.names.root)) return 'root is not signed';
      if (areReplaced(this.root.names.snapshot, next.names.snapshot)) this.takenBefore = this.taken.length;
      this.root = next;
    }
  }

  /** The role that would go back behind what was taken before and stands. */
  private olderThan(offered: (typeof this.taken)[number], before: (typeof this.taken)[number], at: number): LaneRole | undefined {
    const { names } = this.root;
    if (maySign(before.timestamp, names.timestamp) && offered.timestamp.version < before.timestamp.version) return 'timestamp';
    if (maySign(before.snapshot, names.snapshot) && offered.snapshot.version < before.snapshot.version) return 'snapshot';
    if (maySign(before.targets, names.targets) && offered.targets.version < before.targets.version) return 'targets';
    // what a stage's version was is known by the snapshots alone
    if (at < this.takenBefore) return undefined;
    if (maySign(before.prod, offered.targets.names.prod) && offered.prod.version < before.prod.version) return 'prod';
    return undefined;
  }
}

function maySign({ signedBy }: Doc, signers: Signers | undefined): boolean {
  return signers !== undefined && [...signedBy].filter((key) => signers.keys.has(key)).length >= signers.threshold;
}

function areReplaced(before: Signers | undefined, after: Signers | undefined): boolean {
  return [...(before?.keys ?? [])].filter((key) => after?.keys.has(key)).length < (after?.threshold ?? 1);
}
