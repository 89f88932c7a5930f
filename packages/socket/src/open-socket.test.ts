import type { Contributions, CurrentOwner, NetError, NetworkLayer, Owner, SocketProtocol } from '@softnet/contract';
import { ADDRESS_FAMILY, SOCK_TYPE, SockCommon } from '@softnet/contract';
import { describe, expect, test } from 'vitest';
import { SocketDoor } from './open-socket.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const { DGRAM, RAW, STREAM } = SOCK_TYPE;
const CALLER = 1;
const owner: Owner = { name: 'test' };

type Offer = Pick<SocketProtocol, 'name' | 'type' | 'protocol' | 'usual'> & { readonly family?: number; readonly fails?: boolean };
const UDP: Offer = { name: 'udp', type: DGRAM, protocol: 17, usual: true };
const LITE: Offer = { name: 'lite', type: DGRAM, protocol: 136, usual: false };
const ANY: Offer = { name: 'raw', type: RAW, protocol: -1, usual: false };

/** A door; who has opened, for which protocol, as whom: 'udp 0 100'. */
function makeDoor(offers: Offer[], families: readonly number[] = [INET], leaving: readonly number[] = []) {
  const current = { id: CALLER } as CurrentOwner;
  const opened: string[] = [];
  const itemOf = ({ family = 0, fails = false, ...offer }: Offer): SocketProtocol => ({
    ...{ family, ...offer },
    open: (_family, _owner, protocol) => {
      opened.push(`${offer.name} ${protocol} ${current.id}`);
      if (fails) throw new Error('no room');
      return new SockCommon({ name: offer.name } as SockCommon['ops']);
    },
  });
  const protocols = { items: offers.map(itemOf), owners: offers.map((_, i) => 100 + i) };
  const layers = { items: families.map((family) => ({ family, uses: { open: !leaving.includes(family) } })) };
  const door = new SocketDoor(
    protocols as unknown as Contributions<SocketProtocol>,
    layers as unknown as Contributions<NetworkLayer>,
    current,
  );
  const refusal = (family: number, type: number, protocol: number): string => {
    try {
      door.open(family, type, protocol, owner);
    } catch (error) {
      return `${(error as NetError).message} ${(error as NetError).module ?? ''}`;
    }
    return '';
  };
  return { door, opened, current, protocols, refusal };
}

describe('where sockets are made', () => {
  test.each([
    ['the usual one for 0', DGRAM, 0, 'udp 0 100'],
    ['the one that is named', DGRAM, 136, 'lite 136 101'],
    ['who takes any, where nobody is named', RAW, 89, 'raw 89 102'],
  ])('%s, as its module', (_what, type, protocol, who) => {
    const { door, opened, current } = makeDoor([UDP, LITE, ANY]);
    door.open(INET, type, protocol, owner);
    expect([opened, current.id]).toEqual([[who], CALLER]);
  });

  test('the last of two that offer the same: its next generation', () => {
    const { door, opened } = makeDoor([UDP, { ...UDP, name: 'next' }]);
    door.open(INET, DGRAM, 17, owner);
    expect(opened).toEqual(['next 17 101']);
  });

  test('who fails fails; the caller goes on as himself', () => {
    const { current, refusal } = makeDoor([{ ...UDP, fails: true }]);
    expect([refusal(INET, DGRAM, 0), current.id]).toEqual(['no room ', CALLER]);
  });

  test('a family is there while a layer of it takes newcomers, or a protocol is of it alone', () => {
    const { refusal } = makeDoor([UDP, { ...ANY, family: 17, name: 'packet' }], [INET, INET6], [INET6]);
    expect([refusal(INET, DGRAM, 0), refusal(17, RAW, 3)]).toEqual(['', '']);
    expect(refusal(INET6, DGRAM, 0)).toMatch(/^EAFNOSUPPORT: .*load its layer/);
    expect([refusal(INET, STREAM, 0), refusal(INET, DGRAM, 5)]).toEqual([
      expect.stringMatching(/^ESOCKTNOSUPPORT: /),
      expect.stringMatching(/^EPROTONOSUPPORT: .*udp \(17\)/),
    ]);
  });

  test('who comes after a protocol has gone is told which, also if he asks for the usual one', () => {
    const { door, protocols, refusal } = makeDoor([UDP, LITE, ANY]);
    door.open(INET, DGRAM, 17, owner);
    door.open(INET, DGRAM, 136, owner);
    protocols.items.splice(0, 2);
    for (const [protocol, name] of [
      [0, 'udp'],
      [17, 'udp'],
      [136, 'lite'],
    ] as const) {
      expect(refusal(INET, DGRAM, protocol)).toMatch(new RegExp(`^EPROTONOSUPPORT: .*${name} is leaving, or was unloaded.* ${name}$`));
    }
  });
});
