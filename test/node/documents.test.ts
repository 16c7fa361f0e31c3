import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const DOCUMENTS = ["README.md"];

/**
 * A block as a module that checks what its comments promise: `expression; // value` must be that value, and
 * `console.log(…); // text` must print it.
 */
function checked(code: string): string {
  const lines = code.split("\n").map((line) => {
    const match = /^\s*(?!\/\/|const |let |import )(.+?); \/\/ (\[.*\]|"[^"]*"|-?\d+n?)$/.exec(line);
    if (match === null) return line;
    const [, expression = "", value = ""] = match;
    const printed = /^console\.log\((.+)\)$/.exec(expression);
    return `globalThis.check(${printed?.[1] ?? expression}, ${value});`;
  });
  return lines.join("\n");
}

async function blocks(document: string): Promise<string[]> {
  const text = await readFile(`${root}${document}`, "utf8");
  return [...text.matchAll(/```(?:js|ts)\n([\s\S]*?)```/g)].map(([, code = ""]) => code);
}

describe.each(DOCUMENTS)("%s", async (document) => {
  const codes = await blocks(document);

  it("has code to run", () => {
    expect(codes.length).toBeGreaterThan(0);
  });

  it.each(codes.map((code, index) => [index + 1, code] as const))(
    "code block %i runs as it stands",
    async (index, code) => {
      const folder = `${root}.cache/documents`;
      await mkdir(folder, { recursive: true });
      const file = `${folder}/${document.replace(/\W/g, "-")}-${index}.mjs`;
      await writeFile(file, checked(code));
      (globalThis as { check?: unknown }).check = (actual: unknown, expected: unknown) =>
        expect(actual).toEqual(expected);
      await import(/* @vite-ignore */ file);
    },
  );
});
