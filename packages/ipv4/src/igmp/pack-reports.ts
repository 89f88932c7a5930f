import { GROUP_RECORD } from '@softnet/inet';
import type { IgmpRecord, IgmpReport } from './wire.ts';
import { IGMP_BYTES, IGMP_TYPE, igmpRecordBytes, igmpSourcesIn } from './wire.ts';

/**
 * Records as few reports of at most so many bytes (RFC 3376 §4.2.16). One that is too long is cut into several; but what is excluded is said in one
 * record, as far as it fits: a second one would take the first one's place.
 * @param maxBytes of an IGMP message; there is room for a record with a source.
 */
export function packReports(records: readonly IgmpRecord[], maxBytes: number): IgmpReport[] {
  const reports: IgmpRecord[][] = [];
  let leftBytes = 0;
  for (const record of records.flatMap((each) => piecesOf(each, igmpSourcesIn(maxBytes - IGMP_BYTES)))) {
    const lenBytes = igmpRecordBytes(record.sources.length);
    if (lenBytes > leftBytes) {
      reports.push([]);
      leftBytes = maxBytes - IGMP_BYTES;
    }
    reports.at(-1)!.push(record);
    leftBytes -= lenBytes;
  }
  return reports.map((each) => ({ type: IGMP_TYPE.REPORT_V3, records: each }));
}

function piecesOf(record: IgmpRecord, maxSources: number): IgmpRecord[] {
  const { type, sources } = record;
  if (sources.length <= maxSources) return [record];
  if (type === GROUP_RECORD.IS_EXCLUDE || type === GROUP_RECORD.TO_EXCLUDE) return [{ ...record, sources: sources.slice(0, maxSources) }];
  const pieces: IgmpRecord[] = [];
  for (let at = 0; at < sources.length; at += maxSources) pieces.push({ ...record, sources: sources.slice(at, at + maxSources) });
  return pieces;
}
