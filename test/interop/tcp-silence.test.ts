import { ERRNO, SO, SOCK_TYPE, SOL, TCP_SOCKET_OPTION } from '@softnet/contract';
import { Faults } from '@softnet/nic-driver';
import { intValue, socketAddress } from '@softnet/posix';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { skipAloud } from './linux/linux-side.ts';
import { netnsSkipReason } from './linux/netns.ts';
import { missingPrograms } from './linux/programs.ts';
import { FAMILIES, TcpLink } from './linux/tcp-link.ts';
import { tcpPeer } from './linux/tcp-peer.ts';
import { until } from './linux/until.ts';

const WAIT_MS = 30_000;

describe.skipIf(skipAloud('a link to Linux that falls silent', netnsSkipReason() ?? missingPrograms('python3', 'nc')))(
  'TCP with Linux, over a link that falls silent',
  () => {
    let link: TcpLink;
    beforeAll(async () => {
      link = await TcpLink.make('silence', { faults: {} });
    });
    afterAll(() => link?.dispose());

    const signal = (): AbortSignal => AbortSignal.timeout(WAIT_MS);
    const faults = (changes: object): void => link.softnet.kernel.port(Faults).current.set(link.softnet.device('plain-bad'), changes);
    const open = (family: number): number => link.posix.socket(family, SOCK_TYPE.STREAM);
    const there = (family: number, port: number) => socketAddress(link.theirs(family), port)!;

    test('both connect to each other: one connection (RFC 9293 §3.5, figure 7), both families at once', async () => {
      // Their first SYNs are lost, the next ones cross.
      faults({ loss: 1, delayUs: 150_000 });
      let ready = 0;
      const meetings = FAMILIES.map(async (family) => {
        const [ours, theirs, fd] = [link.port(), link.port(), open(family)];
        link.posix.bind(fd, socketAddress(link.ours(family), ours)!);
        let connected: number | Promise<number> = -1;
        const said = tcpPeer<{ said: string; error: string }>(
          link,
          ['simultaneous', link.ours(family), theirs, link.theirs(family), ours],
          () => {
            connected = link.posix.connect(fd, there(family, theirs), signal());
            ready++;
          },
        );
        await until(() => `${ready}`, /^2$/, WAIT_MS);
        faults({ loss: 0 });
        expect(await connected).toBe(0);
        await link.posix.send(fd, Buffer.from('from softnet'));
        link.posix.shutdown(fd, 1);
        const place = new Uint8Array(20);
        const lenBytes = await link.posix.recv(fd, place, 0, signal());
        expect(Buffer.from(place.subarray(0, lenBytes)).toString()).toBe('from linux');
        expect(await said).toEqual({ said: 'from softnet', error: '' });
        link.posix.close(fd);
      });
      await Promise.all(meetings);
      faults({ delayUs: 0 });
    });

    test('nothing comes any more: keepalive, a user timeout and an open each say so', async () => {
      const port = link.port();
      const end = await link.serve(['nc', '-lk', link.theirs(2), port], port);
      const [idle, busy, opening] = [open(2), open(2), open(2)];
      const keepalive = [TCP_SOCKET_OPTION.KEEPIDLE, TCP_SOCKET_OPTION.KEEPINTVL, TCP_SOCKET_OPTION.KEEPCNT];
      link.posix.setsockopt(idle, SOL.SOCKET, SO.KEEPALIVE, intValue(1));
      for (const name of keepalive) expect(link.posix.setsockopt(idle, SOL.TCP, name, intValue(1))).toBe(0);
      expect(link.posix.setsockopt(busy, SOL.TCP, TCP_SOCKET_OPTION.USER_TIMEOUT, intValue(1200))).toBe(0);
      expect(link.posix.setsockopt(opening, SOL.TCP, TCP_SOCKET_OPTION.SYNCNT, intValue(1))).toBe(0);
      for (const fd of [idle, busy]) expect(await link.posix.connect(fd, there(2, port), signal())).toBe(0);
      faults({ loss: 1 });
      await link.posix.send(busy, Uint8Array.of(1));
      const answers = [
        link.posix.recv(idle, new Uint8Array(1), 0, signal()),
        link.posix.recv(busy, new Uint8Array(1), 0, signal()),
        link.posix.connect(opening, there(2, port), signal()),
      ];
      expect(await Promise.all(answers)).toEqual(Array(3).fill(-ERRNO.ETIMEDOUT));
      faults({ loss: 0 });
      for (const fd of [idle, busy, opening]) link.posix.close(fd);
      end();
    });
  },
);
