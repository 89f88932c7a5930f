import type { SockCommon } from '@softnet/contract';
import { ERRNO } from '@softnet/contract';
import { beforeAll, expect, test } from 'vitest';
import { FakeStreams } from './fake-streams.ts';
import type { StreamSpec } from './stream-pairs.ts';
import { recordPairs, STREAM_DESTINATIONS } from './stream-pairs.ts';
import { STREAM_PORT_ROWS } from './stream-port-rows.ts';

const BASE = 10_000;
const PORT = 20_000;
const RANGE = 'net.ipv4.ip_local_port_range';

let streams!: FakeStreams;
beforeAll(async () => {
  streams = await FakeStreams.boot();
});

function word(error: number): string {
  return error === 0 ? 'ok' : Object.entries(ERRNO).find(([, errno]) => errno === -error)![0];
}

function answer(listens: boolean, first: StreamSpec, second: StreamSpec): string {
  const made = ([family, , flags, device]: StreamSpec): SockCommon =>
    streams.socket(family, ['A', 'P', 'V'].filter((_, bit) => (flags >> bit) & 1).join('') + 'D'.repeat(device));
  const [one, two] = [made(first), made(second)];
  const receiver = ([family, address]: readonly [4 | 6, string]): string => {
    const client = streams.socket(family, '');
    const error = streams.connect(client, address, PORT);
    const by = [one, two].findIndex((each) => {
      const child = streams.accept(each);
      if (child !== null) streams.close(child);
      return child !== null;
    });
    streams.close(client);
    expect(error).toBe(by < 0 ? -ERRNO.ECONNREFUSED : 0);
    return String(by + 1);
  };
  const said = (): string => {
    expect(streams.bind(one, first[1], PORT)).toBe(0);
    if (listens) expect(streams.listen(one)).toBe(0);
    if (streams.bind(two, second[1], PORT) !== 0) return 'b';
    expect(streams.listen(two)).toBe(0);
    const who = STREAM_DESTINATIONS.map(receiver).join('');
    return listens ? who : who + (streams.listen(one) === 0 ? '.' : 'l');
  };
  const text = said();
  streams.close(one);
  streams.close(two);
  return text;
}

/** What Linux 6.18 answers is recorded by `test/interop/stream-ports.test.ts`, which compares it with the Linux that is there. */
test('of two streams with one port, those that Linux has beside one another, and the same of both is given the connection', async () => {
  streams.kernel.sysctl.set(RANGE, [40_000, 50_000]);
  await expect(recordPairs(answer)).toMatchFileSnapshot('linux-stream-pairs.txt');
});

test.each(STREAM_PORT_ROWS)('%s', (_what, steps) => {
  streams.kernel.sysctl.set(RANGE, [BASE + 5, BASE + 5]);
  const socks = new Map<string, SockCommon>();
  const left: SockCommon[] = [];
  const end = (text: string): number =>
    text.startsWith('@') ? socks.get(text.slice(1))!.localPort : text === '0' ? 0 : BASE + Number(text);
  const calls: Record<string, (name: string, ...args: string[]) => number | string> = {
    socket: (name, family, options = '') => {
      socks.set(name, streams.socket(family === '4' ? 4 : 6, options));
      return 0;
    },
    bind: (name, address, port) => streams.bind(socks.get(name)!, address!, end(port!)),
    listen: (name) => streams.listen(socks.get(name)!),
    connect: (name, address, port) => streams.connect(socks.get(name)!, address!, end(port!)),
    accept: (name, child) => {
      socks.set(child!, streams.accept(socks.get(name)!)!);
      return 0;
    },
    timewait: (name, peer) => {
      left.push(streams.timeWait(socks.get(name)!, socks.get(peer!)!));
      return 0;
    },
    reuse: (name, on) => streams.reuse(socks.get(name)!, on === '1'),
    shut: (name) => streams.shut(socks.get(name)!),
    close: (name) => streams.close(socks.get(name)!),
    port: (name) => String(socks.get(name)!.localPort - BASE),
  };
  const said = steps.map(([step]) => {
    const [name, call, ...args] = step.split(' ');
    const answered = calls[call!]!(name!, ...args);
    return [step, typeof answered === 'string' ? answered : word(answered)];
  });
  for (const sock of [...socks.values(), ...left]) streams.close(sock);
  expect(said).toEqual(steps);
});

test('a range whose highest port is below its lowest is refused, and nothing changes', () => {
  streams.kernel.sysctl.set(RANGE, [100, 100]);
  expect(() => streams.kernel.sysctl.set(RANGE, [101, 100])).toThrow(/EINVAL.*none below the one before it/);
  expect(streams.kernel.sysctl.get(RANGE)).toEqual([100, 100]);
});
