import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { recordPairs, STREAM_DESTINATIONS, STREAM_SPECS } from '../stack/socket/stream-pairs.ts';
import { STREAM_PORT_ROWS } from '../stack/socket/stream-port-rows.ts';
import { skipAloud } from './linux/linux-side.ts';
import { Netns, netnsSkipReason } from './linux/netns.ts';
import { udpPeerSkipReason } from './linux/udp-peer.ts';

const PROGRAM = fileURLToPath(new URL('linux/stream-ports.py', import.meta.url));

interface Answers {
  readonly pairs: readonly (readonly (readonly string[])[])[];
  readonly rows: readonly (readonly string[])[];
}

function askLinux(): Answers {
  const linux = new Netns('streams');
  try {
    const input = JSON.stringify({
      specs: STREAM_SPECS,
      destinations: STREAM_DESTINATIONS,
      rows: STREAM_PORT_ROWS.map(([, steps]) => steps.map(([step]) => step)),
    });
    const { stdout, stderr } = spawnSync('ip', ['netns', 'exec', linux.name, 'python3', PROGRAM], {
      input,
      encoding: 'utf8',
      maxBuffer: 1 << 24,
    });
    if (stderr !== '') throw new Error(stderr);
    return JSON.parse(stdout);
  } finally {
    linux.dispose();
  }
}

/** That softnet answers the same is seen by `test/stack/socket/stream-ports.test.ts`, also where there is no Linux. */
describe.skipIf(skipAloud('who may have which TCP port', netnsSkipReason() ?? udpPeerSkipReason()))(
  'what was recorded of streams and their ports',
  () => {
    let linux!: Answers;
    beforeAll(() => {
      linux = askLinux();
    });

    test('pairs are as Linux has them', async () => {
      const answer = (listens: boolean, first: number, second: number): string => linux.pairs[Number(listens)]![first]![second]!;
      const text = recordPairs((listens, first, second) => answer(listens, STREAM_SPECS.indexOf(first), STREAM_SPECS.indexOf(second)));
      await expect(text).toMatchFileSnapshot('../stack/socket/linux-stream-pairs.txt');
    });

    test('rows are as Linux has them', () => {
      const said = STREAM_PORT_ROWS.map(([what, steps], i) => [what, steps.map(([step], j) => [step, linux.rows[i]![j]])]);
      expect(said).toEqual(STREAM_PORT_ROWS);
    });
  },
);
