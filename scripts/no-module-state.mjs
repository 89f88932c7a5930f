// Refuses mutable state at module level: it would be shared by every kernel in the process, and differ from shard to shard.
// Usage: node scripts/no-module-state.mjs [DIR|FILE ...]     (default: packages/*/src, without tests)
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const { SyntaxKind } = ts;

/** Calls whose result holds no state; so does any function whose name starts with `define`. */
const pureCalls = new Set([
  ...['one', 'optional', 'some'],
  ...['Symbol', 'Symbol.for', 'BigInt', 'Number', 'String', 'Boolean', 'parseInt', 'parseFloat', 'String.raw'],
  ...['BigInt.asIntN', 'BigInt.asUintN', 'Math.max', 'Math.min', 'Math.floor', 'Math.ceil', 'Math.trunc', 'Math.pow', 'Math.log2'],
  ...['createRequire', 'fileURLToPath'],
]);
/** Classes whose instances hold no state that matters (RegExp: see `statefulRegExp`). */
const pureClasses = new Set(['TextEncoder', 'TextDecoder', 'RegExp']);
const containers = new Set(
  `Map Set WeakMap WeakSet WeakRef FinalizationRegistry Array Object ArrayBuffer SharedArrayBuffer DataView Buffer
   Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array
   BigInt64Array BigUint64Array`.split(/\s+/),
);
/** Annotations under which any initialiser will do: nobody can write to it. */
const primitiveTypes = new Set([
  SyntaxKind.NumberKeyword,
  SyntaxKind.StringKeyword,
  SyntaxKind.BooleanKeyword,
  SyntaxKind.BigIntKeyword,
  SyntaxKind.SymbolKeyword,
  SyntaxKind.NullKeyword,
  SyntaxKind.UndefinedKeyword,
  SyntaxKind.LiteralType,
  SyntaxKind.FunctionType,
]);
const primitiveValues = new Set([
  SyntaxKind.NumericLiteral,
  SyntaxKind.BigIntLiteral,
  SyntaxKind.StringLiteral,
  SyntaxKind.NoSubstitutionTemplateLiteral,
  SyntaxKind.TemplateExpression,
  SyntaxKind.TrueKeyword,
  SyntaxKind.FalseKeyword,
  SyntaxKind.NullKeyword,
  SyntaxKind.PrefixUnaryExpression,
  SyntaxKind.TypeOfExpression,
  SyntaxKind.VoidExpression,
]);
/** What a name stands for was checked where it was made. */
const references = new Set([
  SyntaxKind.Identifier,
  SyntaxKind.PropertyAccessExpression,
  SyntaxKind.ElementAccessExpression,
  SyntaxKind.MetaProperty,
  SyntaxKind.ThisKeyword,
]);

const advice = 'freeze it, say `as const`, or give it a readonly type; what changes belongs to a kernel or a module instance';

/** @returns {{ line: number, name: string, reason: string }[]} */
function findModuleState(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found = [];
  const refuse = (node, name, reason) =>
    found.push({ line: source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1, name, reason });
  visit(source, refuse);
  return found;
}

/** Walks what runs when the module is loaded: everything except the bodies of functions. */
function visit(node, refuse) {
  if (ts.isVariableStatement(node) && node.modifiers?.some((modifier) => modifier.kind === SyntaxKind.DeclareKeyword)) return;
  if (ts.isVariableDeclarationList(node)) checkDeclarations(node, refuse);
  if (ts.isExportAssignment(node)) checkValue(node, 'export default', why(node.expression, 'plain'), refuse);
  if (ts.isClassLike(node)) checkStatics(node, refuse);
  if (ts.isFunctionLike(node)) return;
  if (ts.isPropertyDeclaration(node) && !isStatic(node)) return;
  ts.forEachChild(node, (child) => visit(child, refuse));
}

function checkDeclarations(list, refuse) {
  // The variable of a loop at module level is gone when the loop is.
  if (!ts.isVariableStatement(list.parent)) return;
  const isConst = (list.flags & ts.NodeFlags.BlockScoped) === ts.NodeFlags.Const;
  for (const declaration of list.declarations) {
    const name = declaration.name.getText();
    if (!isConst) refuse(declaration, name, '`let` or `var` at module level; what changes belongs to a kernel or a module instance');
    else if (declaration.initializer) checkValue(declaration, name, whyTyped(declaration.initializer, declaration.type, 'plain'), refuse);
  }
}

function checkStatics(node, refuse) {
  for (const member of node.members) {
    if (!ts.isPropertyDeclaration(member) || !isStatic(member)) continue;
    const name = `${node.name?.text ?? '(class)'}.${member.name.getText()}`;
    const isReadonly = member.modifiers.some((modifier) => modifier.kind === SyntaxKind.ReadonlyKeyword);
    if (!isReadonly) refuse(member, name, 'a static field that is not readonly is state at module level');
    else if (member.initializer) checkValue(member, name, whyTyped(member.initializer, member.type, 'plain'), refuse);
  }
}

function checkValue(node, name, reason, refuse) {
  if (reason) refuse(node, name, `${reason}; ${advice}`);
}

function isStatic(member) {
  return member.modifiers?.some((modifier) => modifier.kind === SyntaxKind.StaticKeyword) ?? false;
}

function whyTyped(expression, type, mode) {
  if (type && primitiveTypes.has(type.kind)) return undefined;
  return why(expression, type && isReadonlyType(type) ? 'readonly' : mode);
}

function isReadonlyType(type) {
  if (ts.isTypeOperatorNode(type)) return type.operator === SyntaxKind.ReadonlyKeyword || type.operator === SyntaxKind.UniqueKeyword;
  return ts.isTypeReferenceNode(type) && /^Readonly/.test(type.typeName.getText());
}

/**
 * Why the value of an expression counts as mutable, or undefined.
 * Modes: 'plain'; 'readonly' under a readonly type or Object.freeze (one level deep); 'const' under `as const` (all the way down).
 */
function why(expression, mode) {
  if (primitiveValues.has(expression.kind) || references.has(expression.kind)) return undefined;
  if (ts.isArrowFunction(expression) || ts.isFunctionExpression(expression) || ts.isClassExpression(expression)) return undefined;
  if (ts.isRegularExpressionLiteral(expression)) return statefulRegExp(/\/([a-z]*)$/.exec(expression.text)?.[1] ?? '');
  if (ts.isArrayLiteralExpression(expression) || ts.isObjectLiteralExpression(expression)) return whyLiteral(expression, mode);
  if (ts.isNewExpression(expression)) return whyNew(expression, mode);
  if (ts.isCallExpression(expression)) return whyCall(expression, mode);
  if (ts.isTaggedTemplateExpression(expression)) return whyCalled(expression.tag.getText(), mode);
  return whyInside(expression, mode);
}

/** Expressions whose value is that of one of their parts. */
function whyInside(expression, mode) {
  if (ts.isAsExpression(expression) || ts.isTypeAssertionExpression(expression)) {
    const isConst = expression.type.getText() === 'const';
    return isConst ? why(expression.expression, 'const') : whyTyped(expression.expression, expression.type, mode);
  }
  if (ts.isConditionalExpression(expression)) return why(expression.whenTrue, mode) ?? why(expression.whenFalse, mode);
  if (ts.isBinaryExpression(expression)) return why(expression.left, mode) ?? why(expression.right, mode);
  // Parentheses, satisfies, await, `!`.
  if (expression.expression) return why(expression.expression, mode);
  return `cannot see that ${SyntaxKind[expression.kind]} is immutable`;
}

function whyLiteral(literal, mode) {
  const isArray = ts.isArrayLiteralExpression(literal);
  if (mode === 'plain') return isArray ? 'a mutable array' : 'a mutable object';
  for (const part of isArray ? literal.elements : literal.properties) {
    const reason = whyPart(part, mode);
    if (reason) return `holds ${reason}`;
  }
  return undefined;
}

function whyPart(part, mode) {
  const value = ts.isPropertyAssignment(part) ? part.initializer : part;
  // Methods, accessors, shorthands and spreads bring in nothing that was made here.
  if (!ts.isExpression(value) || ts.isSpreadElement(value) || ts.isOmittedExpression(value)) return undefined;
  const isLiteral = ts.isArrayLiteralExpression(value) || ts.isObjectLiteralExpression(value);
  if (!isLiteral || mode === 'const') return why(value, mode === 'const' ? 'const' : 'plain');
  // Rows of a frozen table are let be; an empty container is there to be filled.
  const isEmpty = (ts.isArrayLiteralExpression(value) ? value.elements : value.properties).length === 0;
  return isEmpty ? 'an empty container' : whyLiteral(value, mode);
}

function whyNew(expression, mode) {
  const name = expression.expression.getText();
  if (name === 'RegExp') return statefulRegExp(expression.arguments?.[1]?.getText() ?? '');
  if (pureClasses.has(name) || name.startsWith('Intl.')) return undefined;
  return mode === 'readonly' ? undefined : `a mutable ${name}`;
}

function whyCall(expression, mode) {
  const name = expression.expression.getText();
  const [first] = expression.arguments;
  if (name === 'Object.freeze' && first) {
    if (ts.isNewExpression(first) && containers.has(first.expression.getText())) {
      return `Object.freeze does not freeze what is in a ${first.expression.getText()}`;
    }
    return why(first, 'readonly');
  }
  return whyCalled(name, mode);
}

function whyCalled(name, mode) {
  if (mode === 'readonly' || pureCalls.has(name) || /(?:^|\.)define(?![a-z])/.test(name)) return undefined;
  return `cannot see that what ${name.length < 40 ? name : 'this call'}() returns is immutable`;
}

function statefulRegExp(flags) {
  return /[gy]/.test(flags) ? 'a regular expression with flag g or y keeps lastIndex' : undefined;
}

function sourcesBelow(path) {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { recursive: true })
    .map((file) => join(path, file))
    .filter((file) => /\.m?ts$/.test(file) && !/\.(?:test|d)\.m?ts$/.test(file))
    .sort();
}

function main(paths) {
  const roots =
    paths.length > 0
      ? paths
      : readdirSync('packages')
          .map((name) => `packages/${name}/src`)
          .filter((dir) => existsSync(dir));
  const files = roots.flatMap(sourcesBelow);
  let count = 0;
  for (const file of files) {
    for (const { line, name, reason } of findModuleState(file, readFileSync(file, 'utf8'))) {
      console.error(`${file}:${line}: ${name}: ${reason}`);
      count++;
    }
  }
  console.log(`no-module-state: ${files.length} files, ${count} refused`);
  process.exitCode = count > 0 ? 1 : 0;
}

main(process.argv.slice(2));
