import { ADDRESS_FAMILY, Flow, IPV4_WORD2, Route } from '@softnet/contract';
import type { DatagramUser } from '@softnet/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HOST, PEER, RawLink, word } from './raw-link.ts';

const INET = 2;
const EMSGSIZE = -90;
let link: RawLink;
let user: DatagramUser;
beforeEach(async () => {
  link = await RawLink.open();
  await link.peer.introduce(link.net);
  link.peer.answers = true;
  user = link.host.open({ family: INET });
});
afterEach(async () => {
  user.close();
  expect(link.skbsOut).toBe(0);
  await link.close();
});

function learn(mtuBytes: number, locked: boolean): void {
  const flow = new Flow();
  flow.family = ADDRESS_FAMILY.INET;
  flow.src2 = IPV4_WORD2;
  flow.src3 = word(HOST);
  flow.dst2 = IPV4_WORD2;
  flow.dst3 = word(PEER);
  link.host.kernel.port(Route).current.learnMtu(flow, mtuBytes, locked);
}

/** The packets of a datagram that is so long with its headers: '1000 DF'. Or -errno. */
async function send(totalBytes: number): Promise<number | string[]> {
  const result = user.trySend(new Uint8Array(totalBytes - 28));
  await link.net.pass(1);
  return result < 0 ? result : link.peer.takeIp().map(({ payload, dontFragment }) => `${payload.length + 20}${dontFragment ? ' DF' : ''}`);
}

describe('IP_MTU_DISCOVER on a link of 1,500 bytes, behind which 1,000 are known (ip(7))', () => {
  test.each([
    ['DONT', 0, ['1000'], ['996', '224'], ['996', '624']],
    ['WANT', 1, ['1000 DF'], ['996', '224'], ['996', '624']],
    ['DO', 2, ['1000 DF'], EMSGSIZE, EMSGSIZE],
    ['PROBE', 3, ['1000 DF'], ['1200 DF'], EMSGSIZE],
    ['INTERFACE', 4, ['1000'], ['1200'], EMSGSIZE],
    ['OMIT', 5, ['1000'], ['1200'], ['1500', '120']],
  ] as const)('%s', async (_, policy, fitting, probe, tooLong) => {
    learn(1000, false);
    user.connect(PEER, 9);
    user.sock.ops.calls!.setOption(user.sock, 0, 10, Uint8Array.of(policy));
    expect(await send(1000)).toEqual(fitting);
    expect(await send(1200)).toEqual(probe);
    expect(await send(1600)).toEqual(tooLong);
  });
});

test('where the way is narrower than may be said, nothing is said of DF, and all is cut', async () => {
  learn(552, true);
  user.connect(PEER, 9);
  expect(await send(552)).toEqual(['552']);
  expect(await send(1000)).toEqual(['548', '472']);
});
