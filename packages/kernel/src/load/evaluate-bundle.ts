import type { ModuleClass } from '@softnet/contract';
import { NetError } from '@softnet/contract';
import type { Bundle } from '../api.ts';
import type { BundleRequire, ResolveBuiltin } from './bundle-require.ts';
import { makeBundleRequire } from './bundle-require.ts';
import { describeThrown } from './describe-value.ts';
import { findModuleClass } from './exported-class.ts';
import type { Compile } from './function-compile.ts';
import { functionCompile } from './function-compile.ts';
import { parseError } from './parse-error.ts';

const CONTRACT = '@softnet/contract';
const PARAMETERS = Object.freeze(['module', 'exports', 'require', '__filename', '__dirname']);

/** Strings that stand in a library's text and in no other, however it was minified. */
const COPIES = Object.freeze([
  { library: CONTRACT, mark: /(["'`])softnet:manifest\1/, harm: 'its errors and records would not be those of the host' },
  // Measured: each copy registers itself with the first one, for ever, and the whole bundle's text with it.
  { library: 'reflect-metadata', mark: /(["'`])@reflect-metadata:registry\1/, harm: 'it would keep the code in memory for ever' },
]);

/**
 * Evaluates a bundle and gives the module class that it exports: as `module.exports`, as its `default`, or as its only
 * marked class. Each call evaluates it anew, into classes of their own, which are collected (with the code) once nothing
 * refers to them. It runs in the host's realm: this is no sandbox.
 *
 * @param libraries what `require` hands in, by name: `@softnet/contract`, and what else the host has.
 * @param builtin hands in Node's built-ins too; without it they are refused.
 * @returns the class; its manifest is there but not checked ({@link checkModule} does).
 * @throws NetError EINVAL: does not parse, exports nothing, no module, or several; EIO: threw while it was evaluated (`cause`);
 * ELIBBAD: brought its own copy of the contract; ENOENT, EACCES: requires what the host does not hand in.
 */
export function evaluateBundle(
  bundle: Bundle,
  libraries: Readonly<Record<string, unknown>>,
  compile: Compile = functionCompile,
  builtin?: ResolveBuiltin,
): ModuleClass {
  refuseCopies(bundle);
  const required = makeBundleRequire(bundle.filename, { libraries, builtin });
  const moduleClass = run(bundle, compileBundle(bundle, compile), required);
  if (!required.given.has(CONTRACT)) {
    // It is marked, but not by the host's @Module.
    throw copyError(bundle.filename, CONTRACT, 'its errors and records would not be those of the host');
  }
  return moduleClass;
}

/** Before anything runs: a copy of reflect-metadata that has run once stays. */
function refuseCopies({ code, filename }: Bundle): void {
  for (const { library, mark, harm } of COPIES) {
    if (mark.test(code)) {
      throw copyError(filename, library, harm);
    }
  }
}

function copyError(filename: string, library: string, harm: string): NetError {
  const advice =
    library === CONTRACT
      ? `Leave it out (tsup: external: ['${library}']; peerDependencies in package.json), and require('${library}').`
      : `Leave it out: ${CONTRACT} brings it along.`;
  return new NetError('ELIBBAD', `bundle ${filename} brings its own copy of ${library}, but must use the host's, since ${harm}. ${advice}`);
}

function compileBundle(bundle: Bundle, compile: Compile): ReturnType<Compile> {
  try {
    return compile(bundle.code, bundle.filename, PARAMETERS);
  } catch (error) {
    throw parseError(bundle, error);
  }
}

/** Runs strangers' code: anything may be thrown, by the text itself or by what it exports when that is read. */
function run({ filename }: Bundle, body: ReturnType<Compile>, required: BundleRequire): ModuleClass {
  const module: { exports: unknown } = { exports: {} };
  const dirname = filename.replace(/[/\\][^/\\]*$/, '');
  let found: ModuleClass | NetError;
  try {
    Reflect.apply(body, module.exports, [module, module.exports, required.require, filename, dirname]);
    found = findModuleClass(module.exports, filename);
  } catch (error) {
    throw required.refusals.has(error) ? error : evaluationError(filename, error);
  }
  if (found instanceof NetError) {
    throw found;
  }
  return found;
}

function evaluationError(filename: string, thrown: unknown): NetError {
  const advice = 'A bundle only defines its module class; what may fail belongs in start(ctx). Move it there, or mend it.';
  return new NetError('EIO', `bundle ${filename} must evaluate without an error, but threw ${describeThrown(thrown)}. ${advice}`, {
    cause: thrown,
  });
}
