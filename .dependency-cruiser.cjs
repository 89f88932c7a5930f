// Who imports whom. The tables are the law; the rules below are made from them. Tested with planted violations: test/layers/layers.test.ts.

/** What a package may import of ours. A package that is not named here is a module package. */
const mayImport = {
  contract: [],
  skb: ['contract'],
  wire: ['contract'],
  inet: ['contract', 'skb', 'wire'],
  kernel: ['contract'],
  posix: ['contract', 'wire'],
  node: ['contract', 'posix', 'wire'],
  testkit: 'all',
  cli: 'all',
};
/** A module knows the libraries; no other module, and never the kernel. */
const modulesMayImport = ['contract', 'skb', 'wire', 'inet'];

/** From outside. Packages that are not named may import what their package.json lists. */
const mayImportFromOutside = {
  contract: ['reflect-metadata'],
};
/** Imported by one package only. */
const onlyImporter = {
  inversify: 'kernel',
};

/** Where Node's built-ins may be imported; everything else runs in a browser. */
const nodeOnly = [
  'kernel/src/node.ts',
  'kernel/src/node/',
  'nic-driver/src/node.ts',
  'nic-driver/src/descriptor/',
  'nic-driver/src/tap/',
  'nic-driver/src/qemu/',
  'node/',
  'testkit/',
  'cli/',
];

/** The rooms of a module package: each may import what stands before it. */
const rooms = [['wire'], ['machine'], ['socket', 'device'], ['module']];

const named = Object.keys(mayImport);
const oneOf = (names) => `(?:${names.join('|')})`;
/** A package's files, or its name where it could not be resolved (since nobody lists it). */
const ours = (names) => `^(?:packages|@softnet)/${oneOf(names)}(?:/|$)`;
const anyOfOurs = '^(?:packages|@softnet)/';
/** `machine.ts`, or anything in a folder `machine/`; a test stands in the room of what it tests. */
const room = (names) => `^packages/[^/]+/src/(?:|.+/)${oneOf(names)}(?:\\.ts$|\\.test\\.ts$|/)`;
const test = '\\.test\\.ts$';

const error = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

const layers = Object.entries(mayImport)
  .filter(([, allowed]) => allowed !== 'all')
  .map(([name, allowed]) =>
    error(
      `layer-${name}`,
      `${name} may import of ours only: ${allowed.join(', ') || 'nothing'}`,
      { path: `^packages/${name}/` },
      { path: anyOfOurs, pathNot: ours([name, ...allowed]) },
    ),
  );

const moduleLayer = error(
  'layer-module',
  `a module may import of ours only: ${modulesMayImport.join(', ')}; never another module, never the kernel`,
  { path: '^packages/([^/]+)/', pathNot: ours(named) },
  { path: anyOfOurs, pathNot: [ours(modulesMayImport), '^(?:packages|@softnet)/$1(?:/|$)'] },
);

const outside = Object.entries(mayImportFromOutside).map(([name, allowed]) =>
  error(
    `outside-${name}`,
    `${name} may import from outside only: ${allowed.join(', ')}`,
    { path: `^packages/${name}/`, pathNot: test },
    { path: '.', pathNot: [anyOfOurs, `(?:^|node_modules/)${oneOf(allowed)}(?:/|$)`], dependencyTypesNot: ['core'] },
  ),
);

const exclusive = Object.entries(onlyImporter).map(([dependency, name]) =>
  error(
    `only-${name}-imports-${dependency}`,
    `only ${name} may import ${dependency}`,
    { path: '.', pathNot: `^packages/${name}/` },
    { path: `(?:^|node_modules/)${dependency}(?:/|$)` },
  ),
);

const roomOrder = rooms.slice(0, -1).map((names, index) => {
  const later = rooms.slice(index + 1).flat();
  return error(
    `room-${names[0]}`,
    `${names.join(' and ')} may not reach ${later.join(', ')}: imports run wire ← machine ← socket, device ← module`,
    { path: room(names), pathNot: ours(named) },
    { path: room(later), pathNot: ours(named), reachable: true },
  );
});

module.exports = {
  forbidden: [
    ...layers,
    moduleLayer,
    ...outside,
    ...exclusive,
    ...roomOrder,
    error(
      'no-node-builtin',
      `the stack runs in a browser: Node's built-ins are for ${nodeOnly.join(', ')} and tests`,
      { path: '^packages/', pathNot: [test, `^packages/${oneOf(nodeOnly.map((path) => path.replace('.', '\\.')))}`] },
      { dependencyTypes: ['core'] },
    ),
    error(
      'kernel-without-node',
      'the main entry of the kernel must not reach its Node entry',
      { path: '^packages/kernel/src/', pathNot: [test, '^packages/kernel/src/node(?:\\.ts$|/)'] },
      { path: '^packages/kernel/src/node(?:\\.ts$|/)' },
    ),
    error(
      'no-path-into-a-package',
      'another package is imported by its name, so that its exports decide what is public',
      { path: '^(?:packages/([^/]+)|test)/' },
      { path: '^packages/', pathNot: '^packages/$1/', dependencyTypes: ['local'] },
    ),
    error('no-package-imports-tests', 'test/ is not a library', { path: '^packages/' }, { path: '^(?:test/|@softnet/test(?:/|$))' }),
    error(
      'no-circular',
      'no import cycles (types alone may refer to one another within a package)',
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    ),
    error('no-unresolvable', 'not found: is it in the package.json of this package?', {}, { couldNotResolve: true }),
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(?:^|/)(?:dist|\\.native)/' },
    enhancedResolveOptions: {
      conditionNames: ['@softnet/source', 'import', 'node', 'default'],
      exportsFields: ['exports'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
    },
  },
};
