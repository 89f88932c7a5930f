import type { AddressWords } from '@softnet/contract';
import { GroupAnswer } from './group-answer.ts';
import { GroupChanges } from './group-changes.ts';
import type { SourceFilter } from './group-filter.ts';
import { NOTHING } from './group-filter.ts';

/** What is said of one group on one interface, and when. */
export class ReportedGroup {
  readonly group: AddressWords;
  /** What all members together want. */
  filter: SourceFilter = NOTHING;
  /** With filters. */
  readonly changes: GroupChanges = new GroupChanges();
  readonly answer: GroupAnswer = new GroupAnswer();
  /** Without: when the next report is due, and how many there are still to be. */
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
