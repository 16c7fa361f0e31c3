// The few assertions of the cases; they run in every engine without a library.

/**
 * @param {unknown} actual
 * @param {unknown} expected
 * @param {string} [what]
 */
export function equal(actual, expected, what = "value") {
  /** @param {unknown} value */
  const show = (value) =>
    JSON.stringify(value, (_key, part) => (typeof part === "bigint" ? `${part}n` : part));
  if (show(actual) !== show(expected)) {
    throw new Error(`${what}: expected ${show(expected)}, got ${show(actual)}`);
  }
}

/**
 * @param {unknown} condition
 * @param {string} what
 */
export function ok(condition, what) {
  if (!condition) {
    throw new Error(what);
  }
}

/**
 * @param {() => unknown} action
 * @param {string} name the error's `name`
 * @param {RegExp} [message]
 * @returns {Promise<any>} the error
 */
export async function fails(action, name, message) {
  /** @type {any} */
  let error;
  try {
    await action();
  } catch (thrown) {
    error = thrown;
  }
  ok(error !== undefined, `expected a ${name}, but nothing was thrown`);
  equal(error.name, name, `name of the error "${error.message}"`);
  if (message !== undefined) {
    ok(message.test(error.message), `"${error.message}" is not ${message}`);
  }
  return error;
}
