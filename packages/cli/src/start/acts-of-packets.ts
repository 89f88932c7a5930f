import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ADDRESS_FLAG, NetworkLayer } from '@softnet/contract';
import type { ReportStage } from './report-stage.ts';

/** Addresses of host b, which host a reaches by way of the router. */
export const PEERS = Object.freeze(['10.0.2.2', 'fd00:2::2'] as const);

const LARGE_BYTES = 20_000;
/** The first bytes of a pcapng file: its section header. */
const PCAPNG = 0x0a0d0d0a;

export async function playHosts(stage: ReportStage): Promise<void> {
  const { kernels } = stage.scene;
  const waiting = (): number =>
    kernels
      .flatMap((kernel) => kernel.contributions(NetworkLayer).items.flatMap(({ addresses }) => [...addresses]))
      .filter(({ flags }) => (flags & ADDRESS_FLAG.TENTATIVE) !== 0).length;
  const usable = await stage.until(() => waiting() === 0, 5000);
  stage.promise('every address is usable, none is a duplicate', usable);
  await stage.type('ip addr show eth0');
  await stage.type('ip route');
  await stage.type('ip -6 route');
  await stage.type('lsmod');
}

export async function playPing(stage: ReportStage): Promise<void> {
  for (const address of PEERS) {
    const text = await stage.type(`ping -c 4 -i 100 ${address}`);
    stage.promise(`${address} answers`, Number(/(\d+) received/.exec(text)?.[1]) > 0);
  }
  const neighbours = await stage.type('ip neigh');
  stage.promise(
    'its neighbour, the router, is known in both families',
    /^10\.0\.1\.1 .*lladdr/m.test(neighbours) && /^fd00:1::1 .*lladdr/m.test(neighbours),
  );
}

export async function playUdp(stage: ReportStage): Promise<void> {
  for (const address of PEERS) {
    const text = await stage.typeUntil(`udp ${address} 7 hello`, /: hello$/m);
    stage.promise(`udp-echo at ${address} sends back what it gets`, /: hello$/m.test(text));
  }
  const text = await stage.typeUntil(`udp ${PEERS[0]} 9 hello`, /ECONNREFUSED/);
  stage.promise('a port that nobody has is refused, by ICMP', text.includes('ECONNREFUSED'));
}

export async function playLarge(stage: ReportStage): Promise<void> {
  for (const address of PEERS) {
    const user = stage.connect('a large one', address);
    const back = await stage.ask(user, LARGE_BYTES);
    user.close();
    stage.promise(`${LARGE_BYTES} bytes to ${address} and back, each the one that was sent`, back);
  }
}

export async function playCapture(stage: ReportStage): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'softnet-'));
  try {
    const file = join(folder, 'eth0.pcapng');
    await stage.type(`capture eth0 ${file}`);
    await stage.type(`ping -c 2 -i 100 -s 3000 ${PEERS[0]}`);
    const packets = Number(/^captured (\d+) packets/m.exec(await stage.type('capture stop'))?.[1]);
    const bytes = readFileSync(file);
    const looks = bytes.length > 8 && bytes.readUInt32BE(0) === PCAPNG;
    stage.promise(`${packets} packets in a pcapng file of ${bytes.length} bytes`, packets >= 6 && looks);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function playTraffic(stage: ReportStage): Promise<void> {
  const sorts = ['ping4', 'ping6', 'udp4', 'udp6'] as const;
  await stage.until(() => sorts.every((sort) => stage.traffic(`${sort}.answered`) >= 10), 5000);
  const answered = sorts.map((sort) => `${stage.traffic(`${sort}.answered`)} ${sort}`);
  stage.print(`answered so far: ${answered.join(', ')}; ${stage.traffic('lost')} lost on the cables`);
  stage.promise(
    'all four sorts are answered, and no byte is wrong',
    sorts.every((sort) => stage.traffic(`${sort}.answered`) > 0) && stage.traffic('wrong') === 0,
  );
}
