import { Module } from '@softnet/contract';
import type { EchoLine } from './echo.ts';
import { EchoModule, echoManifest } from './echo.ts';

/** Lines by an id that is drawn, in one table for all kernels of the process. */
@Module({ ...echoManifest, name: 'module-level-state' })
export class ModuleLevelState extends EchoModule {
  protected override makeLine(): EchoLine {
    const line = super.makeLine();
    const table = this.#table();
    const id = this.ctx.random.u32();
    table.set(id, line);
    line.close = () => {
      table.delete(id);
      this.closeLine(line);
    };
    line.say = (bytes) => {
      const found = table.get(id);
      if (found !== undefined) this.say(found, bytes);
    };
    return line;
  }

  #table(): Map<number, EchoLine> {
    const shared = ModuleLevelState as { table?: Map<number, EchoLine> };
    shared.table ??= new Map();
    return shared.table;
  }
}
