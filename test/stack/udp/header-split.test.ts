import type { Fragment, ModuleContext, ParsedHeader, HeaderParser as Parser, Skb, SoftnetModule } from '@softnet/contract';
import { ADDRESS_FAMILY, DEVICE_FEATURE, Devices, HeaderParser, MESSAGE_FLAG, Module, PARSER_LEVEL } from '@softnet/contract';
import { Ipv4Module } from '@softnet/ipv4';
import { Ipv6Module } from '@softnet/ipv6';
import { Kernel, World } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { Cable, WireModule } from '@softnet/nic-driver';
import { RouteModule } from '@softnet/route';
import { PAGE_BYTES, SkbModule } from '@softnet/skb';
import { SocketModule } from '@softnet/socket';
import { NetHost, QUIET_HOST } from '@softnet/testkit';
import { UdpModule } from '@softnet/udp';
import { describe, expect, test } from 'vitest';
import { accountsOf, User } from './host.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const NFS_PORT = 2049;
/** A call (RFC 5531 §9): xid, direction, version, program, its version, procedure. Credentials follow, which our calls have none of. */
const RPC_HEADER_BYTES = 24;
const RPC_CALL = 0;
const RPC_VERSION = 2;

const sunRpc: Parser = {
  name: 'sunrpc',
  level: PARSER_LEVEL.UDP_PORT,
  number: NFS_PORT,
  parse(view: DataView, offset: number, endOffset: number, found: ParsedHeader): boolean {
    if (endOffset - offset < RPC_HEADER_BYTES) return false;
    if (view.getUint32(offset + 4) !== RPC_CALL || view.getUint32(offset + 8) !== RPC_VERSION) return false;
    found.lenBytes = RPC_HEADER_BYTES;
    found.nextLevel = PARSER_LEVEL.END;
    return true;
  },
};

@Module({ name: 'sunrpc', version: '1.0.0', provides: [HeaderParser] })
class SunRpcModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    ctx.contribute(HeaderParser, sunRpc, 'corridor');
  }
}

/** The bytes of each fragment, which must begin a page. */
function pagesOf(skb: Skb): Uint8Array[] {
  const pages: Uint8Array[] = [];
  for (let each: Fragment | null = skb.fragments; each !== null; each = each.next) {
    expect(each.offset % PAGE_BYTES).toBe(0);
    pages.push(each.memory.bytes.subarray(each.offset, each.offset + each.lenBytes));
  }
  return pages;
}

function headOf({ memory, data, tail }: Skb): Uint8Array {
  return memory.bytes.subarray(data, tail);
}

const MODULES = [SkbModule, NetdevModule, RouteModule, SocketModule, Ipv4Module, Ipv6Module, WireModule, UdpModule];

/** Two hosts on a cable for long frames; the second's device splits. */
async function twoHosts() {
  const world = new World({ clock: 'virtual', seed: 5 });
  const run = <T>(promise: PromiseLike<T>): Promise<T> => world.run(promise);
  const cable = new Cable({ name: 'cable' });
  const kernels = ['a', 'b'].map((name) => new Kernel({ world, name, settings: QUIET_HOST }));
  for (const [i, kernel] of kernels.entries()) {
    for (const module of MODULES) await run(kernel.load(module));
    const host = new NetHost(kernel);
    const device = await run(host.addDevice('wire', 'eth0', { cable, mtuBytes: 9000 }));
    if (i === 1) kernel.port(Devices).current.setFeatures(device, device.features | DEVICE_FEATURE.HEADER_SPLIT);
    host.up('eth0');
    host.addAddress('eth0', `10.0.0.${i + 1}/24`);
    host.addAddress('eth0', `fd00::${i + 1}/64`);
  }
  await world.advance(5_000_000);
  const [a, b] = kernels as [Kernel, Kernel];
  const counter = (name: string) => b.counters().find((each) => each.name === name)!.value;
  return {
    ...{ world, run, a, b },
    /** What the packet memory of the second has done. */
    counts: () => ({ splits: counter('receive.splits'), pages: counter('receive.pages'), copied: counter('skb.copied-bytes') }),
  };
}

/** A call with so many bytes of payload. */
function callOf(payloadBytes: number): Uint8Array {
  const bytes = Uint8Array.from({ length: RPC_HEADER_BYTES + payloadBytes }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
  const view = new DataView(bytes.buffer);
  view.setUint32(4, RPC_CALL);
  view.setUint32(8, RPC_VERSION);
  return bytes;
}

function take(user: User): Skb {
  user.message.flags = MESSAGE_FLAG.SKB;
  expect(user.calls.receive(user.sock, user.message)).toBeGreaterThan(0);
  return user.message.skb!;
}

describe('row S4: the payload of a protocol that a module taught', () => {
  test.each([
    [INET, '10.0.0.2'],
    [INET6, '[fd00::2]'],
  ])('lands on pages of its own, and is handed to its reader without a copy, family %i', async (family, to) => {
    const { world, run, a, b, counts } = await twoHosts();
    const [client, server] = [new User(a, family), new User(b, family)];
    const charged = accountsOf(b);
    expect(server.bind(`${family === INET ? '0.0.0.0' : '[::]'}:${NFS_PORT}`)).toBe(0);
    const call = callOf(8000);
    const exchange = async (): Promise<Skb> => {
      expect(client.send(call, `${to}:${NFS_PORT}`)).toBe(call.length);
      await world.advance(1_000_000);
      const skb = take(server);
      expect([skb.len, skb.sock]).toEqual([call.length, null]);
      return skb;
    };

    // Untaught: UDP's payload has the pages, the RPC header first.
    const before = await exchange();
    expect(headOf(before).length).toBe(0);
    expect(Buffer.concat(pagesOf(before))).toEqual(Buffer.from(call));
    before.memory.pool.release(before);

    await run(b.load(SunRpcModule));
    const start = counts();
    const skb = await exchange();
    expect(headOf(skb)).toEqual(call.subarray(0, RPC_HEADER_BYTES));
    expect(pagesOf(skb).map((page) => page.length)).toEqual([PAGE_BYTES, 8000 - PAGE_BYTES]);
    expect(Buffer.concat(pagesOf(skb))).toEqual(Buffer.from(call.subarray(RPC_HEADER_BYTES)));
    expect(counts()).toEqual({ splits: start.splits + 1, pages: start.pages + 2, copied: 0 });
    skb.memory.pool.release(skb);

    // Not what the module knows: no RPC.
    call[11] = 9;
    const other = await exchange();
    expect(headOf(other).length).toBe(0);
    other.memory.pool.release(other);

    for (const user of [client, server]) user.close();
    for (const kernel of [b, a]) {
      const { faults, leaks } = await run(kernel.shutdown());
      expect([faults, leaks]).toEqual([[], []]);
    }
    expect(charged()).toEqual([]);
  });
});
