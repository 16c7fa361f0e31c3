// What the packed package promises: the links of its pages lead to files of it, what pages load can be imported by its name.
import { readFileSync } from "node:fs";
import { join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * @param {readonly string[]} files of the package
 * @returns {string} what is wrong
 */
export function checkLinks(files) {
  const pages = files.filter((file) => file.endsWith(".md"));
  if (!pages.includes("README.md")) return "the package has no README.md";
  const problems = [];
  for (const page of pages) {
    const text = readFileSync(join(root, page), "utf8");
    for (const [, link = ""] of text.matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)) {
      const target = normalize(join(page, "..", link));
      if (!files.includes(target)) problems.push(`${page} links to ${target}, which is not packed`);
    }
  }
  return problems.join("\n");
}

/** What pages load by its address, and what tells its hashes. */
const ADDRESSED = ["wasmex.global.js", "worker.js", "wabt.js", "isolation.js", "integrity.json"];

/** @returns {string} what is wrong */
export function checkExports() {
  return ADDRESSED.flatMap((file) => {
    try {
      import.meta.resolve(`wasmex/dist/${file}`);
      return [];
    } catch (error) {
      return [String(error)];
    }
  }).join("\n");
}
