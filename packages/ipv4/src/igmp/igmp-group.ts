import type { AddressWords } from '@softnet/contract';
import type { SourceFilter } from '@softnet/inet';
import { GroupAnswer, GroupChanges, NOTHING } from '@softnet/inet';

/** What is said of one group on one interface, and when. */
export class IgmpGroup {
  readonly group: AddressWords;
  /** What all members together want. */
  filter: SourceFilter = NOTHING;
  /** Version 3. */
  readonly changes: GroupChanges = new GroupChanges();
  readonly answer: GroupAnswer = new GroupAnswer();
  /** Versions 1 and 2: when the next report is due, and how many there are still to be. */
  reportUs: number = Number.POSITIVE_INFINITY;
  reportsLeft = 0;
  /** This host was the last to report: the leave is its to say. */
  isReporter = false;

  constructor(group: AddressWords) {
    this.group = group;
  }

  cancel(): void {
    this.changes.clear();
    this.answer.clear();
    this.reportUs = Number.POSITIVE_INFINITY;
    this.reportsLeft = 0;
  }
}
