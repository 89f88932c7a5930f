import type { ModuleContext, SoftnetModule } from '@softnet/contract';
import { ETHERTYPE, HeaderParser, Module, PARSER_LEVEL } from '@softnet/contract';

/** What test frames and {@link Frames} have for an ethertype (IEEE 802: local experimental), and IPv4. */
const ETHERTYPES = [0x88b5, ETHERTYPE.IPV4] as const;

/** Throws at each header that drivers ask for. */
@Module({ name: 'bad-parser', version: '1.0.0', provides: [HeaderParser] })
export class BadParserModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const parse = (): boolean => {
      throw new Error('a fault');
    };
    for (const number of ETHERTYPES) {
      ctx.contribute(HeaderParser, { name: 'bad', level: PARSER_LEVEL.ETHERTYPE, number, parse }, 'corridor');
    }
  }
}
