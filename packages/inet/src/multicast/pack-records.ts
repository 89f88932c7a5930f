import { GROUP_RECORD } from './group-changes.ts';
import type { ReportedRecord } from './group-reporter.ts';

/** Bytes of a report, of a record without sources, of a source. */
export interface RecordSizes {
  readonly reportBytes: number;
  readonly recordBytes: number;
  readonly sourceBytes: number;
}

/**
 * Records in as few reports of at most so many bytes (RFC 3376 §4.2.16, RFC 3810 §5.2.15). One that is too long is cut into several; but what is excluded is
 * said in one record, as far as it fits: a second one would take the first one's place.
 * @param maxBytes of a report; there is room for a record with a source.
 */
export function packRecords(records: readonly ReportedRecord[], maxBytes: number, sizes: RecordSizes): ReportedRecord[][] {
  const { reportBytes, recordBytes, sourceBytes } = sizes;
  const maxSources = Math.max(0, Math.floor((maxBytes - reportBytes - recordBytes) / sourceBytes));
  const reports: ReportedRecord[][] = [];
  let leftBytes = 0;
  for (const record of records.flatMap((each) => piecesOf(each, maxSources))) {
    const lenBytes = recordBytes + sourceBytes * record.sources.length;
    if (lenBytes > leftBytes) {
      reports.push([]);
      leftBytes = maxBytes - reportBytes;
    }
    reports.at(-1)!.push(record);
    leftBytes -= lenBytes;
  }
  return reports;
}

function piecesOf(record: ReportedRecord, maxSources: number): ReportedRecord[] {
  const { type, sources } = record;
  if (sources.length <= maxSources) return [record];
  if (type === GROUP_RECORD.IS_EXCLUDE || type === GROUP_RECORD.TO_EXCLUDE) return [{ ...record, sources: sources.slice(0, maxSources) }];
  const pieces: ReportedRecord[] = [];
  for (let at = 0; at < sources.length; at += maxSources) pieces.push({ ...record, sources: sources.slice(at, at + maxSources) });
  return pieces;
}
