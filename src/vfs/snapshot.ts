import { pack } from "../binary/container.js";
import { unpack } from "../binary/unpack.js";
import { WasmexError } from "../errors.js";
import {
  type Backend,
  FILETYPE_DIRECTORY,
  FILETYPE_REGULAR_FILE,
  FILETYPE_SYMBOLIC_LINK,
  FILETYPE_UNKNOWN,
  Filestat,
  type Node,
} from "./contract.js";
import { ERRNO_INVAL } from "./errno.js";
import { rawNamesIn } from "./host-files.js";
import type { MemoryBackend } from "./memory-backend.js";
import type { Place } from "./mounts.js";

/*
 * A snapshot is a container whose name is the tree, as JSON, and whose content is that of the files.
 *
 * The tree is a list: the root, and each directory before what is in it, that sorted by its bytes. Names and targets are text of
 * one character a byte. A file has the numbers of those of its blocks that aren't all zeros; their bytes follow each other in the
 * content. Another name of a file that came before has LINK, and the file's place in the list.
 */
type Entry = [
  directory: number,
  name: string,
  filetype: number,
  accessed: string,
  modified: string,
  sizeOrTargetOrFile?: number | string | undefined,
  blocks?: number[],
];

const MAGIC = "wasmxfs";
const LINK = FILETYPE_UNKNOWN;
const BLOCK = 65536;
const SLASH = 47;

const toText = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
const toBytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

function check(result: number): number {
  if (result < 0) {
    throw new WasmexError(`an entry of the file system can't be read or made: errno ${-result}`);
  }
  return result;
}

/** The tree of one backend; what is mounted in it isn't there. */
export function packTree({ backend, node: root }: Place): Uint8Array<ArrayBuffer> {
  const tree: Entry[] = [];
  const nodes: Node[] = [];
  const content: Uint8Array[] = [];
  const files = new Map<bigint | undefined, number>();
  const stat = new Filestat();
  const add = (directory: number, name: string, node: Node) => {
    check(backend.stat(check(node), stat));
    const { filetype, size, longs } = stat;
    const entry: Entry = [directory, name, filetype, `${longs[5]}`, `${longs[6]}`];
    if (filetype !== FILETYPE_DIRECTORY) {
      const inode = longs[1];
      const file = files.get(inode);
      files.set(inode, file ?? tree.length);
      if (file !== undefined) {
        entry.splice(2, 4, LINK, "0", "0", file);
      } else if (filetype === FILETYPE_REGULAR_FILE) {
        entry.push(size, packContent(backend, node, size, content));
        // A snapshot is no access: the next one is to be the same.
        if ("nextData" in backend) backend.setTimes(node, longs[5], undefined);
      } else if (filetype === FILETYPE_SYMBOLIC_LINK) {
        const target = backend.readlink(node);
        entry.push(toText(typeof target === "number" ? new Uint8Array(check(target)) : target));
      } else {
        files.delete(inode);
        return;
      }
    }
    tree.push(entry);
    nodes.push(node);
  };
  backend.begin();
  try {
    add(0, "", root);
    for (let at = 0; at < tree.length; at++) {
      const node = nodes[at] as Node;
      if (tree[at]?.[2] === FILETYPE_DIRECTORY) {
        for (const name of rawNamesIn(backend, node).map(toText).sort()) {
          add(at, name, backend.lookup(node, toBytes(name), 0, name.length));
        }
      }
    }
  } finally {
    backend.end();
  }
  return pack(content, JSON.stringify(tree), MAGIC);
}

/** Adds a file's blocks to the content; answers their numbers. */
function packContent(backend: Backend, node: Node, size: number, content: Uint8Array[]): number[] {
  const blocks: number[] = [];
  check(backend.openFile(node, true, false));
  try {
    for (let offset = 0; offset < size; offset += BLOCK) {
      offset = (backend as Partial<MemoryBackend>).nextData?.(node, offset) ?? offset;
      const block = new Uint8Array(Math.max(0, Math.min(BLOCK, size - offset)));
      for (let done = 0, read = 1; read > 0 && done < block.length; done += read) {
        read = check(backend.read(node, offset + done, block, done, block.length - done));
      }
      if (block.some(Boolean)) {
        blocks.push(offset / BLOCK);
        content.push(block);
      }
    }
  } finally {
    backend.closeFile(node);
  }
  return blocks;
}

/**
 * Fills an empty backend with what `packTree` kept.
 *
 * @param bytes nobody else may be able to change them meanwhile
 * @throws WasmexError for anything but what `packTree` made, to the bit
 */
export function unpackTree(backend: Backend, bytes: Uint8Array<ArrayBuffer>): void {
  backend.begin();
  try {
    // Behind a checksum that fits, anything else takes a forger; still nothing but a refusal may come of it.
    const { module: content, name: json = "" } = unpack(bytes, MAGIC, "VirtualFileSystem.snapshot()");
    const tree = JSON.parse(json) as Entry[];
    const nodes: Node[] = [];
    let used = 0;
    for (const [directory, text, filetype, , , extra, blocks = []] of tree) {
      const name = toBytes(text);
      const above = nodes[directory] ?? 0;
      const place = [above, name, 0, name.length] as const;
      let node: Node = -ERRNO_INVAL;
      if (nodes.length === 0) {
        node = backend.openRoot();
      } else if (above === 0 || !isName(name)) {
        // Refused below.
      } else if (filetype === FILETYPE_DIRECTORY) {
        node = backend.mkdir(...place);
      } else if (filetype === FILETYPE_SYMBOLIC_LINK) {
        node = backend.symlink(...place, toBytes(extra as string));
      } else if (filetype === LINK) {
        node = nodes[extra as number] ?? node;
        check(node < 0 ? node : backend.link(node, ...place));
      } else if (
        filetype === FILETYPE_REGULAR_FILE &&
        Number.isSafeInteger(extra) &&
        (extra as number) >= 0
      ) {
        const size = extra as number;
        node = check(backend.create(...place));
        check(backend.truncate(node, size));
        for (const block of blocks) {
          const offset = block * BLOCK;
          const length = Math.min(BLOCK, size - offset);
          if (!(offset >= 0 && length > 0 && used + length <= content.length)) {
            check(-ERRNO_INVAL);
          }
          for (const end = used + length; used < end; ) {
            used += check(backend.write(node, offset + length - end + used, content, used, end - used));
          }
        }
      }
      nodes.push(check(node));
    }
    // When all that is in the directories was made.
    tree.forEach(([, , filetype, accessed, modified], index) => {
      if (filetype !== LINK) {
        backend.setTimes(nodes[index] as Node, BigInt(accessed), BigInt(modified));
      }
    });
    check(used === content.length && nodes.length > 0 ? 0 : -ERRNO_INVAL);
  } catch (error) {
    throw new WasmexError(`not a file system's snapshot: ${(error as Error).message}`, { cause: error });
  } finally {
    backend.end();
  }
}

/** Whether a backend may be given that name: no `.`, no `..`, and nothing that ends or parts one. */
const isName = (name: Uint8Array): boolean =>
  !(name.length < 3 && name.every((byte) => byte === 46)) && !name.includes(SLASH) && !name.includes(0);
