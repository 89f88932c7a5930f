import type { ModuleClass } from '@softnet/contract';
import { Module, NetError } from '@softnet/contract';
import { describe, expect, it } from 'vitest';
import { checkModule } from './module-check.ts';

class Base {
  start(): void {}
}

function marked<C>(target: C): C {
  Module({ name: 'echo', version: '1.0.0' })(target as ModuleClass);
  return target;
}

function refusal(target: unknown): NetError {
  try {
    checkModule(target, 'echo.cjs');
  } catch (error) {
    expect(error).toBeInstanceOf(NetError);
    return error as NetError;
  }
  throw new Error('the class was accepted');
}

describe('checkModule', () => {
  it('gives the checked manifest of a class with start alone', () => {
    expect(checkModule(marked(class extends Base {}), 'echo.cjs')).toMatchObject({ name: 'echo', summary: '' });
  });

  it('accepts all hooks', () => {
    class Echo extends Base {
      withdraw(): void {}
      abort(): void {}
      stop(): void {}
      freeze(): void {}
      thaw(): void {}
    }
    expect(checkModule(marked(Echo), 'echo.cjs').version).toBe('1.0.0');
  });

  it('does not run the constructor', () => {
    let ran = false;
    class Echo extends Base {
      constructor() {
        super();
        ran = true;
      }
    }
    checkModule(marked(Echo), 'echo.cjs');
    expect(ran).toBe(false);
  });

  class Marked extends Base {}
  marked(Marked);
  class StartField {
    start = (): void => {};
  }
  class BadHook extends Base {}
  Object.assign(BadHook.prototype, { stop: 'now' });
  class Wants extends Base {
    readonly clock: unknown;
    constructor(clock: unknown) {
      super();
      this.clock = clock;
    }
  }
  class Freezes extends Base {
    freeze(): void {}
  }
  class Thaws extends Base {
    thaw(): void {}
  }
  class Getter {
    get start(): never {
      throw new Error('trap');
    }
  }
  const bad: [string, unknown, RegExp, RegExp][] = [
    ['what is no class', { start() {} }, /echo\.cjs must be a class marked with @Module/, /an object\. Hand in the class/],
    ['an unmarked class', class extends Base {}, /a module is a class marked with @Module/, /echo\.cjs has no manifest.*Mark it/],
    ['a class whose base alone is marked', class extends Marked {}, /marked with @Module/, /has no manifest/],
    ['an arrow function', marked(() => undefined), /must be a class/, /cannot be called with `new`\. Write/],
    ['a constructor with arguments', marked(Wants), /must take no arguments, but wants 1/, /move it there/],
    ['no start', marked(class {}), /must have a method start\(ctx\), but has none/, /Write it as a method/],
    ['start as a field', marked(StartField), /must have a method start/, /not as a field/],
    ['a hook that is no function', marked(BadHook), /its hook stop must be a method, but is 'now'/, /or leave it out/],
    ['freeze alone', marked(Freezes), /must come together, but it has freeze alone/, /Write thaw/],
    ['thaw alone', marked(Thaws), /must come together, but it has thaw alone/, /Write freeze/],
    ['a getter that throws', marked(Getter), /must be methods, but reading them threw Error: trap/, /not as getters/],
  ];

  it.each(bad)('refuses %s', (_what, target, expected, remedy) => {
    const error = refusal(target);
    expect(error.code).toBe('EINVAL');
    expect(error.message).toMatch(/echo\.cjs/);
    expect(error.message).toMatch(expected);
    expect(error.message).toMatch(remedy);
  });

  it('names the module in its faults', () => {
    expect(refusal(marked(class {})).module).toBe('echo');
  });
});
