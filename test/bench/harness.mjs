// What benchmarks share. They compare in one run: candidates take turns, so that a slow moment of the machine hits all alike.

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? /** @type {number} */ (sorted[middle])
    : /** @type {number} */ (sorted[middle - 1] + /** @type {number} */ (sorted[middle])) / 2;
}

/**
 * Times candidates in turns. A candidate does its work `times` over; how often is found out first.
 * @template {string} Name
 * @param {Record<Name, (times: number) => unknown>} candidates may be asynchronous
 * @param {{ rounds?: number, milliseconds?: number, times?: number, warmUp?: number }} [options] `milliseconds`: how long a turn should
 *   last; `warmUp`: for how long each runs before that, so that the engine has compiled it
 * @returns {Promise<Record<Name, number>>} nanoseconds for one piece of work, the median over the rounds
 */
export async function interleave(candidates, { rounds = 15, milliseconds = 20, times, warmUp = 0 } = {}) {
  const names = /** @type {Name[]} */ (Object.keys(candidates));
  /** @param {Name} name @param {number} count */
  const time = async (name, count) => {
    const start = performance.now();
    await candidates[name](count);
    return performance.now() - start;
  };
  const counts = /** @type {Record<Name, number>} */ ({});
  const samples = /** @type {Record<Name, number[]>} */ ({});
  for (const name of names) {
    samples[name] = [];
    for (let spent = 0; spent < warmUp; spent += await time(name, 1));
    let count = times ?? 1;
    let spent = await time(name, count);
    while (times === undefined && spent < milliseconds) {
      count = Math.ceil(count * Math.min(10, Math.max(1.5, milliseconds / Math.max(spent, 0.01))));
      spent = await time(name, count);
    }
    counts[name] = count;
  }
  for (let round = 0; round < rounds; round++) {
    // Each round begins with another candidate: what one leaves behind for the next one evens out.
    for (let turn = 0; turn < names.length; turn++) {
      const name = /** @type {Name} */ (names[(round + turn) % names.length]);
      samples[name].push((await time(name, counts[name])) / counts[name]);
    }
  }
  const result = /** @type {Record<Name, number>} */ ({});
  for (const name of names) {
    result[name] = median(samples[name]) * 1e6;
  }
  return result;
}

/** @param {number} nanoseconds */
export function formatTime(nanoseconds) {
  for (const [unit, size] of /** @type {const} */ ([
    ["s", 1e9],
    ["ms", 1e6],
    ["µs", 1e3],
  ])) {
    if (nanoseconds >= size) {
      return `${(nanoseconds / size).toPrecision(3)} ${unit}`;
    }
  }
  return `${nanoseconds.toPrecision(3)} ns`;
}

/** @param {number} ratio */
export function formatRatio(ratio) {
  return `${ratio >= 100 ? ratio.toFixed(0) : ratio.toPrecision(3)}×`;
}

/**
 * Prints a table as Markdown, ready for the README.
 * @param {string} title
 * @param {string[]} header
 * @param {(string | number)[][]} rows
 */
export function table(title, header, rows) {
  const all = [header, ...rows].map((row) => row.map(String));
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  /** @param {string[]} row */
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [first, ...rest] = all;
  console.log(`\n### ${title}\n`);
  console.log(line(first ?? []));
  console.log(`| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`);
  for (const row of rest) {
    console.log(line(row));
  }
}
