// Brings this checkout to where its commands can run. Plain Node: it runs before anything is installed.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Debian's packages for the programs that each browser engine needs. */
const BROWSER_PACKAGES = ["chromium", "firefox-esr", "webkit2gtk-driver", "xvfb"];
const BROWSER_PROGRAMS = [
  "/usr/bin/chromium",
  "/usr/bin/firefox-esr",
  "/usr/bin/WebKitWebDriver",
  "/usr/bin/Xvfb",
];

/**
 * @param {string} program
 * @param {string[]} args
 */
function runProgram(program, args, environment = {}) {
  const result = spawnSync(program, args, {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 1 << 28,
    env: { ...process.env, ...environment },
  });
  return { ok: result.status === 0, output: `${result.stdout ?? ""}${result.stderr ?? ""}` };
}

/** @param {string} file */
function readPackages(file) {
  try {
    return /** @type {Record<string, { version?: string, optional?: boolean }>} */ (
      JSON.parse(readFileSync(`${root}${file}`, "utf8")).packages
    );
  } catch {
    return undefined;
  }
}

/** Whether what is installed is what the lock file says; packages for other machines are optional. */
function isInstalled() {
  const wanted = readPackages("package-lock.json");
  const found = readPackages("node_modules/.package-lock.json");
  if (wanted === undefined || found === undefined) {
    return false;
  }
  return Object.entries(wanted).every(
    ([path, entry]) => path === "" || entry.optional || found[path]?.version === entry.version,
  );
}

/** Installs the npm packages of the lock file where they are missing or others. */
export function installPackages() {
  if (isInstalled()) {
    return;
  }
  const fresh = !existsSync(`${root}node_modules`);
  console.log(
    `installing npm packages${fresh ? "" : " (the installed ones are not those of package-lock.json)"} …`,
  );
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  const strict = runProgram("npm", ["ci", ...quiet]);
  // A registry that lacks a package for some other system fails the strict way, and so does a connection that broke once.
  const result = strict.ok ? strict : runProgram("npm", ["install", "--no-save", ...quiet]);
  if (!result.ok) {
    console.error(result.output);
    throw new Error("npm could not install the packages");
  }
}

/** Installs the browsers where they are missing and this user may; says so where not. */
export function installBrowsers() {
  const missing = BROWSER_PROGRAMS.filter((program) => !existsSync(program));
  if (missing.length === 0) {
    return;
  }
  const asRoot = process.getuid?.() === 0;
  const withSudo = !asRoot && runProgram("sudo", ["-n", "true"]).ok;
  if (!existsSync("/usr/bin/apt-get") || !(asRoot || withSudo)) {
    console.log(
      `not installed: ${missing.join(", ")}; to test in them: apt-get install ${BROWSER_PACKAGES.join(" ")}`,
    );
    return;
  }
  console.log("installing browsers (chromium, firefox, webkitgtk; a minute or two) …");
  const prefix = asRoot ? [] : ["sudo", "-n"];
  /** @param {string[]} args */
  const apt = (...args) => {
    const [program, ...rest] = [...prefix, "apt-get", ...args];
    return runProgram(/** @type {string} */ (program), rest, { DEBIAN_FRONTEND: "noninteractive" });
  };
  apt("update", "-qq");
  const result = apt("install", "-y", "-qq", "--no-install-recommends", ...BROWSER_PACKAGES);
  if (!result.ok) {
    console.log(`apt-get could not install them:\n${result.output.trim().split("\n").slice(-5).join("\n")}`);
  }
}
