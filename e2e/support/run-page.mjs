// Opens a page that runs tests and listens to what it posts.

/** How long a page may say nothing before it is given up, in milliseconds. */
const SILENCE = 120_000;

/**
 * @typedef {{ name: string, state: "pass" | "fail" | "skip", milliseconds: number, message?: string }} Outcome
 * @typedef {{ type: "begin", file: string } | { type: "end" } | { type: "file", file: string, outcomes: Outcome[] } | { type: "crash", message: string }} Report
 */

/** Takes the posts of one page at a time. */
export class Inbox {
  /** @type {((report: Report) => void) | undefined} */
  listener;

  /** @type {NonNullable<import("../../demo/server.mjs").ServerOptions["handle"]>} */
  handle = (request, response) => {
    if (request.url !== "/report" || request.method !== "POST") {
      return false;
    }
    let text = "";
    request.on("data", (chunk) => {
      text += chunk;
    });
    request.on("end", () => {
      response.end();
      this.listener?.(JSON.parse(text));
    });
    return true;
  };
}

/**
 * @param {import("./engines.mjs").Page} page
 * @param {Inbox} inbox
 * @param {string} url
 * @returns {Promise<Outcome[]>} each with its file's name before its own
 */
export async function runPage(page, inbox, url) {
  /** @type {Outcome[]} */
  const outcomes = [];
  let current = "the page itself";
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  try {
    await new Promise((resolve, reject) => {
      const watch = () => {
        clearTimeout(timer);
        timer = setTimeout(() => reject(new Error(`no sign of life from ${current}`)), SILENCE);
      };
      watch();
      inbox.listener = (report) => {
        watch();
        if (report.type === "begin") {
          current = report.file;
        } else if (report.type === "file") {
          outcomes.push(...report.outcomes);
        } else if (report.type === "end") {
          resolve(undefined);
        } else {
          reject(new Error(report.message));
        }
      };
      page.goto(url).catch(reject);
    });
  } catch (error) {
    const test = await Promise.race([
      page.evaluate("globalThis.currentTest").catch(() => ""),
      new Promise((resolve) => setTimeout(resolve, 2000, "")),
    ]);
    outcomes.push({ name: `${current} > ${test}`, state: "fail", milliseconds: 0, message: String(error) });
  } finally {
    clearTimeout(timer);
    inbox.listener = undefined;
  }
  return outcomes;
}
