import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { skipAloud } from './linux/linux-side.ts';
import { netnsSkipReason } from './linux/netns.ts';
import { missingPrograms } from './linux/programs.ts';
import { FAMILIES, TcpLink } from './linux/tcp-link.ts';
import { until } from './linux/until.ts';

/** `SOFTNET_INTEROP_MB=1024` for a gigabyte in each direction. */
const MEGABYTES = Number(process.env.SOFTNET_INTEROP_MB ?? 4);
const PIECE = Buffer.from(Array.from({ length: 1 << 20 }, (_, at) => (at * 31 + (at >> 8) * 7 + (at >> 16)) & 0xff));
const FAULTS = { loss: 0.005, reorder: 0.01, duplicate: 0.005, delayUs: 500, jitterUs: 100 };
/** The same as {@link PIECE}s, each begun with its number. */
const SENDER = `
import sys, hashlib
piece = bytearray((at * 31 + (at >> 8) * 7 + (at >> 16)) & 0xff for at in range(1 << 20))
hashed = hashlib.sha256()
for number in range(int(sys.argv[1])):
    piece[0:4] = number.to_bytes(4, 'big')
    hashed.update(piece); sys.stdout.buffer.write(piece)
sys.stdout.buffer.flush(); print(hashed.hexdigest(), file=sys.stderr)
`;

function* pieces(): Generator<Buffer> {
  for (let number = 0; number < MEGABYTES; number++) {
    const piece = Buffer.from(PIECE);
    piece.writeUInt32BE(number);
    yield piece;
  }
}

const WHOLE = (() => {
  const hash = createHash('sha256');
  for (const piece of pieces()) hash.update(piece);
  return hash.digest('hex');
})();

describe.skipIf(skipAloud('bulk over TCP', netnsSkipReason() ?? missingPrograms('nc', 'python3')))(
  'bulk over a link that loses, doubles, delays and reorders',
  () => {
    let link: TcpLink;
    beforeAll(async () => {
      link = await TcpLink.make('bulk', { faults: FAULTS, isCaptured: false });
    });
    afterAll(() => link?.dispose());

    const rate = (what: string, begin: number): void => {
      const ms = performance.now() - begin;
      if (process.env.SOFTNET_INTEROP_MB !== undefined) console.info(`${what}: ${((MEGABYTES * 8388.608) / ms).toFixed(1)} Mbit/s`);
    };

    test.concurrent.for(FAMILIES)('ours to Linux, family %i: every octet, by its hash', { timeout: 3_600_000 }, async (family) => {
      const port = link.port();
      const said = link.run(['sh', '-c', `nc -l ${link.theirs(family)} ${port} | sha256sum`]);
      await until(async () => (await link.linux.exec(`ss -Hltn sport = :${port}`)).stdout, /LISTEN/, 30_000);
      const begin = performance.now();
      const socket = link.node.net.connect(port, link.theirs(family));
      for (const piece of pieces()) if (!socket.write(piece)) await once(socket, 'drain');
      socket.end();
      socket.resume();
      expect((await said).stdout.slice(0, 64)).toBe(WHOLE);
      rate(`ours to Linux, ${family}`, begin);
    });

    test.concurrent.for(FAMILIES)('Linux to ours, family %i: every octet, by its hash', { timeout: 3_600_000 }, async (family) => {
      const [port, hash] = [link.port(), createHash('sha256')];
      const server = link.node.net.createServer().listen(port, link.ours(family));
      await once(server, 'listening');
      const begin = performance.now();
      const said = link.run(['sh', '-c', `python3 -c "${SENDER}" ${MEGABYTES} | nc -N ${link.ours(family)} ${port}`]);
      const [socket] = await once(server, 'connection');
      socket.on('data', (part: Buffer) => hash.update(part));
      await once(socket, 'end');
      socket.end();
      expect(hash.digest('hex')).toBe(WHOLE);
      expect((await said).stderr.trim()).toBe(WHOLE);
      rate(`Linux to ours, ${family}`, begin);
      server.close();
    });
  },
);
