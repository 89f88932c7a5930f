import type { ModuleContext, ObjectSpec, Objects, Plain, SoftnetModule } from '@softnet/contract';
import { Held, Module } from '@softnet/contract';
import { expect, test } from 'vitest';
import { Kernel } from '../kernel.ts';
import { World } from '../time/world.ts';

class Box extends Held {
  readonly content: unknown;
  constructor(content: unknown) {
    super();
    this.content = content;
  }
}

/** A module with one box, which freezes as it is told; its own state is a number. */
function boxModule(spec: Partial<ObjectSpec<Box>>, hooks: Partial<SoftnetModule> = {}, content?: unknown) {
  class BoxModule implements SoftnetModule {
    start(ctx: ModuleContext): void {
      const boxes = ctx.objects<Box>('box', { drain: 'wait', close: (box) => boxes.release(box), ...spec });
      if (content !== undefined) boxes.hold(new Box(content), { name: 'me' }, 'box.start');
    }
  }
  Object.assign(BoxModule.prototype, hooks);
  Module({ name: 'box', version: '1.0.0' })(BoxModule);
  return BoxModule;
}

const freeze = (box: Box) => ({ version: 1, data: box.content as Plain });

test.each([
  ['a function', () => undefined],
  ['a class instance', new Box(1)],
  ['a Map', new Map()],
  ['a Date', new Date(0)],
  ['something deep inside', { list: [1, { bad: Symbol('x') }] }],
  ['undefined in an array', [undefined]],
])('what is frozen must be plain data, and is not: %s', async (_what, content) => {
  const kernel = new Kernel({ world: new World() });
  await kernel.load(boxModule({ freeze }, {}, content));
  const young = boxModule({ thaws: [1], thaw: ({ data }) => new Box(data) });
  await expect(kernel.replace('box', young, { mode: 'handover' })).rejects.toMatchObject({
    code: 'EBUSY',
    message: expect.stringContaining('plain data'),
  });
  expect(kernel.modules()).toMatchObject([{ generation: 1, state: 'live', usage: { holds: 1 } }]);
});

test('plain data arrives as a copy, whatever it is made of', async () => {
  const kernel = new Kernel({ world: new World() });
  const content = { text: 'a', list: [1, 2n, null, true], bytes: Uint8Array.of(1, 2), inner: { empty: {} } };
  await kernel.load(boxModule({ freeze }, {}, content));
  let thawed: Box | undefined;
  const thaw: ObjectSpec<Box>['thaw'] = ({ data }) => {
    thawed = new Box(data);
    return thawed;
  };
  const steps: string[] = [];
  const young = boxModule({ thaws: [1], thaw, settle: (box) => steps.push(`settled ${box === thawed}, held ${box.holdNext !== null}`) });
  await kernel.replace('box', young);
  expect(thawed?.content).toEqual(content);
  expect(thawed?.content).not.toBe(content);
  expect(steps).toEqual(['settled true, held true']);
});

test('a module’s own state goes first', async () => {
  const kernel = new Kernel({ world: new World() });
  await kernel.load(boxModule({}, { freeze: () => ({ version: 3, data: { next: 42 } }), thaw: () => undefined }));
  const got: unknown[] = [];
  const young = boxModule({}, { freeze: () => ({ version: 3, data: null }), thaw: (frozen) => got.push(frozen) });
  expect((await kernel.replace('box', young)).mode).toBe('handover');
  expect(got).toEqual([{ version: 3, data: { next: 42 } }]);
});

test('a `settle` or `left` that throws is a fault, and everything moves all the same', async () => {
  const kernel = new Kernel({ world: new World() });
  const fall = (): never => {
    throw new Error('fell');
  };
  await kernel.load(boxModule({ freeze, left: fall }, {}, 'x'));
  const { adopted, drained } = await kernel.replace('box', boxModule({ thaws: [1], thaw: ({ data }) => new Box(data), settle: fall }));
  expect(adopted).toEqual({ box: 1 });
  expect((await drained).outcome).toBe('gone');
  expect(kernel.faults.map(({ module, hook }) => `${module} ${hook}`)).toEqual(['box#1 left', 'box#2 settle']);
});

/** A sock of one module, and a route that another module derived for it, which is then replaced. */
async function replacedRoute(spec: Partial<ObjectSpec<Box>>, young: Partial<ObjectSpec<Box>>) {
  const kernel = new Kernel({ world: new World() });
  const [sock, way] = [new Box('sock'), new Box('way')];
  const moved: Held[] = [];
  await kernel.load(
    objectModule('sock', { derivedMoved: (_sock, before, now) => moved.push(before, now) }, (socks) =>
      socks.hold(sock, { name: 'me' }, 'here'),
    ),
  );
  await kernel.load(objectModule('route', spec, (ways) => ways.derive(way, sock, 'route.attach')));
  const report = await kernel.replace(
    'route',
    objectModule('route', young, () => undefined),
  );
  expect(await report.drained).toMatchObject({ outcome: 'gone', faults: [] });
  return { kernel, sock, way, moved, report };
}

function objectModule(name: string, spec: Partial<ObjectSpec<Box>>, use: (objects: Objects<Box>) => void) {
  class ObjectModule implements SoftnetModule {
    start(ctx: ModuleContext): void {
      const objects: Objects<Box> = ctx.objects<Box>('box', { drain: 'wait', close: (box) => objects.release(box), ...spec });
      use(objects);
    }
  }
  Module({ name, version: '1.0.0' })(ObjectModule);
  return ObjectModule;
}

test('what others derived moves too, and its holder is told', async () => {
  const { kernel, sock, way, moved, report } = await replacedRoute({ freeze }, { thaws: [1], thaw: ({ data }) => new Box(data) });
  expect(report).toMatchObject({ mode: 'handover', adopted: { box: 1 } });
  expect(moved[0]).toBe(way);
  expect(moved[1]).toMatchObject({ content: 'way', holdHolder: sock, holdPlace: 'route.attach' });
  expect(kernel.holders('route')).toMatchObject([{ module: 'route#2', sort: 'derived', owner: 'me' }]);
  sock.holdKind?.release(sock);
  expect(kernel.holders()).toEqual([]);
});

test('what others derived ends where it cannot move, and holds the old generation up no longer', async () => {
  const ended: unknown[] = [];
  const { kernel, way, moved, report } = await replacedRoute({ ended: (box) => ended.push(box) }, {});
  expect(report.mode).toBe('handover');
  expect(ended).toEqual([way]);
  expect(moved).toEqual([]);
  expect(kernel.modules().map(({ name, generation }) => `${name}#${generation}`)).toEqual(['sock#1', 'route#2']);
});
