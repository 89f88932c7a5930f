import { NetError } from '@softnet/contract';
import { NetHost } from '@softnet/testkit';
import type { Session } from '../session/session.ts';
import type { SessionCommand } from '../session/session-command.ts';
import { count } from '../text/count.ts';
import { readAddress } from '../text/scoped-address.ts';
import { UsageError } from '../usage-error.ts';
import type { PortForward } from '../web/port-forward.ts';
import { PortForward as Forward } from '../web/port-forward.ts';

export const forward: SessionCommand = Object.freeze({
  name: 'forward',
  parameters: '[port|stop] [address] [to-port]',
  summary: "a loopback port of this machine whose connections go on over this kernel's TCP; without words, those that there are",
  details: [
    'forward 8080 10.0.2.2 80: then open http://127.0.0.1:8080/ with a browser or curl',
    'forward 0 fd00:2::2 80: any port that is free',
    'forward stop [PORT]',
  ],
  completes: (session, index) => (index === 0 ? ['stop ', ...session.forwards.all.map(({ port }) => String(port))] : []),
  async run(session, { words: [first, address, toPort] }) {
    const { output, kernel, forwards } = session;
    if (first === undefined) for (const each of forwards.all) output.print(lineOf(each));
    else if (first === 'stop') await stop(session, address);
    else {
      if (address === undefined || toPort === undefined)
        throw new UsageError('forward wants a port, an address and a port there: forward 8080 10.0.2.2 80');
      const { text } = readAddress(address, new NetHost(kernel));
      const made = await Forward.open(kernel, portOf(first, 0), { address: text, port: portOf(toPort, 1) });
      forwards.add(made);
      output.print(lineOf(made));
    }
  },
} satisfies SessionCommand);

async function stop({ forwards, output }: Session, word: string | undefined): Promise<void> {
  const closed = await forwards.close(word === undefined ? undefined : portOf(word, 1));
  if (closed === 0)
    throw new NetError(
      'ENOENT',
      word === undefined ? 'nothing is forwarded' : `port ${word} is not forwarded: 'forward' lists those that are`,
    );
  output.print(`${count(closed, 'port')} no longer forwarded`);
}

function lineOf({ port, kernel, target, connections }: PortForward): string {
  const there = target.address.includes(':') ? `[${target.address}]` : target.address;
  return `127.0.0.1:${port} goes on to ${there}:${target.port} over kernel ${kernel.name}; ${count(connections, 'connection')} so far`;
}

function portOf(word: string, least: number): number {
  const port = Number(word);
  if (!/^\d{1,5}$/.test(word) || port < least || port > 65_535) throw new UsageError(`a port is ${least} to 65535, got '${word}'`);
  return port;
}
