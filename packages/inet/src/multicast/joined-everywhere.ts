import type { Contributions, JoinedGroups } from '@softnet/contract';

/** Groups of a family that somebody of this host is in, by whichever generation of its layer. Asked for each packet to a group: allocates nothing. */
export class JoinedEverywhere {
  readonly #family: number;
  readonly #joined: Contributions<JoinedGroups>;

  constructor(family: number, joined: Contributions<JoinedGroups>) {
    this.#family = family;
    this.#joined = joined;
  }

  /** Does somebody want what comes from this source to this group? */
  takes(
    ifindex: number,
    group0: number,
    group1: number,
    group2: number,
    group3: number,
    source0: number,
    source1: number,
    source2: number,
    source3: number,
  ): boolean {
    const { items } = this.#joined;
    for (let i = 0; i < items.length; i++) {
      const item = items[i]!;
      if (item.family === this.#family && item.takes(ifindex, group0, group1, group2, group3, source0, source1, source2, source3))
        return true;
    }
    return false;
  }

  /** Is somebody in the group there? */
  has(ifindex: number, group0: number, group1: number, group2: number, group3: number): boolean {
    const { items } = this.#joined;
    for (let i = 0; i < items.length; i++) {
      if (items[i]!.family === this.#family && items[i]!.has(ifindex, group0, group1, group2, group3)) return true;
    }
    return false;
  }
}
