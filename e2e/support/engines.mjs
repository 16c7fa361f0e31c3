// The three engines behind one small interface.
import { existsSync } from "node:fs";
import { launchWebKit, MINI_BROWSER } from "./webkit.mjs";

/**
 * @typedef {"chromium" | "firefox" | "webkit"} EngineName
 *
 * @typedef {object} Page
 * @property {(url: string) => Promise<void>} goto
 * @property {<T>(expression: string) => Promise<T>} evaluate the expression's value, awaited in the page
 * @property {() => Promise<void>} close
 * @property {import("playwright").Page} [playwright] for tests that drive the page by hand
 * @property {(method: string, path: string, body?: unknown) => Promise<any>} [command] the same over WebDriver, within the session
 *
 * @typedef {object} Engine
 * @property {EngineName} name
 * @property {string} version
 * @property {() => Promise<Page>} newPage
 * @property {() => Promise<void>} close
 */

const CHROMIUM = process.env["WASMEX_CHROMIUM"] ?? "/usr/bin/chromium";
const FIREFOX = process.env["WASMEX_FIREFOX"] ?? "/usr/bin/firefox-esr";

/** The programs that each engine needs. @type {Record<EngineName, string[]>} */
export const PROGRAMS = {
  chromium: [CHROMIUM],
  firefox: [FIREFOX],
  webkit: ["/usr/bin/WebKitWebDriver", "/usr/bin/Xvfb", MINI_BROWSER],
};

/** @type {EngineName[]} */
export const ENGINES = ["chromium", "firefox", "webkit"];

/**
 * What an engine lacks on this machine.
 * @param {EngineName} name
 */
export function missingPrograms(name) {
  return PROGRAMS[name].filter((program) => !existsSync(program));
}

/**
 * @param {import("playwright").Browser} browser
 * @param {EngineName} name
 * @returns {Engine}
 */
function fromPlaywright(browser, name) {
  return {
    name,
    version: browser.version(),
    async newPage() {
      const page = await browser.newPage();
      return {
        goto: async (url) => void (await page.goto(url)),
        evaluate: (expression) => page.evaluate(expression),
        close: () => page.close(),
        playwright: page,
      };
    },
    close: () => browser.close(),
  };
}

/**
 * @param {EngineName} name
 * @param {{ isolated: boolean }} options WebKit has shared memory behind a switch of the whole browser
 * @returns {Promise<Engine>}
 */
export async function launch(name, { isolated }) {
  if (name === "webkit") {
    return launchWebKit({ sharedMemory: isolated });
  }
  const { chromium, firefox } = await import("playwright");
  if (name === "chromium") {
    const args = [
      "--disable-background-networking",
      "--disable-component-update",
      "--no-first-run",
      "--enable-precise-memory-info",
    ];
    return fromPlaywright(await chromium.launch({ executablePath: CHROMIUM, args }), name);
  }
  return fromPlaywright(await firefox.launch({ executablePath: FIREFOX, channel: "moz-firefox" }), name);
}
