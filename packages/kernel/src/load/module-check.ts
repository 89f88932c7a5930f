import { manifestOf, NetError } from '@softnet/contract';
import { describeThrown, describeValue } from './describe-value.ts';
import type { CheckedManifest } from './manifest-check.ts';
import { checkManifest } from './manifest-check.ts';

const HOOKS = Object.freeze(['start', 'withdraw', 'abort', 'stop', 'freeze', 'thaw'] as const);
type Hook = (typeof HOOKS)[number];

/**
 * Checks a module's class before any code of its instances runs: its manifest, and that its hooks are methods (found on the
 * prototype, or one that it inherits; hooks made in the constructor are refused, since they cannot be seen before it runs).
 *
 * @param moduleClass what is said to be a module class; may be anything.
 * @param where the file or class it comes from, for the sentence of the error.
 * @throws NetError as {@link checkManifest}; EINVAL for what is no class, a constructor that wants arguments, `start`
 * missing, a hook that is no function, one of `freeze` and `thaw` without the other.
 */
export function checkModule(moduleClass: unknown, where: string): CheckedManifest {
  if (typeof moduleClass !== 'function') {
    throw new NetError(
      'EINVAL',
      `${where} must be a class marked with @Module({ … }), but is ${describeValue(moduleClass)}. Hand in the class.`,
    );
  }
  const manifest = checkManifest(manifestOf(moduleClass), where);
  const trouble = findTrouble(moduleClass);
  if (trouble !== undefined) {
    throw new NetError('EINVAL', `module '${manifest.name}' (${where}): ${trouble}`, { module: manifest.name });
  }
  return manifest;
}

function findTrouble(moduleClass: { readonly length: number; readonly prototype?: unknown }): string | undefined {
  if (typeof moduleClass.prototype !== 'object' || moduleClass.prototype === null) {
    return 'it must be a class, but is a function that cannot be called with `new`. Write `class … { start(ctx) { … } }`.';
  }
  if (moduleClass.length > 0) {
    return `its constructor must take no arguments, but wants ${moduleClass.length}. What a module needs comes with start(ctx): move it there.`;
  }
  const hooks = readHooks(moduleClass.prototype as Readonly<Record<string, unknown>>);
  if (typeof hooks === 'string') {
    return hooks;
  }
  if (hooks.start === undefined) {
    return 'it must have a method start(ctx), but has none. Write it as a method of the class, not as a field or in the constructor.';
  }
  const wrong = HOOKS.find((hook) => hooks[hook] !== undefined && typeof hooks[hook] !== 'function');
  if (wrong !== undefined) {
    return `its hook ${wrong} must be a method, but is ${describeValue(hooks[wrong])}. Write it as a method, or leave it out.`;
  }
  if ((hooks.freeze === undefined) !== (hooks.thaw === undefined)) {
    const [has, lacks] = hooks.freeze === undefined ? ['thaw', 'freeze'] : ['freeze', 'thaw'];
    return `its hooks freeze and thaw must come together, but it has ${has} alone. Write ${lacks}, or leave both out.`;
  }
  return undefined;
}

function readHooks(prototype: Readonly<Record<string, unknown>>): Readonly<Record<Hook, unknown>> | string {
  try {
    return Object.fromEntries(HOOKS.map((hook) => [hook, prototype[hook]])) as Record<Hook, unknown>;
  } catch (error) {
    return `its hooks must be methods, but reading them threw ${describeThrown(error)}. Write them as methods, not as getters.`;
  }
}
