/**
 * The host's side of the exchange that blocks: answers each time that the worker adds to the first word by adding to the second.
 * @param {Int32Array} words
 */
export async function answerForever(words) {
  for (let served = 0; ; served++) {
    const seen = Atomics.load(words, 0);
    if (seen === served) await Atomics.waitAsync(words, 0, seen).value;
    Atomics.add(words, 1, 1);
    Atomics.notify(words, 1);
  }
}
