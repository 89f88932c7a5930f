import { ERRNO, NetError } from '@softnet/contract';
import type { ModuleSource } from '@softnet/kernel';
import { parseScript } from '../language/parse-script.ts';
import type { Script } from '../language/script.ts';
import { ScriptSyntaxError } from '../language/syntax-error.ts';
import { ScriptFailure } from '../system/script-failure.ts';
import type { ScriptLimits } from './script-clock.ts';
import { SCRIPT_LIMITS } from './script-clock.ts';
import type { ScriptConfig } from './script-config.ts';
import { readConfig } from './script-config.ts';
import { ScriptHost } from './script-host.ts';
import { ScriptRun } from './script-run.ts';
import type { ScriptTarget } from './script-target.ts';
import type { ScriptVerdict } from './verdict.ts';
import { LineFailure } from './verdict.ts';
import { VirtualTarget } from './virtual-target.ts';

/** How to run a script; all of it has defaults. */
export interface RunScriptOptions {
  /** In the place of what the script's `--` lines say: `{ ip_version: 'ipv6' }`. */
  readonly overrides?: Readonly<Record<string, string>>;
  /** Names that stand for other text, everywhere in the script. */
  readonly defines?: Readonly<Record<string, string>>;
  /** Beside the modules of every host. */
  readonly modules?: readonly ModuleSource[];
  readonly limits?: Partial<ScriptLimits>;
  /** Says what happens, line by line. */
  readonly verbose?: boolean;
  /** Is given all packets, as pcapng. */
  readonly pcap?: (bytes: Uint8Array) => void;
  /** Reads the files that a script's shell lines name; undefined: there is none. */
  readonly readFile?: (path: string) => string | undefined;
}

/** Runs a packetdrill script against a kernel of its own. Never rejects for what the script says: that is the verdict. */
export async function runScript(file: string, text: string, options: RunScriptOptions = {}): Promise<ScriptVerdict> {
  const log: string[] = [];
  let script: Script;
  try {
    script = parseScript(file, defined(text, options.defines ?? {}));
  } catch (error) {
    if (!(error instanceof ScriptSyntaxError)) throw error;
    const sentence = `expected ${error.message.split(': expected ')[1]}`;
    return {
      file,
      passed: false,
      line: error.at.line,
      timeUs: 0,
      sentence: `${sentence} (column ${error.at.column})`,
      expected: null,
      actual: null,
      log,
    };
  }
  return await runParsed(script, options, log);
}

/** The same of a script that was read already. */
export async function runParsed(script: Script, options: RunScriptOptions = {}, log: string[] = []): Promise<ScriptVerdict> {
  let run: ScriptRun | null = null;
  let host: ScriptHost | null = null;
  const { file } = script;
  try {
    const config = readConfig(script.options, options.overrides);
    host = await ScriptHost.boot(options.modules ?? []);
    await host.configure(config);
    if (options.pcap !== undefined) host.capture(options.pcap);
    const target = new VirtualTarget(host, { ...SCRIPT_LIMITS, ...options.limits }, options.readFile ?? (() => undefined));
    run = new ScriptRun(script, target, config, options.verbose === true ? log : null);
    return await verdictOf(run, file, log);
  } catch (error) {
    return verdictOn(error, file, null, log);
  } finally {
    run?.close();
    await host?.dispose();
  }
}

/** Runs a script against another kernel, which the caller has made ready as its options say. @param config by `readConfig`. */
export async function runOn(
  target: ScriptTarget,
  script: Script,
  config: ScriptConfig,
  log: string[] | null = null,
): Promise<ScriptVerdict> {
  return await verdictOf(new ScriptRun(script, target, config, log), script.file, log ?? []);
}

async function verdictOf(run: ScriptRun, file: string, log: string[]): Promise<ScriptVerdict> {
  try {
    await run.run();
    return { file, passed: true, line: null, timeUs: run.nowUs, sentence: '', expected: null, actual: null, log };
  } catch (error) {
    return verdictOn(error, file, run, log);
  }
}

function verdictOn(error: unknown, file: string, run: ScriptRun | null, log: string[]): ScriptVerdict {
  const sentence = error instanceof Error ? error.message : String(error);
  if (!isVerdict(error)) throw error;
  const { line, expected, actual } = error instanceof LineFailure ? error : { line: run?.line ?? null, expected: null, actual: null };
  return { file, passed: false, line, timeUs: run?.nowUs ?? 0, sentence, expected, actual, log };
}

/** Names replaced, whole words only. */
function defined(text: string, defines: Readonly<Record<string, string>>): string {
  return text.replace(/[A-Za-z_]\w*/g, (name) => (Object.hasOwn(defines, name) ? defines[name]! : name));
}

/** The script's fault or the stack's; others are ours. */
function isVerdict(error: unknown): boolean {
  return error instanceof LineFailure || error instanceof ScriptFailure || (error instanceof NetError && error.code in ERRNO);
}
