import { SCRIPT_OPTIONS } from '@softnet/testkit/packetdrill';
import type { Command } from 'commander';
import type { PacketdrillOptions } from './packetdrill.ts';
import { packetdrill } from './packetdrill.ts';

/** What commander gives: options of scripts are among them, by their names. */
type Given = Omit<PacketdrillOptions, 'overrides'> & Readonly<Record<string, unknown>>;

function collected(pair: string, before: readonly string[]): readonly string[] {
  return [...before, pair];
}

/** `softnet packetdrill FILE...`. */
export function addPacketdrill(program: Command, print: (text: string) => void, outcome: { code: number }): void {
  const command = program
    .command('packetdrill')
    .description('run packetdrill scripts against this stack in virtual time; of a folder all *.pkt')
    .argument('<file...>', 'scripts, or folders of them')
    .option('--json', 'a line of JSON for each script')
    .option('-v, --verbose', 'say what happens, line by line')
    .option('--pcap [folder]', 'write what each script sends and receives as NAME.pcapng; by default beside the script')

    .option('-D, --define <pair>', 'NAME=VALUE: a name that stands for other text; as often as you like', collected, [])
    .option('--expect-fail <file>', 'a list of scripts that are to fail');
  for (const name of SCRIPT_OPTIONS.filter((each) => each !== 'verbose' && each !== 'define'))
    command.option(`--${name} <value>`, "in the place of the script's own");
  command.action(async (files: string[], given: Given) => {
    const overrides = Object.fromEntries(
      SCRIPT_OPTIONS.filter((name) => typeof given[name] === 'string').map((name) => [name, given[name] as string]),
    );
    outcome.code = await packetdrill(files, { ...given, overrides }, print);
  });
}
