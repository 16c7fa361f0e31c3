// WebKitGTK's MiniBrowser over W3C WebDriver, on a virtual display. Playwright has no way to drive it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { startDisplay } from "./display.mjs";

const CANDIDATES = [
  process.env["WASMEX_MINIBROWSER"],
  `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/webkit2gtk-4.1/MiniBrowser`,
  `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/webkit2gtk-4.0/MiniBrowser`,
];
/** @type {string} */
export const MINI_BROWSER =
  CANDIDATES.find((path) => path !== undefined && existsSync(path)) ?? /** @type {string} */ (CANDIDATES[1]);

const SCRIPT_TIMEOUT = 120_000;

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** One WebDriver command after another over HTTP. */
class Driver {
  #base;

  /** @param {string} base */
  constructor(base) {
    this.#base = base;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @returns {Promise<any>}
   */
  async send(method, path, body) {
    const response = await fetch(this.#base + path, {
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const { value } = /** @type {{ value: any }} */ (await response.json());
    if (!response.ok || value?.error) {
      throw new Error(`${method} ${path}: ${value?.error}: ${value?.message}`);
    }
    return value;
  }

  /** Waits until the driver takes commands. */
  async ready() {
    for (let attempt = 0; ; attempt++) {
      try {
        await this.send("GET", "/status");
        return;
      } catch (error) {
        if (attempt === 200) {
          throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    }
  }
}

/** The page's part of `evaluate`: the expression is awaited, and its error comes back as text. */
const EVALUATE = `
  const done = arguments[arguments.length - 1];
  (async () => (0, eval)("(" + arguments[0] + ")"))()
    .then((value) => done({ value }), (error) => done({ error: String(error) + "\\n" + (error && error.stack) }));
`;

/**
 * @param {{ sharedMemory: boolean }} options
 * @returns {Promise<import("./engines.mjs").Engine>}
 */
export async function launchWebKit({ sharedMemory }) {
  const display = await startDisplay();
  const port = await freePort();
  /** @type {NodeJS.ProcessEnv} */
  const env = {
    ...process.env,
    DISPLAY: display.name,
    LIBGL_ALWAYS_SOFTWARE: "1",
    WEBKIT_DISABLE_COMPOSITING_MODE: "1",
  };
  if (sharedMemory) {
    // Not on plain pages: `crossOriginIsolated` would be true there and the memory missing all the same.
    env["JSC_useSharedArrayBuffer"] = "1";
  }
  const child = spawn("WebKitWebDriver", ["-p", String(port)], { stdio: "ignore", env });
  const stop = () => {
    child.kill();
    display.stop();
  };
  process.once("exit", stop);
  try {
    const driver = new Driver(`http://127.0.0.1:${port}`);
    await driver.ready();
    const session = await driver.send("POST", "/session", {
      capabilities: {
        alwaysMatch: {
          "webkitgtk:browserOptions": { binary: MINI_BROWSER, args: ["--automation"] },
          timeouts: { script: SCRIPT_TIMEOUT, pageLoad: 60_000 },
        },
      },
    });
    const path = `/session/${session.sessionId}`;
    return {
      name: "webkit",
      version: session.capabilities.browserVersion,
      // One window is all that a run needs: pages follow one another.
      newPage: async () => ({
        goto: (url) => driver.send("POST", `${path}/url`, { url }),
        evaluate: async (expression) => {
          const answer = await driver.send("POST", `${path}/execute/async`, {
            script: EVALUATE,
            args: [expression],
          });
          if (answer.error !== undefined) {
            throw new Error(answer.error);
          }
          return answer.value;
        },
        close: () => driver.send("POST", `${path}/url`, { url: "about:blank" }),
        command: (method, suffix, body) => driver.send(method, path + suffix, body),
      }),
      close: async () => {
        process.off("exit", stop);
        await driver.send("DELETE", path).catch(() => undefined);
        stop();
      },
    };
  } catch (error) {
    process.off("exit", stop);
    stop();
    throw error;
  }
}
