import type { Clock, Frozen, Manifest, ModuleContext, ObjectSpec, Objects, Owner, Poll, SoftnetModule, Timer } from '@softnet/contract';
import { defineService, Held, Module, NetError } from '@softnet/contract';

/** Whoever has a line. */
export interface EchoUser extends Owner {
  heard(bytes: Uint8Array): void;
}

/** The door: lines that say everything again, a little later; and bells, at which strangers ring. */
export interface Echo {
  open(user: EchoUser): EchoLine;
  hang(owner: Owner): EchoBell;
}
export const Echo = defineService<Echo>({ name: 'Echo', version: '1.0.0' });

/** For strangers. True: somebody heard it. */
export interface EchoStreet {
  ring(): boolean;
}
export const EchoStreet = defineService<EchoStreet>({ name: 'EchoStreet', version: '1.0.0' });

/** Kind 'line'. */
export class EchoLine extends Held {
  readonly said: { readonly atUs: number; readonly bytes: Uint8Array }[] = [];
  user: EchoUser | null = null;
  timer!: Timer;
  close: () => void = () => undefined;
  say: (bytes: Uint8Array) => void = () => undefined;
}

/** Kind 'bell': parked while the module leaves. */
export class EchoBell extends Held {
  silent = false;
  close: () => void = () => undefined;
}

export const echoManifest: Omit<Manifest, 'name'> = Object.freeze({ version: '1.0.0', provides: [Echo, EchoStreet] });

/**
 * A small good module. Each bad one is this and one sin. What may be sinned against is a method of its own.
 */
@Module({ ...echoManifest, name: 'echo' })
export class EchoModule implements SoftnetModule {
  protected ctx!: ModuleContext;
  protected lines!: Objects<EchoLine>;
  protected bells!: Objects<EchoBell>;
  protected poll!: Poll;

  start(ctx: ModuleContext): void | Promise<void> {
    this.ctx = ctx;
    this.lines = ctx.objects('line', this.lineSpec());
    this.bells = ctx.objects('bell', this.bellSpec());
    this.poll = ctx.poll({ poll: (budget) => this.deliver(budget) }, 'echo.deliver');
    this.publish({ open: (user) => this.open(user), hang: (owner) => this.hang(owner) });
    ctx.corridor(EchoStreet, { ring: () => Array.from(this.bells).some(({ silent }) => !silent) });
  }

  protected publish(echo: Echo): void {
    this.ctx.door(Echo, echo);
  }

  protected lineSpec(): ObjectSpec<EchoLine> {
    return {
      drain: 'wait',
      close: (line) => line.close(),
      describe: ({ said }) => `${said.length} to say`,
      freeze: (line) => this.freezeLine(line),
      thaws: [1],
      thaw: (frozen) => this.thawLine(frozen),
      settle: (line) => this.expect(line),
      left: ({ timer }) => timer.cancel(),
    };
  }

  protected bellSpec(): ObjectSpec<EchoBell> {
    return {
      drain: 'park',
      close: (bell) => bell.close(),
      park: (bell) => {
        bell.silent = true;
      },
      resume: (bell) => this.resumeBell(bell),
      freeze: () => ({ version: 1, data: null }),
      thaws: [1],
      thaw: () => this.makeBell(),
    };
  }

  protected resumeBell(bell: EchoBell): void {
    bell.silent = false;
  }

  protected freezeLine({ said }: EchoLine): Frozen {
    return { version: 1, data: said.map(({ atUs, bytes }) => ({ atUs, bytes })) };
  }

  protected thawLine({ data }: Frozen): EchoLine {
    const line = this.makeLine();
    line.said.push(...(data as unknown as EchoLine['said']));
    return line;
  }

  protected open(user: EchoUser): EchoLine {
    const line = this.makeLine();
    line.user = user;
    this.lines.hold(line, user, 'echo.open');
    return line;
  }

  protected hang(owner: Owner): EchoBell {
    const bell = this.makeBell();
    this.bells.hold(bell, owner, 'echo.hang');
    return bell;
  }

  protected makeLine(): EchoLine {
    const line = new EchoLine();
    line.timer = this.ctx.timer(() => this.poll.raise(), undefined, 'echo.line');
    line.close = () => this.closeLine(line);
    line.say = (bytes) => this.say(line, bytes);
    return line;
  }

  protected makeBell(): EchoBell {
    const bell = new EchoBell();
    bell.close = () => this.bells.release(bell);
    return bell;
  }

  protected closeLine(line: EchoLine): void {
    line.timer.cancel();
    this.lines.release(line);
  }

  protected say(line: EchoLine, bytes: Uint8Array): void {
    const latest = line.said.at(-1)?.atUs ?? this.clock.nowUs;
    line.said.push({ atUs: latest + this.delayUs(), bytes: bytes.slice() });
    this.expect(line);
  }

  protected get clock(): Clock {
    return this.ctx.clock;
  }

  protected delayUs(): number {
    return 500 + this.ctx.random.below(500);
  }

  protected expect(line: EchoLine): void {
    if (line.said.length > 0) line.timer.armAt(line.said[0]!.atUs);
  }

  /** The packet path. */
  protected deliver(budget: number): number {
    let done = 0;
    for (const line of this.lines) {
      while (line.said.length > 0 && line.said[0]!.atUs <= this.clock.nowUs && done < budget) {
        const { bytes } = line.said.shift()!;
        line.user?.heard(bytes);
        done++;
      }
      this.expect(line);
    }
    return done;
  }
}

/** What bad modules say where they throw. */
export function sin(): NetError {
  return new NetError('EIO', 'a sin');
}
