import type { ModuleContext, SoftnetModule, Timer } from '@softnet/contract';
import { defineService, Module } from '@softnet/contract';

/** Kernel time for programs, which live outside of modules. When its module goes, whoever waits still has waited long enough. */
export interface KernelTime {
  readonly nowUs: number;
  /** Calls `then` after so long; returns how to call it off. */
  after(delayUs: number, then: () => void): () => void;
  sleepUs(delayUs: number): Promise<void>;
}
export const KernelTime = defineService<KernelTime>({ name: 'kernel-time', version: '1.0.0' });

/** A timer that programs take turns with. */
class Alarm {
  readonly timer: Timer;
  call: (() => void) | null = null;

  constructor(ctx: ModuleContext, idle: Alarm[]) {
    this.timer = ctx.timer(
      (alarm: Alarm) => {
        idle.push(alarm);
        alarm.ring();
      },
      this as Alarm,
      'kernel-time.alarm',
    );
  }

  ring(): void {
    const { call } = this;
    this.call = null;
    this.timer.cancel();
    call?.();
  }
}

@Module({ name: 'kernel-time', version: '1.0.0', summary: "time for programs: the kernel's, real or virtual", provides: [KernelTime] })
export class KernelTimeModule implements SoftnetModule {
  readonly #all: Alarm[] = [];

  start(ctx: ModuleContext): void {
    const idle: Alarm[] = [];
    const after = (delayUs: number, then: () => void): (() => void) => {
      const alarm = idle.pop() ?? this.#make(ctx, idle);
      alarm.call = then;
      alarm.timer.arm(delayUs);
      return () => {
        if (alarm.call !== then) return;
        alarm.call = null;
        alarm.timer.cancel();
        idle.push(alarm);
      };
    };
    ctx.corridor(KernelTime, {
      get nowUs() {
        return ctx.clock.nowUs;
      },
      after,
      sleepUs: (delayUs) => new Promise((resolve) => after(delayUs, resolve)),
    });
  }

  stop(): void {
    for (const alarm of [...this.#all]) alarm.ring();
    // Who then waits again waits in vain: this kernel has no time any more.
    for (const { timer } of this.#all) timer.cancel();
  }

  #make(ctx: ModuleContext, idle: Alarm[]): Alarm {
    const alarm = new Alarm(ctx, idle);
    this.#all.push(alarm);
    return alarm;
  }
}
