import * as shim from "@bjorn3/browser_wasi_shim";
import { describe, expect, it } from "vitest";
import {
  type Backend,
  FILETYPE_CHARACTER_DEVICE,
  FILETYPE_REGULAR_FILE,
  Filestat,
} from "../../src/vfs/contract.js";
import {
  ERRNO_ACCES,
  ERRNO_FBIG,
  ERRNO_IO,
  ERRNO_NOENT,
  ERRNO_NOTSUP,
  ERRNO_PERM,
} from "../../src/vfs/errno.js";
import { shimBackend } from "../../src/vfs/shim.js";
import { proxyBackend, serveBackends } from "../../src/worker/file-proxy.js";
import "wasmex";
import { backendContract, Driver } from "./contract-suite.js";

function mount(object: unknown): Backend {
  const backend = shimBackend(object);
  if (backend === undefined) {
    throw new Error("not taken for an object of the package");
  }
  return backend;
}

const bytes = (text: string) => new TextEncoder().encode(text);

backendContract("a browser_wasi_shim Directory", () => mount(new shim.Directory(new Map())), {
  sparse: false,
});
backendContract(
  "a browser_wasi_shim PreopenDirectory",
  () => mount(new shim.PreopenDirectory("/", new Map())),
  {
    sparse: false,
  },
);

/** A directory that hides its map, as a user's own class may. */
class OpaqueDirectory extends shim.Fd {
  readonly #inner = new shim.OpenDirectory(new shim.Directory(new Map()));
  override fd_fdstat_get = () => this.#inner.fd_fdstat_get();
  override fd_filestat_get = () => this.#inner.fd_filestat_get();
  override fd_readdir_single = (cookie: bigint) => this.#inner.fd_readdir_single(cookie);
  override path_lookup = (path: string, flags: number) => this.#inner.path_lookup(path, flags);
  override path_open = (...args: Parameters<shim.Fd["path_open"]>) => this.#inner.path_open(...args);
  override path_create_directory = (path: string) => this.#inner.path_create_directory(path);
  override path_link = (...args: Parameters<shim.Fd["path_link"]>) => this.#inner.path_link(...args);
  override path_unlink = (path: string) => this.#inner.path_unlink(path);
  override path_unlink_file = (path: string) => this.#inner.path_unlink_file(path);
  override path_remove_directory = (path: string) => this.#inner.path_remove_directory(path);
}
backendContract("a user's own directory Fd", () => mount(new OpaqueDirectory()), { sparse: false });

describe("shimBackend", () => {
  it("takes nothing that isn't of the package's kind", () => {
    for (const object of [undefined, null, 1, "x", {}, new Map(), { path_open: 1, stat: 2 }, () => {}]) {
      expect(shimBackend(object)).toBe(undefined);
    }
  });

  it("shares a Directory with whoever holds it, both ways", () => {
    const directory = new shim.Directory(
      new Map<string, shim.Inode>([["in", new shim.File(bytes("hello"))]]),
    );
    const driver = new Driver(mount(directory));
    expect(driver.text(driver.lookup(driver.root, "in"))).toBe("hello");
    const out = driver.create(driver.root, "out");
    driver.write(out, 0, "written");
    const made = directory.contents.get("out");
    expect(made).toBeInstanceOf(shim.File);
    expect((made as shim.File).data).toEqual(bytes("written"));
    directory.contents.set("later", new shim.File(bytes("x")));
    expect(driver.names(driver.root)).toEqual(["in", "later", "out"]);
    expect(driver.mkdir(driver.root, "sub")).toBeGreaterThan(0);
    expect(directory.contents.get("sub")).toBeInstanceOf(shim.Directory);
  });

  it("mounts a File as one file, and refuses to write a readonly one", () => {
    const driver = new Driver(mount(new shim.File(bytes("text"))));
    expect(driver.filetype(driver.root)).toBe(FILETYPE_REGULAR_FILE);
    expect(driver.text(driver.root)).toBe("text");
    expect(driver.append(driver.root, "!")).toBe(1);
    expect(driver.text(driver.root)).toBe("text!");
    const readonly = new Driver(mount(new shim.File(bytes("text"), { readonly: true })));
    expect(readonly.write(readonly.root, 0, "x")).toBe(-ERRNO_PERM);
    expect(readonly.truncate(readonly.root, 0)).toBe(-ERRNO_PERM);
    expect(readonly.text(readonly.root)).toBe("text");
  });

  it("is served to a thread with what there is, and with names, whatever buffer they lie in", () => {
    const file = mount(new shim.File(bytes("hello")));
    const { serve } = serveBackends([file], new Filestat());
    const read = serve(0, false, "read", serve(0, true, "openRoot"), 0, 1 << 20) as Uint8Array;
    expect(read).toEqual(bytes("hello"));
    expect(read.buffer.byteLength).toBe(5);
    /** As Node's `Buffer` is. */
    class Alike extends Uint8Array<ArrayBuffer> {
      override slice(start?: number, end?: number): Uint8Array<ArrayBuffer> {
        return this.subarray(start, end);
      }
    }
    const sent: Uint8Array[] = [];
    const asking = proxyBackend((_begins, _method, ...args) => sent.push(...(args.slice(1) as Uint8Array[])));
    asking.lookup(0, Alike.from(bytes("a name")), 2, 6);
    expect(sent[0]?.buffer.byteLength).toBe(4);
  });

  it("mounts an OpenFile at any position of its own", () => {
    const open = new shim.OpenFile(new shim.File(bytes("0123456789")));
    open.fd_seek(5n, 0);
    const driver = new Driver(mount(open));
    expect(driver.read(driver.root, 2, 3)).toEqual(bytes("234"));
    expect(driver.write(driver.root, 9, "ab")).toBe(2);
    expect(new TextDecoder().decode(open.file.data)).toBe("012345678ab");
  });

  it("mounts a ConsoleStdout as a device that is written to in order", () => {
    const written: string[] = [];
    const lines = shim.ConsoleStdout.lineBuffered((line) => written.push(line));
    const driver = new Driver(mount(lines));
    expect(driver.filetype(driver.root)).toBe(FILETYPE_CHARACTER_DEVICE);
    expect(driver.open(driver.root)).toBe(0);
    expect(driver.write(driver.root, 0, "one\ntw")).toBe(6);
    expect(driver.append(driver.root, "o\n")).toBe(2);
    expect(written).toEqual(["one", "two"]);
    expect(driver.read(driver.root, 0, 1)).toBe(-ERRNO_NOTSUP);
    expect(driver.truncate(driver.root, 0)).toBe(0);
    driver.close(driver.root);
    expect(driver.write(driver.root, 0, "three\n")).toBe(6);
  });

  it("mounts a SyncOPFSFile, which has neither fd_pread nor fd_pwrite", () => {
    let data = bytes("0123456789");
    const handle = {
      close() {},
      flush() {},
      getSize: () => data.length,
      truncate(to: number) {
        const next = new Uint8Array(to);
        next.set(data.subarray(0, to));
        data = next;
      },
      read(into: ArrayBuffer | ArrayBufferView, options?: { at: number }) {
        const from = data.subarray(options?.at ?? 0);
        const target = into as Uint8Array;
        target.set(from.subarray(0, target.length));
        return Math.min(from.length, target.length);
      },
      write(from: ArrayBuffer | ArrayBufferView, options?: { at: number }) {
        const at = options?.at ?? 0;
        const source = from as Uint8Array;
        if (at + source.length > data.length) {
          handle.truncate(at + source.length);
        }
        data.set(source, at);
        return source.length;
      },
    };
    const driver = new Driver(mount(new shim.SyncOPFSFile(handle as never)));
    expect(driver.open(driver.root)).toBe(0);
    expect(driver.read(driver.root, 4, 3)).toEqual(bytes("456"));
    expect(driver.write(driver.root, 8, "xyz")).toBe(3);
    expect(driver.text(driver.root)).toBe("01234567xyz");
    expect(driver.truncate(driver.root, 2)).toBe(0);
    expect(driver.size(driver.root)).toBe(2);
    driver.close(driver.root);
  });

  it("answers EIO where the object throws, and never hands on more than was asked for", () => {
    class Hostile extends shim.Fd {
      override fd_read(size: number) {
        return { ret: 0, data: new Uint8Array(size + 1000).fill(65) };
      }
      override fd_write(): never {
        throw new Error("mine");
      }
      override fd_close(): never {
        throw new Error("mine too");
      }
    }
    const driver = new Driver(mount(new Hostile()));
    expect(driver.read(driver.root, 0, 4)).toEqual(bytes("AAAA"));
    expect(driver.write(driver.root, 0, "x")).toBe(-ERRNO_IO);
    driver.open(driver.root);
    driver.close(driver.root);
    class Broken extends shim.Directory {
      override path_open(): never {
        throw new Error("no");
      }
      override stat(): shim.wasi.Filestat {
        return super.stat();
      }
    }
    const directory = new shim.Directory([["b", new Broken(new Map())]]);
    const tree = new Driver(mount(directory));
    expect(tree.lookup(tree.lookup(tree.root, "b"), "x")).toBe(-ERRNO_NOENT);
  });

  it("refuses a file of more bytes than the engine has", () => {
    const driver = new Driver(mount(new shim.File(bytes("x"))));
    expect(driver.truncate(driver.root, 2 ** 52)).toBe(-ERRNO_FBIG);
    expect(driver.text(driver.root)).toBe("x");
    expect(ERRNO_ACCES).toBe(2);
  });
});
