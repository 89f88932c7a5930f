import { CubicModule, RenoModule } from '@softnet/congestion';
import type { ModuleSource } from '@softnet/kernel';
import { Kernel, World } from '@softnet/kernel';
import { Captures } from '@softnet/nic-driver';
import { TcpModule } from '@softnet/tcp';
import { NetHost } from '../../net/net-host.ts';
import { LITTLE_MEMORY, QUIET_HOST } from '../../net/quiet-host.ts';
import { HOST_STACK } from '../../net/stack.ts';
import { ScriptLinkModule } from '../link/module.ts';
import { ScriptLink } from '../link/script-link.ts';
import type { ScriptConfig } from './script-config.ts';

/** What every script's kernel has: TCP's default is the congestion control that was loaded last. */
const SCRIPT_MODULES: readonly ModuleSource[] = Object.freeze([...HOST_STACK, RenoModule, CubicModule, TcpModule, ScriptLinkModule]);

/** As the device of every script is called. */
const SCRIPT_DEVICE = 'tun0';

/** The kernel under test on a clock of its own, with one device, whose other end is the script. */
export class ScriptHost {
  readonly world: World;
  readonly kernel: Kernel;
  readonly host: NetHost;
  readonly link = new ScriptLink();

  private constructor(world: World) {
    this.world = world;
    this.kernel = new Kernel({ world, name: 'host', settings: { ...QUIET_HOST, ...LITTLE_MEMORY } });
    this.host = new NetHost(this.kernel);
  }

  /** Boots it. Rejects as `Kernel.load` does. @param modules beside those of every script. */
  static async boot(modules: readonly ModuleSource[]): Promise<ScriptHost> {
    const host = new ScriptHost(new World({ clock: 'virtual' }));
    for (const source of [...SCRIPT_MODULES, ...modules]) await host.world.run(host.kernel.load(source));
    return host;
  }

  /** The device, its addresses and routes, as the script's options say. */
  async configure({ mtuBytes, localIp, prefixLen }: ScriptConfig): Promise<void> {
    await this.world.run(this.host.addDevice('script', SCRIPT_DEVICE, { link: this.link, mtuBytes }));
    this.host.up(SCRIPT_DEVICE);
    this.host.addAddress(SCRIPT_DEVICE, `${localIp}/${prefixLen}`);
    this.host.addRoute(localIp.includes(':') ? '::/0' : '0.0.0.0/0', { dev: SCRIPT_DEVICE });
    await this.world.advance(1_000_000);
    this.link.sent.length = 0;
  }

  /** Writes all packets as pcapng. */
  capture(write: (bytes: Uint8Array) => void): void {
    const device = this.host.device(SCRIPT_DEVICE);
    this.kernel.port(Captures).current.start({ device, write: (bytes) => write(bytes.slice()) }, { name: 'packetdrill' });
  }

  async dispose(): Promise<void> {
    await this.world.run(this.kernel.shutdown());
  }
}
