import type { NetDevice } from '@softnet/contract';
import { NetError } from '@softnet/contract';

/** Linux's IFNAMSIZ, less its closing zero. */
const MAX_NAME_CHARS = 15;
/** So many names of one pattern. */
const MAX_NUMBER = 32768;

/**
 * The name that a device gets: `wanted` itself, or with its '%d' replaced by the lowest number that is free.
 * @param byName who has a name now; the device that is to be named may have it.
 * @throws NetError EINVAL, EEXIST.
 */
export function chooseName(wanted: string, device: NetDevice, byName: ReadonlyMap<string, NetDevice>): string {
  if (wanted.includes('%')) return numbered(wanted, byName);
  checkName(wanted);
  const holder = byName.get(wanted);
  if (holder === undefined || holder === device) return wanted;
  throw new NetError('EEXIST', `a device is named '${wanted}' already (ifindex ${holder.ifindex}): choose another name, or '${wanted}%d'`);
}

function numbered(pattern: string, byName: ReadonlyMap<string, NetDevice>): string {
  const at = pattern.indexOf('%d');
  if (at < 0 || pattern.indexOf('%', at + 1) >= 0) {
    throw new NetError('EINVAL', `'${pattern}' is no pattern of names: '%d' may stand in it once, for a number, and no other '%'`);
  }
  for (let number = 0; number < MAX_NUMBER; number++) {
    const name = pattern.slice(0, at) + String(number) + pattern.slice(at + 2);
    checkName(name);
    if (!byName.has(name)) return name;
  }
  throw new NetError('EEXIST', `all names like '${pattern}' are taken`);
}

/** Linux's `dev_valid_name`. */
function checkName(name: string): void {
  if (/^[^\s/:\p{Cc}]+$/u.test(name) && name !== '.' && name !== '..' && name.length <= MAX_NAME_CHARS) return;
  throw new NetError(
    'EINVAL',
    `'${name}' is no name for a device: 1 to ${MAX_NAME_CHARS} characters without space, '/' and ':', and not '.' or '..'`,
  );
}
