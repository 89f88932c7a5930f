import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Asked } from './linux/iperf3.ts';
import { iperf3Client, iperf3Server } from './linux/iperf3.ts';
import { skipAloud } from './linux/linux-side.ts';
import { netnsSkipReason } from './linux/netns.ts';
import { missingPrograms } from './linux/programs.ts';
import { FAMILIES, LINKS, TcpLink } from './linux/tcp-link.ts';

const MATRIX = LINKS.flatMap((link) => FAMILIES.map((family) => [link, family] as const));
const MEGABYTES = Number(process.env.SOFTNET_INTEROP_MB ?? 2);
const STREAM = { tcp: true, num: MEGABYTES << 20, len: 131_072 };
/** Few: they fit into any buffer, so that none is lost on a machine that is busy. */
const COUNT = 50;
const DATAGRAMS = { udp: true, num: 1200 * COUNT, len: 1200, bandwidth: 20_000_000 };

interface Report {
  readonly end: {
    readonly sum_sent: { bytes: number };
    readonly sum_received: { bytes: number };
    readonly sum: { packets: number; lost_packets: number };
  };
}

describe.skipIf(skipAloud('iperf3', netnsSkipReason() ?? missingPrograms('iperf3')))(
  'iperf3 of Linux, and its protocol over our sockets',
  () => {
    let link: TcpLink;
    beforeAll(async () => {
      link = await TcpLink.make('iperf', { links: LINKS, isCaptured: false });
    });
    afterAll(() => link?.dispose());

    const rate = (what: string, { num }: Asked, ms: number): void => {
      if (process.env.SOFTNET_INTEROP_MB !== undefined) console.info(`${what}: ${((num * 8) / ms / 1000).toFixed(0)} Mbit/s`);
    };

    /** Their client, our server. */
    async function theyAsk(name: 'plain' | 'offload', family: number, asked: Asked) {
      const port = link.port();
      const words = ['iperf3', '-J', '-c', link.ours(family, name), '-p', port, '-n', asked.num, '-l', asked.len];
      if (asked.udp) words.push('-u', '-b', '20M');
      if (asked.reverse) words.push('-R');
      let said: Promise<unknown> = Promise.resolve();
      const ours = await iperf3Server(link.node, link.ours(family, name), port, () => {
        said = link.run(words);
      });
      const { code, stdout, stderr } = (await said) as { code: number; stdout: string; stderr: string };
      expect([code, stderr], stdout).toEqual([0, '']);
      return { ours, report: JSON.parse(stdout) as Report };
    }

    /** Our client, their server. */
    async function weAsk(name: 'plain' | 'offload', family: number, asked: Asked) {
      const port = link.port();
      const end = await link.serve(['iperf3', '-s', '-1', '-p', port], port);
      const ours = await iperf3Client(link.node, link.theirs(family, name), port, asked);
      end();
      return ours;
    }

    test.for(MATRIX)('TCP over %s, family %i', async ([name, family]) => {
      const up = await theyAsk(name, family, STREAM);
      // It may be a block more, until it sees that there was enough.
      expect(up.ours.bytes).toBeGreaterThanOrEqual(STREAM.num);
      expect(up.ours.bytes).toBeLessThanOrEqual(up.report.end.sum_sent.bytes);
      rate(`Linux to ours, ${name}, ${family}`, STREAM, up.ours.ms);
      const down = await theyAsk(name, family, { ...STREAM, reverse: true });
      expect(down.ours.bytes).toBe(STREAM.num);
      const sent = await weAsk(name, family, STREAM);
      expect(sent.bytes).toBe(STREAM.num);
      const heard = await weAsk(name, family, { ...STREAM, reverse: true });
      expect(heard.theirBytes).toBeGreaterThanOrEqual(STREAM.num);
      rate(`ours to Linux, ${name}, ${family}`, STREAM, sent.ms);
      rate(`Linux to ours (-R), ${name}, ${family}`, STREAM, heard.ms);
    });

    test.for(MATRIX)('UDP over %s, family %i', async ([name, family]) => {
      const up = await theyAsk(name, family, DATAGRAMS);
      expect(up.report.end.sum.packets).toBeGreaterThanOrEqual(COUNT);
      expect([up.ours.packets, up.ours.errors, up.report.end.sum.lost_packets]).toEqual([up.report.end.sum.packets, 0, 0]);
      // A server goes on until it is told that there was enough: on a machine that is busy some of the rest may be lost.
      const down = await theyAsk(name, family, { ...DATAGRAMS, reverse: true });
      expect(down.report.end.sum.packets).toBeGreaterThanOrEqual(COUNT);
      // It looks at what it is told before it looks at what else has come.
      const sent = await weAsk(name, family, DATAGRAMS);
      expect([sent.packets, sent.theirPackets]).toEqual([COUNT, expect.toSatisfy((count) => count > 0 && count <= COUNT)]);
      const heard = await weAsk(name, family, { ...DATAGRAMS, reverse: true });
      expect(heard.packets).toBeGreaterThanOrEqual(COUNT);
    });
  },
);
