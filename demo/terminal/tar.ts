import type { VirtualFileSystem } from "wasmex";

const BLOCK = 512;
const encoder = new TextEncoder();

/** One header of the POSIX `ustar` format. */
function header(path: string, bytes: number, modified: number, directory: boolean): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (at: number, text: string): void => block.set(encoder.encode(text), at);
  const octal = (at: number, digits: number, value: number): void =>
    put(at, value.toString(8).padStart(digits, "0"));
  // A long path is split at a slash: up to 155 bytes before it, up to 100 behind it.
  let split = 0;
  if (encoder.encode(path).length > 100) {
    do {
      split = path.indexOf("/", split + 1);
    } while (split > 0 && encoder.encode(path.slice(split + 1)).length > 100);
    if (split < 0 || split === path.length - 1 || encoder.encode(path.slice(0, split)).length > 155)
      throw new Error(`the path is too long for an archive: ${path}`);
  }
  put(0, split > 0 ? path.slice(split + 1) : path);
  octal(100, 7, directory ? 0o755 : 0o644);
  octal(108, 7, 0);
  octal(116, 7, 0);
  octal(124, 11, bytes);
  octal(136, 11, modified);
  put(148, "        ");
  put(156, directory ? "5" : "0");
  put(257, "ustar\x0000");
  if (split > 0) put(345, path.slice(0, split));
  octal(
    148,
    6,
    block.reduce((sum, byte) => sum + byte, 0),
  );
  block[154] = 0;
  return block;
}

/** A directory and all that lies in it as a tar archive; links are left out, they may point anywhere. */
export function tarOf(fs: VirtualFileSystem, directory: string): Blob {
  const parts: BlobPart[] = [];
  const above = directory.slice(0, directory.lastIndexOf("/") + 1).length;
  const add = (path: string): void => {
    const stat = fs.stat(path, { followSymlinks: false });
    const seconds = Number(stat.modified / 1_000_000_000n);
    if (stat.kind === "directory") {
      parts.push(header(`${path.slice(above)}/`, 0, seconds, true).slice());
      for (const name of fs.readdir(path)) add(`${path}/${name}`);
    } else if (stat.kind === "file") {
      const bytes = fs.readFile(path);
      parts.push(header(path.slice(above), bytes.length, seconds, false).slice(), bytes.slice());
      parts.push(new Uint8Array((BLOCK - (bytes.length % BLOCK)) % BLOCK));
    }
  };
  add(directory);
  parts.push(new Uint8Array(2 * BLOCK));
  return new Blob(parts, { type: "application/x-tar" });
}
