import type { ModuleContext, SoftnetModule, Timer } from '@softnet/contract';
import { defineService, Module } from '@softnet/contract';

/** Kernel time for programs, which live outside of modules. */
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
  then: (() => void) | null = null;

  constructor(ctx: ModuleContext, idle: Alarm[]) {
    this.timer = ctx.timer(
      (alarm: Alarm) => {
        const { then } = alarm;
        alarm.then = null;
        idle.push(alarm);
        then?.();
      },
      this as Alarm,
      'kernel-time.alarm',
    );
  }
}

@Module({ name: 'kernel-time', version: '1.0.0', summary: "time for programs: the kernel's, real or virtual", provides: [KernelTime] })
export class KernelTimeModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const idle: Alarm[] = [];
    const after = (delayUs: number, then: () => void): (() => void) => {
      const alarm = idle.pop() ?? new Alarm(ctx, idle);
      alarm.then = then;
      alarm.timer.arm(delayUs);
      return () => {
        if (alarm.then !== then) return;
        alarm.then = null;
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
}
