import { NetError } from '@softnet/contract';
import { DatagramUser, KernelTime, NetHost } from '@softnet/testkit';
import type { SessionCommand } from '../session/session-command.ts';
import { count } from '../text/count.ts';
import { rttText } from '../text/ping-lines.ts';
import { readAddress } from '../text/scoped-address.ts';
import { UsageError } from '../usage-error.ts';

const PATIENCE_MS = 1000;
/** Of an answer so much is shown. */
const SHOWN_CHARS = 200;

export const udp: SessionCommand = Object.freeze({
  name: 'udp',
  parameters: '<address> <port> <text...>',
  summary: 'send one datagram, and show the answer',
  details: [`It waits ${PATIENCE_MS} ms. udp-echo answers at port 7.`, 'udp 10.0.2.2 7 hello', 'udp fd00:2::2 7 "two  blanks"'],
  async run({ kernel, output }, { words, signal }) {
    const [address, portWord, ...text] = words as [string, string, ...string[]];
    const { text: to, family, ifindex } = readAddress(address, new NetHost(kernel));
    const port = Number(portWord);
    if (!/^\d{1,5}$/.test(portWord) || port < 1 || port > 65_535) throw new UsageError(`a port is 1 to 65535, got '${portWord}'`);
    const user = new DatagramUser(kernel, { name: 'udp', family });
    const callOff = kernel.port(KernelTime).current.after(PATIENCE_MS * 1000, () => user.close());
    const interrupt = (): void => user.close();
    signal.addEventListener('abort', interrupt, { once: true });
    try {
      user.connect(to, port, ifindex);
      const sentUs = kernel.clock.readUs();
      await user.send(new TextEncoder().encode(text.join(' ')));
      const { data, address: from, port: fromPort } = await user.receive();
      output.print(`${from} port ${fromPort}, ${count(data.length, 'byte')}, ${rttText(kernel.clock.readUs() - sentUs)}: ${shown(data)}`);
    } catch (error) {
      if (signal.aborted) return;
      if (isCode(error, 'ECONNREFUSED')) throw new NetError('ECONNREFUSED', `${to} says that nobody there has port ${port}`);
      if (!isCode(error, 'EBADF')) throw error;
      // Closed below, for its time was over.
      throw new NetError('ETIMEDOUT', `${to} port ${port} did not answer within ${PATIENCE_MS} ms`);
    } finally {
      callOff();
      signal.removeEventListener('abort', interrupt);
      user.close();
    }
  },
} satisfies SessionCommand);

function isCode(error: unknown, code: NetError['code']): boolean {
  return error instanceof NetError && error.code === code;
}

/** What came may be anything: nothing of it speaks to the terminal. */
function shown(data: Uint8Array): string {
  const text = new TextDecoder().decode(data).replace(/\p{Cc}+/gu, ' ');
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}...` : text;
}
