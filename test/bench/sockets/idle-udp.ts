import type { SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, IPV4_WORD2, SOCK_TYPE, SockAddress, Sockets } from '@softnet/contract';
import { realHost } from '../../stack/udp/real-host.ts';
import { bytesKeptEach } from '../heap.ts';
import type { Figures, Work } from '../work.ts';
import { SOFTNET } from '../work.ts';

/** 127.0.0.1, and those behind it: each has so many ports. */
const LOOPBACK = 0x7f000001;
const PORTS_EACH = 50_000;
const FIRST_PORT = 1024;
/** How far it has come: `made` has no port yet, `bound` has an address, a port, and holds IPv4; `connected` has a route too. */
const STAGES = ['made', 'bound', 'connected'] as const;

/** Some that are closed again, so that what is made once counts for nobody. */
const WARM = 500;

/** Heap that one of so many idle sockets takes: all of it, in whichever module's tables it stands. */
async function idleBytes(count: number): Promise<Figures> {
  const { kernel } = await realHost();
  const owner = { name: 'bench' };
  const address = Object.assign(new SockAddress(), { family: ADDRESS_FAMILY.INET, address2: IPV4_WORD2 });
  const bind = (sock: SockCommon, i: number): number => {
    address.address3 = LOOPBACK + Math.floor(i / PORTS_EACH);
    address.port = FIRST_PORT + (i % PORTS_EACH);
    return sock.ops.calls!.bind(sock, address);
  };
  const connect = (sock: SockCommon): number => {
    address.address3 = LOOPBACK;
    address.port = 1;
    return sock.ops.calls!.connect(sock, address);
  };
  const sockets = kernel.port(Sockets).current;
  const socks = new Array<SockCommon | null>(count).fill(null);
  const open = (_sock: SockCommon | null, i: number): number => {
    socks[i] = sockets.open(ADDRESS_FAMILY.INET, SOCK_TYPE.DGRAM, 0, owner);
    return 0;
  };
  const steps = { made: open, bound: bind, connected: connect } as Record<string, (sock: SockCommon, i: number) => number>;
  for (let i = 0; i < WARM; i++) {
    open(null, 0);
    for (const step of [bind, connect]) if (step(socks[0]!, i) < 0) throw new Error('not warm');
    socks[0]!.ops.calls!.close(socks[0]!);
  }
  const figures: Record<string, number> = {};
  let sum = 0;
  for (const stage of STAGES) {
    sum += bytesKeptEach(count, (things) => {
      for (let i = 0; i < count; i++) {
        if (steps[stage]!(socks[i]!, i) < 0) throw new Error(`not ${stage}`);
        things[i] = socks[i]!;
      }
    });
    figures[`B ${stage}`] = sum;
  }
  return figures;
}

/** What row I1 asks for: an idle UDP socket, in all. */
export function idleUdpWorks(): Work[] {
  return [10_000, 1_000_000].map((count) => ({
    name: `sockets-idle-udp-${count}`,
    summary: `heap of one of ${count} idle UDP sockets, in all: made; bound; connected`,
    units: Object.fromEntries(STAGES.map((stage) => [`B ${stage}`, 'less' as const])),
    note: 'record, state, holds, flow table and ports. Goal: 400, bound. A connected one holds its route by a record of 128, and a source of its layer',
    subjects: [{ name: SOFTNET, measure: () => idleBytes(count) }],
  }));
}
