import { once } from 'node:events';
import type * as net from 'node:net';
import { ERRNO, MESSAGE_FLAG, SOCK_TYPE, SOL, TCP_SOCKET_OPTION } from '@softnet/contract';
import { readTcpInfo, socketAddress } from '@softnet/posix';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { skipAloud } from './linux/linux-side.ts';
import { netnsSkipReason } from './linux/netns.ts';
import { missingPrograms } from './linux/programs.ts';
import { FAMILIES, TcpLink } from './linux/tcp-link.ts';
import { tcpPeer } from './linux/tcp-peer.ts';
import { tsharkFields } from './linux/tshark.ts';
import { until } from './linux/until.ts';

/** Of `shutdown`. */
const SHUT_WR = 1;

/** What Linux says of a connection. */
interface Seen {
  readonly timestamps: number;
  readonly sack: number;
  readonly scales: readonly number[];
  readonly mss: number;
}
const ALL_OPTIONS = { timestamps: 1, sack: 1, scales: [expect.toSatisfy((shift) => shift > 0), expect.toSatisfy((shift) => shift > 0)] };
const mssOf = (family: number): number => (family === 2 ? 1448 : 1428);

describe.skipIf(skipAloud('peers of Linux over TCP', netnsSkipReason() ?? missingPrograms('python3')))('peers of Linux, over TCP', () => {
  let link: TcpLink;
  beforeAll(async () => {
    link = await TcpLink.make('peer');
  });
  afterAll(() => link?.dispose());

  const open = (family: number): number => link.posix.socket(family, SOCK_TYPE.STREAM);
  const there = (family: number, port: number) => socketAddress(link.theirs(family), port)!;
  const signal = (): AbortSignal => AbortSignal.timeout(20_000);

  async function listening(family: number, port: number, onConnection: (socket: net.Socket) => void): Promise<net.Server> {
    const server = link.node.net.createServer({ allowHalfOpen: true }, onConnection).listen(port, link.ours(family));
    await once(server, 'listening');
    return server;
  }

  /** Linux listens; we connect, and act. */
  async function weAsk<T>(what: string, family: number, act: (fd: number) => Promise<unknown>): Promise<T> {
    const [port, fd] = [link.port(), open(family)];
    let acted: Promise<unknown> = Promise.resolve();
    const said = tcpPeer<T>(link, [what, link.theirs(family), port], () => {
      acted = (async () => {
        expect(await link.posix.connect(fd, there(family, port), signal())).toBe(0);
        await act(fd);
      })();
      // What it throws ends the connection, and so the peer.
      acted.catch(() => {}).finally(() => link.posix.close(fd));
    });
    return said.finally(() => acted);
  }

  /** All until the end, as text. */
  async function heard(fd: number): Promise<string> {
    const place = new Uint8Array(1000);
    for (let text = ''; ; ) {
      const count = await link.posix.recv(fd, place, 0, signal());
      if (count <= 0) return count === 0 ? text : `${text} and error ${count}`;
      text += Buffer.from(place.subarray(0, count));
    }
  }

  test.concurrent.for(FAMILIES)('SACK, timestamps, window scale and MSS are agreed on, whoever asks (family %i)', async (family) => {
    let ours: ReturnType<typeof readTcpInfo> = {};
    const theirs = await weAsk<Seen>('options', family, async (fd) => {
      await link.posix.recv(fd, new Uint8Array(9), 0, signal());
      const bytes = new Uint8Array(232);
      link.posix.getsockopt(fd, SOL.TCP, TCP_SOCKET_OPTION.INFO, bytes);
      ours = readTcpInfo(bytes);
      link.posix.shutdown(fd, SHUT_WR);
    });
    expect(theirs).toMatchObject({ ...ALL_OPTIONS, mss: mssOf(family) });
    expect([ours.tcpi_options! & 7, ours.tcpi_snd_mss]).toEqual([7, mssOf(family)]);
    expect([ours.tcpi_rcv_wscale, ours.tcpi_snd_wscale]).toEqual(theirs.scales);
    const port = link.port();
    const server = await listening(family, port, (socket) => void socket.pipe(socket));
    const asked = await tcpPeer<Seen>(link, ['ask', link.ours(family), port]);
    expect(asked).toMatchObject({ said: 'hello', ...ALL_OPTIONS, mss: mssOf(family) });
    server.close();
  });

  test.concurrent.for(FAMILIES)('nobody listens: refused at once, both ways (family %i)', async (family) => {
    const fd = open(family);
    expect(await link.posix.connect(fd, there(family, link.port()), signal())).toBe(-ERRNO.ECONNREFUSED);
    link.posix.close(fd);
    expect(await tcpPeer(link, ['connect', link.ours(family), link.port()])).toEqual({ end: 'ECONNREFUSED' });
  });

  test.concurrent.for(FAMILIES)('resets are heard, both ways (family %i)', async (family) => {
    let result = 0;
    await weAsk('reset', family, async (fd) => {
      await link.posix.send(fd, Uint8Array.of(1));
      result = await link.posix.recv(fd, new Uint8Array(1), 0, signal());
    });
    expect(result).toBe(-ERRNO.ECONNRESET);
    const port = link.port();
    const server = await listening(family, port, (socket) => void socket.once('data', () => socket.resetAndDestroy()));
    expect(await tcpPeer(link, ['reset-by-us', link.ours(family), port])).toEqual({ end: 'ECONNRESET' });
    server.close();
  });

  test.concurrent.for(FAMILIES)('an urgent octet, both ways (family %i)', async (family) => {
    let theirs = '';
    const seen = await weAsk('urgent', family, async (fd) => {
      await link.posix.send(fd, Buffer.from('ab'));
      await link.posix.send(fd, Buffer.from('c!'), MESSAGE_FLAG.OOB);
      await link.posix.send(fd, Buffer.from('de'));
      // Before it is passed: then it is gone.
      const octet = new Uint8Array(1);
      await until(() => `${link.posix.recv(fd, octet, MESSAGE_FLAG.OOB)}`, /^1$/);
      theirs = String.fromCharCode(octet[0]!) + (await heard(fd));
      link.posix.shutdown(fd, SHUT_WR);
    });
    expect(seen).toEqual({ octet: '!', before: 'abc', after: 'de' });
    expect(theirs).toBe('!abcdefg');
  });

  test.concurrent.for(FAMILIES)('one who asks again and again from one port finds us in TIME-WAIT (family %i)', async (family) => {
    const [port, from] = [link.port(), link.port()];
    const server = await listening(family, port, (socket) => void socket.once('data', (data) => socket.end(data)));
    const words = ['again', link.ours(family), port, link.theirs(family), 4, from];
    expect(await tcpPeer(link, words)).toEqual({ done: ['0', '1', '2', '3'] });
    server.close();
  });

  test.concurrent('keepalive of Linux is answered: who is silent is not given up', async () => {
    const port = link.port();
    const server = await listening(2, port, () => {});
    expect(await tcpPeer(link, ['keepalive', link.ours(2), port, 3.3])).toEqual({ end: 'timeout' });
    server.close();
  });

  test.concurrent('a flood of SYNs: who is real is served, with all options', async () => {
    const port = link.port();
    link.softnet.addRoute('10.99.0.0/24', { via: link.theirs(2) });
    const server = await listening(2, port, (socket) => void socket.pipe(socket));
    const flood = tcpPeer(link, ['flood', link.ours(2), port, 3000, '10.99.0']);
    for (let count = 0; count < 5; count++) {
      expect(await tcpPeer(link, ['ask', link.ours(2), port])).toMatchObject({ said: 'hello', ...ALL_OPTIONS });
    }
    await flood;
    expect(await tcpPeer(link, ['ask', link.ours(2), port])).toMatchObject({ said: 'hello', ...ALL_OPTIONS });
    const counted = (name: string): number => link.softnet.kernel.counters().find((each) => each.name === name)!.value;
    // A host that is busy loses some of the flood before it hears of it.
    expect(counted('tcp.cookies-sent')).toBeGreaterThan(100);
    expect(counted('tcp.cookies-received')).toBeGreaterThan(0);
    server.close();
  });

  test('tshark finds no fault in all of this, no wrong checksum; both sides say the same options', async ({ skip }) => {
    const { capture } = link.softnet;
    const faults = await tsharkFields(capture, '_ws.malformed || _ws.expert.severity >= "Error" || tcp.checksum.status == "Bad"', [
      '_ws.col.Info',
    ]);
    if (faults === null) return skip('tshark is not installed');
    expect(faults).toEqual([]);
    // MSS, SACK permitted, timestamps, a no-operation, window scale, in one order: of who is real, by SYN or SYN-ACK, either side.
    const syns = await tsharkFields(capture, 'tcp.flags.syn == 1 && tcp.options.sack_perm', ['ip.src', 'ipv6.src', 'tcp.option_kind']);
    const said = new Set(syns!.map(([ipv4, ipv6, kinds]) => `${ipv4}${ipv6} ${kinds}`));
    const all = FAMILIES.flatMap((family) => [link.ours(family), link.theirs(family)]).map((address) => `${address} 2,4,8,1,3`);
    expect(said).toEqual(new Set(all));
  });
});
