import { relative } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { errorLine } from './error-line.ts';
import { newModule } from './new-module/new-module.ts';
import { packageVersion } from './package-folder.ts';
import { addPacketdrill } from './packetdrill/command.ts';
import { plainSentence } from './session/parse-given.ts';
import type { StartOptions } from './start/start.ts';
import { start } from './start/start.ts';
import { count } from './text/count.ts';
import { UsageError } from './usage-error.ts';

/** The streams and the end of a process; a test gives its own. */
export interface Terminal {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
}

/** Wrong words on the command line, as shells and Linux's own tools say it. */
const USAGE = 2;

/**
 * The `softnet` command.
 * @param words what stands after its name.
 * @returns the exit code: 0, 1 when something failed, 2 for words that it does not take.
 */
export async function main(words: readonly string[], terminal: Terminal = process): Promise<number> {
  const { stderr } = terminal;
  const outcome = { code: 0 };
  const program = makeProgram(terminal, outcome);
  try {
    await program.parseAsync(words, { from: 'user' });
    return outcome.code;
  } catch (error) {
    if (error instanceof CommanderError) return endOfParsing(error, stderr);
    stderr.write(`${errorLine(error, words.includes('--debug'))}\n`);
    return error instanceof UsageError ? USAGE : 1;
  }
}

function makeProgram(terminal: Terminal, outcome: { code: number }): Command {
  const { stdout } = terminal;
  const program = new Command('softnet')
    .description('A network kernel whose modules are loaded, unloaded and replaced while traffic flows.')
    .version(packageVersion())
    .exitOverride()
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: () => undefined });
  program
    .command('start')
    .description('boot two hosts and a router with traffic, and take commands; without a terminal: show all of it, and end')
    .option('--tap <ifname>', "one kernel instead, at this TAP interface of the host's Linux (root)")
    .option('--qemu <socket>', 'one kernel instead, at a QEMU guest: the socket of its -netdev stream')
    .option('--address <prefix...>', 'with --tap and --qemu: of ours; default 10.77.0.2/24 and fd77::2/64')
    .option(
      '--capture <file>',
      "packets of the first kernel, from the beginning, as pcapng; '-': to standard output, '|COMMAND': to a program",
    )
    .option('--debug', 'show errors with their stacks')
    .addOption(new Option('--web <port>', 'the loopback port that leads to the web server inside; 0: any').argParser(portNumber))
    .addOption(new Option('--seed <n>', 'of all chance').default(1).argParser(wholeNumber))
    .action(async (options: Omit<StartOptions, 'debug'> & { readonly debug?: boolean }) => {
      outcome.code = await start({ ...options, debug: options.debug === true }, terminal);
    });
  program
    .command('new-module')
    .description('write the skeleton of a plugin, whose tests pass at once')
    .argument('<name>', 'of the module: lower-case letters, digits and dashes')
    .option('--dir <dir>', 'the folder to write; by default one of that name here')
    .action((name: string, options: { readonly dir?: string }) => {
      stdout.write(writeModule(name, options.dir));
    });
  addPacketdrill(program, (text) => stdout.write(`${text}\n`), outcome);
  return program;
}

function writeModule(name: string, dir: string | undefined): string {
  const { folder, files, linked, missing } = newModule(name, dir);
  const path = relative('.', folder) || '.';
  const lines = [
    `wrote the module ${name} into ${path} (${count(files.length, 'file')})`,
    `linked into its node_modules: ${linked.join(', ')}`,
    ...(missing.length > 0 ? [`not found beside this command, so run 'npm install' there: ${missing.join(', ')}`] : []),
    'next:',
    ...(path === '.' ? [] : [`  cd ${path}`]),
    '  npm test',
    '  npm run build      # then, in softnet start: modprobe PATH-TO-THIS-FOLDER',
  ];
  return `${lines.join('\n')}\n`;
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(number)) return number;
  throw new UsageError(`--seed takes a whole number, got '${text}'`);
}

function portNumber(text: string): number {
  const number = Number(text);
  if (/^\d{1,5}$/.test(text) && number <= 65_535) return number;
  throw new UsageError(`--web takes a port, 0 to 65535, got '${text}'`);
}

/** Help and version were asked for, or the words were wrong: one sentence. */
function endOfParsing(error: CommanderError, stderr: NodeJS.WriteStream): number {
  if (error.exitCode === 0) return 0;
  const sentence = error.code === 'commander.help' ? 'a command is missing' : plainSentence(error.message);
  stderr.write(`softnet: ${sentence}: 'softnet --help' says what there is\n`);
  return USAGE;
}
