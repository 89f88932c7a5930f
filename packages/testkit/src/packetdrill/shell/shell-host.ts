import type { NetHost } from '../../net/net-host.ts';

export class ShellHost {
  constructor(_host: NetHost, _readFile: (path: string) => string | undefined) {}
  run(_text: string): void {}
}
