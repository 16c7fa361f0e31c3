// A display of our own, where no screen is.
import { spawn } from "node:child_process";

/** Its number comes over descriptor 3 once it is ready. */
export async function startDisplay() {
  const child = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", "1280x800x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const pipe = /** @type {import("node:stream").Readable} */ (child.stdio[3]);
  const number = await new Promise((resolve, reject) => {
    let text = "";
    pipe.on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n")) {
        resolve(text.trim());
      }
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`Xvfb ended with code ${code}`)));
  });
  return { name: `:${number}`, stop: () => child.kill() };
}
