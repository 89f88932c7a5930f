import { CONTRACT_VERSION, definePoint, defineService, NetError, one, optional, some } from '@softnet/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkManifest } from './manifest-check.ts';

const Talk = defineService<{ say(): void }>({ name: 'Talk', version: '1.2.0' });
const Listeners = definePoint<object>({ name: 'Listeners', version: '2.0.0' });
const good = { name: 'echo', version: '1.0.0' };

/** The error of a manifest that is refused. */
function refusal(raw: unknown): NetError {
  try {
    checkManifest(raw, 'echo.cjs');
  } catch (error) {
    expect(error).toBeInstanceOf(NetError);
    return error as NetError;
  }
  throw new Error('the manifest was accepted');
}

describe('checkManifest', () => {
  it('fills in what may be left out', () => {
    expect(checkManifest(good, 'echo.cjs')).toEqual({
      name: 'echo',
      version: '1.0.0',
      summary: '',
      contract: `^${CONTRACT_VERSION}`,
      requires: [],
      provides: [],
      registry: false,
      realTime: false,
    });
  });

  it('keeps what is given, tokens by identity, and freezes it', () => {
    const requires = [one(Talk, '~1.2.0'), some(Listeners)];
    const Echo = defineService<object>({ name: 'Echo', version: '0.3.0-rc.1', methods: [] });
    const raw = { ...good, summary: 'Says it again.', contract: '>=1 <3', requires, provides: [Echo], registry: true, realTime: true };
    const checked = checkManifest(raw, 'echo.cjs');
    expect(checked).toEqual(raw);
    expect(checked.provides[0]).toBe(Echo);
    expect(checked.requires[0]).toBe(requires[0]);
    requires.pop();
    expect(checked.requires).toHaveLength(2);
    expect(Object.isFrozen(checked) && Object.isFrozen(checked.requires) && Object.isFrozen(checked.provides)).toBe(true);
  });

  it('takes optional of a service, and a field that is undefined as left out', () => {
    expect(checkManifest({ ...good, requires: [optional(Talk)], summary: undefined }, 'x').summary).toBe('');
  });

  // Each: what is wrong, the field and expectation in the sentence, and what was found.
  const bad: [string, unknown, RegExp, RegExp][] = [
    ['no manifest', undefined, /marked with @Module/, /has no manifest/],
    ['null', null, /must be an object/, /null/],
    ['a string', 'echo', /must be an object/, /'echo'/],
    ['no name', { version: '1.0.0' }, /name must be a lower-case name/, /undefined/],
    ['an upper-case name', { ...good, name: 'Echo' }, /name must be a lower-case name/, /'Echo'/],
    ['a name that is too long', { ...good, name: `a${'b'.repeat(63)}` }, /name must be/, /'abbb/],
    ['a name with a line break', { ...good, name: 'echo\n' }, /name must be/, /but is/],
    ['no version', { name: 'echo' }, /version must be a semver version/, /undefined/],
    ['half a version', { ...good, version: '1.0' }, /version must be a semver version/, /'1\.0'/],
    ['a version with a v', { ...good, version: 'v1.0.0' }, /version must be a semver version/, /'v1\.0\.0'/],
    ['a version that is a number', { ...good, version: 1 }, /version must be/, /1\./],
    ['a summary that is no string', { ...good, summary: 7 }, /summary must be a sentence/, /7/],
    ['a contract that is no range', { ...good, contract: 'new' }, /contract must be a semver range/, /'new'/],
    ['an empty contract range', { ...good, contract: ' ' }, /contract must be a semver range/, /' '/],
    ['an unknown field', { ...good, require: [] }, /expected are name, version, .*requires/, /unknown field 'require'/],
    ['registry that is no flag', { ...good, registry: 'yes' }, /registry must be true or false/, /'yes'/],
    ['realTime that is no flag', { ...good, realTime: 1 }, /realTime must be true or false/, /1/],
    ['requires that is no array', { ...good, requires: one(Talk) }, /requires must be an array of one/, /an object/],
    ['provides that is no array', { ...good, provides: Talk }, /provides must be an array of tokens/, /an object/],
    ['a bare token as requirement', { ...good, requires: [Talk] }, /requires\[0\] must be made by one\(token\)/, /an object/],
    ['a requirement of null', { ...good, requires: [null] }, /requires\[0\] must be made by/, /null/],
    ['another need', { ...good, requires: [{ ...one(Talk), need: 'many' }] }, /requires\[0\] must be made by/, /need: 'many'/],
    [
      'a requirement without token',
      { ...good, requires: [{ need: 'one', range: '*' }] },
      /requires\[0\]\.token must be a token/,
      /undefined/,
    ],
    [
      'a requirement without range',
      { ...good, requires: [{ ...one(Talk), range: undefined }] },
      /requires\[0\]\.range must be/,
      /undefined/,
    ],
    ['a range that is none', { ...good, requires: [one(Talk, 'newest')] }, /requires\[0\]\.range must be a semver range/, /'newest'/],
    ['a range of another major', { ...good, requires: [one(Talk, '^2.0.0')] }, /a range that admits Talk 1\.x/, /'\^2\.0\.0'/],
    ['one of a point', { ...good, requires: [one(Listeners as never)] }, /must be a service, as it stands in one/, /the point 'Listeners'/],
    ['optional of a point', { ...good, requires: [optional(Listeners as never)] }, /must be a service/, /the point 'Listeners'/],
    ['some of a service', { ...good, requires: [some(Talk as never)] }, /must be a point, as it stands in some/, /the service 'Talk'/],
    ['the same twice', { ...good, requires: [one(Talk), optional(Talk)] }, /requires\[1\] must be named once/, /'Talk' again/],
    ['provided twice', { ...good, provides: [Talk, { ...Talk }] }, /provides\[1\] must be named once/, /'Talk' again/],
    ['no token', { ...good, provides: ['Talk'] }, /provides\[0\] must be a token made by/, /'Talk'/],
    ['a token without name', { ...good, provides: [{ ...Talk, name: '' }] }, /provides\[0\]\.name must be/, /''/],
    ['a token of no version', { ...good, provides: [{ ...Talk, version: '1' }] }, /provides\[0\]\.version must be a semver/, /'1'/],
    [
      'a token of another key',
      { ...good, provides: [{ ...Talk, key: Symbol('Talk') }] },
      /\.key must be Symbol\.for\('softnet:Talk@1'\)/,
      /Symbol\(Talk\)/,
    ],
    ['a token of no errno', { ...good, provides: [{ ...Talk, errno: 'EWHAT' }] }, /\.errno must be an errno/, /'EWHAT'/],
    [
      'a token of bad methods',
      { ...good, provides: [{ ...Talk, methods: [1] }] },
      /\.methods must be an array of method names/,
      /an array/,
    ],
    ['a token without stand-in', { ...good, provides: [{ ...Talk, absent: null }] }, /\.absent must be a function/, /null/],
  ];

  it.each(bad)('refuses %s', (_what, raw, expected, found) => {
    const error = refusal(raw);
    expect(error.code).toBe('EINVAL');
    expect(error.message).toMatch(/echo\.cjs/);
    expect(error.message).toMatch(expected);
    expect(error.message).toMatch(found);
    expect(error.message).toMatch(/Correct it in @Module|Mark it/);
  });

  it('refuses another contract before it looks at fields which that one may have', () => {
    const error = refusal({ ...good, contract: '^7.0.0', fieldOfSeven: true });
    expect(error.code).toBe('ELIBBAD');
    expect(error.module).toBe('echo');
    expect(error.message).toMatch(/module 'echo' \(echo\.cjs\) was written for contract \^7\.0\.0/);
    expect(error.message).toContain(`this host has @softnet/contract ${CONTRACT_VERSION}`);
    expect(error.message).toMatch(/Build it against contract/);
  });

  it('names the module once the name is known', () => {
    const error = refusal({ ...good, version: 'x' });
    expect(error.module).toBe('echo');
    expect(error.message).toMatch(/^EINVAL: module 'echo' \(echo\.cjs\): /);
  });

  it('turns a throwing getter into a NetError with its cause', () => {
    const cause = new Error('trap');
    const throwing = {
      get name(): string {
        throw cause;
      },
    };
    const error = refusal(throwing);
    expect(error.cause).toBe(cause);
    expect(error.message).toMatch(/echo\.cjs must be a plain object, but reading it threw Error: trap\. Correct it/);
  });

  it('accepts or refuses with a NetError, whatever it is given', () => {
    const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withObjectString: true });
    const nearly = fc.record(
      {
        name: fc.oneof(fc.constant('a'), anything),
        version: fc.oneof(fc.constant('1.0.0'), anything),
        requires: fc.array(anything),
        provides: fc.array(anything),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(anything, nearly), (raw) => {
        try {
          checkManifest(raw, 'echo.cjs');
        } catch (error) {
          expect(error).toBeInstanceOf(NetError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
