import type { Netns } from './netns.ts';

/** As `bridge -j mdb` has it. */
interface MdbEntry {
  readonly grp: string;
  readonly port: string;
  readonly filter_mode: string;
  readonly source_list?: readonly { readonly address: string }[];
}

/** What the querier of br0 knows of a group behind a port: 'exclude 10.0.0.1'; null: nobody is in. */
export async function bridgeGroup(linux: Netns, port: string, group: string): Promise<string | null> {
  const { stdout } = await linux.exec('bridge -j -d mdb show dev br0');
  const entries = (JSON.parse(stdout) as readonly { readonly mdb: readonly MdbEntry[] }[])[0]!.mdb;
  const found = entries.find((each) => each.grp === group && each.port === port && 'filter_mode' in each && !('src' in each));
  return found === undefined ? null : [found.filter_mode, ...(found.source_list ?? []).map(({ address }) => address).sort()].join(' ');
}
