import { Module } from '@softnet/contract';
import { Echo, EchoModule, echoManifest } from './echo.ts';

@Module({ ...echoManifest, name: 'door-left-open' })
export class DoorLeftOpen extends EchoModule {
  protected override publish(echo: Echo): void {
    // Create is for newcomers: that is a door.
    this.ctx.corridor(Echo, echo);
  }
}
