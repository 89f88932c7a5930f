import { DEVICE_FLAG, LinkGroups } from '@softnet/contract';
import { NetdevModule } from '@softnet/netdev';
import { formatMac, parseMac } from '@softnet/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bootNetdev, FakeDriver, plug } from './netdev-host.ts';

const { ALLMULTI, PROMISC } = DEVICE_FLAG;
const A = parseMac('01:00:5e:00:00:01')!;
const B = parseMac('33:33:00:00:00:01')!;

async function nic() {
  const host = await bootNetdev();
  const modes: string[] = [];
  const driver = Object.assign(new FakeDriver(host), {
    setReceiveMode: ({ flags }: { flags: number }, groups: readonly Uint8Array[]) => {
      const all = [
        (flags & PROMISC) === 0 ? '' : 'promisc',
        (flags & ALLMULTI) === 0 ? '' : 'allmulti',
        ...groups.map((each) => formatMac(each)),
      ];
      modes.push(all.filter((word) => word !== '').join(' '));
    },
  });
  const eth0 = plug(host, driver, 'eth0', { up: false });
  return { host, eth0, modes, groups: host.kernel.port(LinkGroups).current };
}

test('the driver hears of the first and the last who wants an address; and what there is when it comes up', async () => {
  const { host, eth0, modes, groups } = await nic();
  groups.add(eth0, A);
  groups.add(eth0, A);
  groups.add(eth0, B);
  groups.remove(eth0, A);
  expect(modes).toEqual(['01:00:5e:00:00:01', '01:00:5e:00:00:01 33:33:00:00:00:01']);
  host.devices().open(eth0);
  groups.remove(eth0, A);
  groups.remove(eth0, A);
  expect(modes.slice(2)).toEqual(['01:00:5e:00:00:01 33:33:00:00:00:01', '33:33:00:00:00:01']);
});

test('all groups and all frames are counted, and whoever sets a flag by hand is one of those who want it', async () => {
  const { host, eth0, modes, groups } = await nic();
  groups.wantAllGroups(eth0, true);
  host.devices().setFlags(eth0, eth0.flags | PROMISC);
  groups.wantAllFrames(eth0, true);
  host.devices().setFlags(eth0, eth0.flags & ~PROMISC);
  expect([eth0.flags & PROMISC, modes]).toEqual([PROMISC, ['allmulti', 'promisc allmulti']]);
  groups.wantAllFrames(eth0, false);
  groups.wantAllGroups(eth0, false);
  groups.wantAllGroups(eth0, false);
  expect([eth0.flags & (PROMISC | ALLMULTI), modes.slice(2)]).toEqual([0, ['allmulti', '']]);
});

test('what a device listens to outlives netdev', async () => {
  const { host, eth0, groups } = await nic();
  groups.add(eth0, A);
  groups.wantAllFrames(eth0, true);
  await host.run((await host.run(host.kernel.replace('netdev', NetdevModule))).drained);
  const now = host.kernel.port(LinkGroups).current;
  expect([now.of(eth0).map((each) => formatMac(each)), eth0.flags & PROMISC]).toEqual([['01:00:5e:00:00:01'], PROMISC]);
  now.remove(eth0, A);
  now.wantAllFrames(eth0, false);
  expect([now.of(eth0), eth0.flags & PROMISC]).toEqual([[], 0]);
});

test('counts as a list of all wishes does', async () => {
  const { eth0, groups } = await nic();
  const addresses = [0, 1, 2, 3].map((n) => Uint8Array.of(1, 0, 0x5e, 0, 0, n));
  const model = addresses.map(() => 0);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(3), fc.boolean())), (moves) => {
      for (const [n, adds] of moves) {
        if (adds) groups.add(eth0, addresses[n]!);
        else groups.remove(eth0, addresses[n]!);
        model[n] = Math.max(0, model[n]! + (adds ? 1 : -1));
        const listed = eth0.groups.map(({ address, users }) => [address[5]!, users]).sort();
        expect(listed).toEqual(model.flatMap((users, i) => (users > 0 ? [[i, users]] : [])));
      }
    }),
  );
});
