/**
 * Makes a function of a bundle's text: its body is `code`, its parameters are named `parameters`.
 * @throws SyntaxError where the text does not parse.
 */
export type Compile = (code: string, filename: string, parameters: readonly string[]) => (...args: never[]) => unknown;

/**
 * Compiles with `new Function`: works in browsers (where the page's content security policy allows it), and the code is
 * collected once nothing refers to it. The engine does not say where a text fails to parse; Node's `nodeCompile` does.
 */
export const functionCompile: Compile = (code, filename, parameters) => {
  const body = code.replace(/^\uFEFF?#!/, '//'); // only a script or a module may begin with a hashbang
  // A name with a line break in it would end the comment, and be code.
  const sourceUrl = filename.replace(/\s/g, '%20');
  return new Function(...parameters, `${body}\n//# sourceURL=${sourceUrl}`) as ReturnType<Compile>;
};
