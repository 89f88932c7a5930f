import type { HeaderOption } from '@softnet/wire';
import { emitIpv4Packet, emitTcp, mssOption, parseIpv4Packet, parseTcp, timestampsOption } from '@softnet/wire';
import { afterEach, expect, test } from 'vitest';
import { parseScript } from '../language/parse-script.ts';
import { pattern } from '../packets/build-packet.ts';
import { pseudoSum } from '../packets/read-packet.ts';
import { SCRIPT_LIMITS } from './script-clock.ts';
import { readConfig } from './script-config.ts';
import { ScriptHost } from './script-host.ts';
import { ScriptRun } from './script-run.ts';
import { VirtualTarget } from './virtual-target.ts';

const [LOCAL, REMOTE] = ['192.168.0.1', '192.0.2.1'];
/** Of the kernel that is played here: numbers that pass zero, and a clock of its own. */
const ISN = 0xffffff00;
const STAMP = 5_000_000;
let host: ScriptHost | null = null;

afterEach(async () => {
  await host?.dispose();
  host = null;
});

interface Segment {
  readonly atUs: number;
  readonly seq: number;
  readonly flags: number;
  readonly lenBytes?: number;
  readonly ack?: number;
  readonly options?: readonly HeaderOption[];
}

function bytesOf({ seq, flags, lenBytes = 0, ack = 0, options = [] }: Segment): Uint8Array {
  const fields = { srcPort: 8080, dstPort: 53000, window: 100, checksum: 0, urgentPointer: 0 };
  const segment = { ...fields, seq: (ISN + seq) >>> 0, ack, flags, options, payload: pattern(lenBytes) };
  const sized = emitTcp(segment).length;
  const payload = emitTcp(segment, pseudoSum(LOCAL, REMOTE, 6, sized));
  const ip = { tos: 0, id: 0, dontFragment: true, moreFragments: false, fragmentOffsetBytes: 0, ttl: 64, protocol: 6, options: [] };
  return emitIpv4Packet({ ...ip, src: LOCAL, dst: REMOTE, payload });
}

/** Runs a script against a kernel whose segments are given. @returns what the script has sent to it. */
async function play(text: string, segments: readonly Segment[]): Promise<Uint8Array[]> {
  host = await ScriptHost.boot([]);
  const script = parseScript('tcp.pkt', text);
  const config = readConfig(script.options);
  await host.configure(config);
  const injected: Uint8Array[] = [];
  const { link, world, kernel } = host;
  link.inject = (bytes) => injected.push(bytes);
  for (const segment of segments) kernel.after(segment.atUs, () => link.transmitted(bytesOf(segment), world.nowUs), 'test');
  const run = new ScriptRun(script, new VirtualTarget(host, SCRIPT_LIMITS, () => undefined), config);
  await run.run();
  return injected;
}

const SYN: Segment = { atUs: 100_000, seq: 0, flags: 0x02, options: [mssOption(1460), timestampsOption(STAMP, 0)] };
const OPEN = `
0.1 > S 0:0(0) <mss 1460,TS val 100 ecr 0>
+0.1 < S. 0:0(0) ack 1 win 500 <mss 1000,TS val 7 ecr 100>`;
const ACK: Segment = { atUs: 200_000, seq: 1, flags: 0x10, ack: 1, options: [timestampsOption(STAMP + 100, 7)] };
const DATA: readonly Segment[] = [1, 1001, 2001].map((seq) => ({
  atUs: 300_000,
  seq,
  flags: seq === 2001 ? 0x18 : 0x10,
  ack: 1,
  lenBytes: 1000,
}));

test("the script's numbers are the kernel's less its own, both ways, and so are stamps", async () => {
  const [answer] = await play(`${OPEN}\n+0 > . 1:1(0) ack 1 win 100 <TS val 200 ecr 7>`, [SYN, ACK]);
  const packet = parseIpv4Packet(answer!, 0, answer!.length);
  if (typeof packet === 'string') throw new Error(packet);
  const segment = parseTcp(packet.payload, 0, packet.payload.length, pseudoSum(REMOTE, LOCAL, 6, packet.payload.length));
  expect(segment).toMatchObject({ srcPort: 53000, dstPort: 8080, seq: 0, ack: (ISN + 1) | 0, flags: 0x12, window: 500 });
  if (typeof segment === 'string') throw new Error(segment);
  expect(segment.options[1]).toEqual(timestampsOption(7, STAMP));
});

test('segments of one write are taken together, unless they are to be strict', async () => {
  const rest = '\n+0 > . 1:1(0) ack 1 <...>\n+0.1 > P. 1:3001(3000) ack 1';
  await play(OPEN + rest, [SYN, ACK, ...DATA]);
  await host?.dispose();
  await expect(play(`--strict_segments\n${OPEN}${rest}`, [SYN, ACK, ...DATA])).rejects.toThrow('its length is 1000, not 3000');
});

test('a SYN within the connection, and after it one of another number', async () => {
  const challenge: Segment = { atUs: 400_000, seq: 1, flags: 0x10, ack: 1 };
  const next: Segment = { atUs: 600_000, seq: 70_000, flags: 0x12, ack: 9001 };
  const text = `${OPEN}
+0 > . 1:1(0) ack 1 <...>
0.4 < S 1:1(0) win 9
+0 > . 1:1(0) ack 1
0.6 < S 9000:9000(0) win 9
+0 > S. 0:0(0) ack 9001`;
  const injected = await play(text, [SYN, ACK, challenge, next]);
  expect(injected.map((bytes) => bytes[20]! * 256 + bytes[21]!)).toEqual([53000, 53000, 53000]);
});

test.each<[string, string, readonly Segment[], string]>([
  ['another number', '> . 2:2(0) ack 1 <...>', [ACK], 'the sequence number is 1, not 2'],
  ['a stamp that runs too fast', '> . 1:1(0) ack 1 <TS val 190 ecr 7>', [ACK], 'the options are'],
  ['an echo of another stamp', '> . 1:1(0) ack 1 <TS val 200 ecr 8>', [ACK], 'the options are'],
  [
    'a gap in what is taken together',
    '> . 1:1(0) ack 1 <...>\n+0.1 > P. 1:3001(3000) ack 1',
    [ACK, DATA[0]!, DATA[2]!],
    'its length is 1000',
  ],
  ['more than was said', '> . 1:1(0) ack 1 <...>\n+0.1 > . 1:2001(2000) ack 1', [ACK, ...DATA], '1 packets were sent that no line expects'],
  [
    'a second number for one SYN',
    '> S 0:0(0) <mss 1460,TS val 200 ecr 0>',
    [{ ...SYN, atUs: 200_000, seq: 9 }],
    'the sequence number is 9',
  ],
])('%s fails', async (_name, line, segments, sentence) => {
  await expect(play(`${OPEN}\n+0 ${line}`, [SYN, ...segments])).rejects.toThrow(sentence);
});
