import type { ServiceToken } from '@softnet/contract';
import { defineService } from '@softnet/contract';
import type { Bundle } from '@softnet/kernel';

/** The service that is called: it keeps a sum, so that no call can be left out. */
export interface Adder {
  add(x: number): number;
}

/** Port with a cell (`methods` undefined), or with a fixed record of functions. */
export type PortSort = 'cell' | 'record';

export function adderToken(sort: PortSort): ServiceToken<Adder> {
  return defineService<Adder>({ name: `Adder-${sort}`, version: '1.0.0', ...(sort === 'record' ? { methods: ['add'] as const } : {}) });
}

/**
 * The text of one CommonJS plugin that provides the service. Each `build` has its own class, of another shape (fields
 * before `sum`, methods before `add`).
 */
export function adderBundle(sort: PortSort, build: number): Bundle {
  const names = Array.from({ length: build }, (_none, index) => `of${build}x${index}`);
  const fields = names.map((name) => `this.${name} = ${build};`).join(' ');
  const methods = names.map((name) => `${name}m() { return this.${name}; }`).join('\n  ');
  const methodsOfToken = sort === 'record' ? ", methods: ['add']" : '';
  const code = `
const { Module, defineService } = require('@softnet/contract');
const Adder = defineService({ name: 'Adder-${sort}', version: '1.0.0'${methodsOfToken} });
class Adder${build} {
  constructor() { ${fields} this.sum = 0; }
  ${methods}
  add(x) {
    this.sum = (this.sum + x) | 0;
    return this.sum;
  }
}
class AdderModule${build} {
  start(ctx) { ctx.door(Adder, new Adder${build}()); }
}
Module({ name: 'adder', version: '1.${build}.0', provides: [Adder] })(AdderModule${build});
module.exports = AdderModule${build};
`;
  return { code, filename: `/bench/adder-${build}.cjs` };
}

/** What a port is compared with: the same class, at hand. */
export class DirectAdder implements Adder {
  sum = 0;

  add(x: number): number {
    this.sum = (this.sum + x) | 0;
    return this.sum;
  }
}
