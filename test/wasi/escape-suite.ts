import { expect, test } from "vitest";
import type { VirtualFileSystem } from "../../src/vfs/virtual-file-system.js";
import { type Answer, type PathLike, WasiCaller } from "../fuzz/wasi-caller.js";
import {
  OFLAGS_CREAT,
  OFLAGS_DIRECTORY,
  OFLAGS_EXCL,
  OFLAGS_TRUNC,
  READING_RIGHTS,
} from "../fuzz/wasi-constants.js";

/** A tree with something to steal: `jail` is the guest's, `outside` beside it is not. */
export interface Prison {
  readonly fs: VirtualFileSystem;
  /** The path of the tree in `fs`. */
  readonly base: string;
  /** False where names differ in case alone and mean the same. */
  readonly caseSensitive?: boolean;
}

const SECRET = "never to be read";
const BADF = 8;
const ILSEQ = 25;
const INVAL = 28;
const NAMETOOLONG = 37;
const NOENT = 44;
const NOTDIR = 54;
const PERM = 63;
const NOTCAPABLE = 76;
const ACCES = 2;
/** What the contract has for a way out. */
const REFUSED = [PERM, NOTCAPABLE];

const all = ["read", "write", "create"] as const;

/** Ways to say the secret file, or what holds it, that a host might take at their word. */
const waysOut = [
  "../outside/secret",
  "/outside/secret",
  "//outside/secret",
  "./../outside/secret",
  "..//outside/./secret",
  "../jail/../outside/secret",
  "../../outside/secret",
  "sub/../../outside/secret",
  "sub/deep/../../../outside/secret",
  "sub/deep/../../sub/../../outside/secret",
  "up/secret",
  "up/./secret",
  "sub/up/secret",
  "sub/up/../outside/secret",
  "chain/secret",
  "sub/../chain/secret",
  "absolute/secret",
  "parent/outside/secret",
  "parent/jail/../outside/secret",
  "sub/parent/../outside/secret",
  "self/../outside/secret",
  "inner/../../outside/secret",
  "../../../../../../../../../../etc/passwd",
];
/** Links that lead to the secret itself, followed in the last place. */
const linksOut = ["secret-link", "secret-absolute", "sub/secret-chain"];

export function plant(fs: VirtualFileSystem, base: string): void {
  fs.mkdir(`${base}/outside/directory`, { recursive: true });
  fs.writeFile(`${base}/outside/secret`, SECRET);
  fs.mkdir(`${base}/jail/sub/deep`, { recursive: true });
  fs.writeFile(`${base}/jail/plain`, "plain");
  fs.writeFile(`${base}/jail/sub/deep/plain`, "plain");
  const links = {
    up: "../outside",
    "sub/up": "../../outside",
    chain: "sub/chain",
    "sub/chain": "../up",
    absolute: "/outside",
    parent: "..",
    "sub/parent": "../..",
    self: ".",
    inner: "sub/deep/..",
    loop: "loop",
    "loop-a": "loop-b",
    "loop-b": "sub/../loop-a",
    "secret-link": "../outside/secret",
    "secret-absolute": "/outside/secret",
    "sub/secret-chain": "../secret-link",
    "new-outside": "../outside/new",
  };
  for (const [name, target] of Object.entries(links)) {
    fs.symlink(target, `${base}/jail/${name}`);
  }
}

/** Everything outside, to be found as it was. */
function outside(fs: VirtualFileSystem, base: string): unknown {
  const stat = fs.stat(`${base}/outside/secret`);
  return {
    names: fs.readdir(`${base}/outside`).sort(),
    directory: fs.readdir(`${base}/outside/directory`),
    above: fs.readdir(base === "" ? "/" : base).sort(),
    content: fs.readFile(`${base}/outside/secret`, "utf8"),
    links: stat.links,
    modified: stat.modified,
  };
}

/** Attempts of a guest to leave its preopen, each answered with an errno; `count` is told how many there were. */
export function escapeSuite(
  name: string,
  make: () => Prison,
  count: (attempts: number) => void = () => {},
): void {
  const guarded = (title: string, attack: (guest: WasiCaller, attempt: Attempt, prison: Prison) => void) =>
    test(`${name}: ${title}`, () => {
      const prison = make();
      const { fs, base } = prison;
      const before = outside(fs, base);
      const guest = new WasiCaller({ fs, preopen: { [`${base}/jail`]: { flags: all, alias: "/" } } });
      let attempts = 0;
      attack(
        guest,
        (what, answer, errnos = REFUSED) => {
          attempts++;
          expect(errnos, what).toContain(answer.errno);
          expect(JSON.stringify(answer.value) ?? "", what).not.toContain(SECRET);
          return answer.errno;
        },
        prison,
      );
      guest.wasi.close();
      expect(attempts).toBeGreaterThan(0);
      expect(outside(fs, base)).toEqual(before);
      count(attempts);
    });

  guarded("no path leads out, whatever is done with it", (guest, attempt) => {
    for (const path of waysOut) {
      for (const [what, call] of followingCalls(guest)) {
        attempt(`${what} ${path}`, call(path));
      }
      for (const [what, call] of namingCalls(guest)) {
        attempt(`${what} ${path}`, call(path));
      }
    }
    for (const path of linksOut) {
      for (const [what, call] of followingCalls(guest)) {
        attempt(`${what} ${path}`, call(path));
      }
    }
    attempt("open new-outside", guest.open(3, "new-outside", { oflags: OFLAGS_CREAT }));
    attempt(
      "open up as a directory",
      guest.open(3, "up", { oflags: OFLAGS_DIRECTORY, rights: READING_RIGHTS }),
    );
    attempt("open parent as a directory", guest.open(3, "parent", { rights: READING_RIGHTS }));
    attempt("open ..", guest.open(3, "..", { rights: READING_RIGHTS }));
    attempt("open ../", guest.open(3, "../", { rights: READING_RIGHTS }));
    attempt("open ../jail", guest.open(3, "../jail", { rights: READING_RIGHTS }));
    attempt("open /", guest.open(3, "/", { rights: READING_RIGHTS }));
  });

  guarded("links that the guest makes lead nowhere out", (guest, attempt) => {
    const targets = [
      "..",
      "../outside",
      "../outside/secret",
      "../../outside",
      "sub/../../outside/secret",
      "up/secret",
    ];
    for (const [index, target] of targets.entries()) {
      const link = `mine-${index}`;
      expect(guest.symlink(target, 3, link).errno).toBe(0);
      for (const path of [link, `${link}/`, `${link}/secret`, `sub/../${link}/secret`, `self/${link}/.`]) {
        attempt(`open ${path}`, guest.open(3, path, { rights: READING_RIGHTS }), [...REFUSED, NOTDIR]);
        attempt(`stat ${path}`, guest.pathStat(3, path), [...REFUSED, NOTDIR]);
        attempt(`write ${path}`, guest.open(3, path, { oflags: OFLAGS_CREAT | OFLAGS_TRUNC }), [
          ...REFUSED,
          NOTDIR,
          31,
        ]);
      }
    }
    for (const target of ["/", "/outside/secret", "//outside"]) {
      attempt(`a link to ${target}`, guest.symlink(target, 3, "absolute-2"));
    }
    // A chain of 40 is followed, a longer one is not, and a loop ends.
    expect(guest.symlink("../outside/secret", 3, "long-0").errno).toBe(0);
    for (let index = 1; index < 60; index++) {
      expect(guest.symlink(`long-${index - 1}`, 3, `long-${index}`).errno).toBe(0);
      attempt(`long-${index}`, guest.open(3, `long-${index}`, { rights: READING_RIGHTS }), [...REFUSED, 32]);
    }
    for (const loop of ["loop", "loop-a", "loop/x", "sub/../loop-b"]) {
      attempt(`open ${loop}`, guest.open(3, loop), [32]);
      attempt(`stat ${loop}`, guest.pathStat(3, loop), [32]);
    }
  });

  guarded("a directory that moves takes nobody out", (guest, attempt) => {
    const deep = guest.open(3, "sub/deep", { rights: READING_RIGHTS }).value as number;
    for (const path of ["..", "../plain", "../../plain", "../../../outside/secret", "../deep"]) {
      attempt(`${path} from a directory below`, guest.open(deep, path, { rights: READING_RIGHTS }));
    }
    expect(guest.rename(3, "sub/deep", 3, "moved").errno).toBe(0);
    for (const path of ["..", "../plain", "../outside/secret", "../../outside/secret"]) {
      attempt(`${path} after it moved`, guest.open(deep, path, { rights: READING_RIGHTS }));
      attempt(`${path} after it moved`, guest.rename(deep, "plain", deep, path));
    }
    attempt("moved to outside", guest.rename(3, "moved", 3, "../outside/moved"));
    attempt("moved over outside", guest.rename(3, "moved", 3, "../outside"));
    attempt("moved over the jail", guest.rename(3, "moved", 3, "../jail"), [...REFUSED, 10]);
    attempt("outside moved in", guest.rename(3, "../outside", 3, "stolen"));
    attempt("itself moved", guest.rename(3, ".", 3, "stolen"), [10, INVAL]);
    attempt("by a link", guest.rename(3, "up/secret", 3, "stolen"));
    attempt("by a link", guest.rename(3, "plain", 3, "up/planted"));
    // The links themselves may be moved, and then lead out from elsewhere as little.
    expect(guest.rename(3, "up", deep, "up").errno).toBe(0);
    attempt("a link moved deeper", guest.open(deep, "up/secret"), [...REFUSED, NOENT]);
    attempt("a link moved deeper", guest.open(3, "moved/up/outside/secret"), [...REFUSED, NOENT]);
  });

  guarded("hard links bring nothing in", (guest, attempt) => {
    for (const path of [...waysOut, ...linksOut]) {
      attempt(`link from ${path}`, guest.link(3, true, path, 3, "stolen"));
      attempt(
        `link to ${path}`,
        guest.link(3, false, "plain", 3, path),
        linksOut.includes(path) ? [20] : REFUSED,
      );
    }
    attempt("a link to a directory", guest.link(3, false, "sub", 3, "sub-2"), [PERM]);
    attempt("a link to ..", guest.link(3, false, "..", 3, "up-2"));
    // The link itself gets a second name, which still leads nowhere.
    if (guest.link(3, false, "secret-link", 3, "sub/second").errno === 0) {
      attempt("by the second name", guest.open(3, "sub/second"), [...REFUSED, NOENT]);
    }
  });

  guarded("fd_renumber and closed descriptors give no more than there was", (guest, attempt) => {
    const sub = guest.open(3, "sub", { rights: 1n << 13n, inheriting: 1n << 1n }).value as number;
    const file = guest.open(3, "plain").value as number;
    attempt("on what isn't open", guest.renumber(3, 77), [BADF]);
    attempt("from what isn't open", guest.renumber(77, 3), [BADF]);
    attempt("from -1", guest.renumber(-1, 3), [BADF]);
    attempt("to 2^31", guest.renumber(3, 2 ** 31), [BADF]);
    expect(guest.renumber(sub, 3).errno).toBe(0);
    attempt("rights stay those of the one moved", guest.mkdir(3, "made"), [NOTCAPABLE]);
    attempt("rights stay those of the one moved", guest.open(3, "made", { oflags: OFLAGS_CREAT }), [
      NOTCAPABLE,
    ]);
    attempt("and its directory", guest.open(3, "../plain", { rights: 2n, inheriting: 0n }));
    attempt("and its directory", guest.open(3, "up/secret", { rights: 2n, inheriting: 0n }));
    attempt("the old number", guest.open(sub, "deep"), [BADF]);
    expect(guest.renumber(file, 3).errno).toBe(0);
    attempt("a file is no directory", guest.open(3, "plain"), [NOTDIR]);
    attempt("nor a preopen", { errno: guest.call("fd_prestat_get", 3, 64) }, [BADF, NOTDIR, INVAL]);
    expect(guest.close(3).errno).toBe(0);
    attempt("closed", guest.open(3, "plain"), [BADF]);
    attempt("closed", guest.pathStat(3, "../outside/secret"), [BADF]);
  });

  guarded("strange names are names or are refused", (guest, attempt, { caseSensitive = true }) => {
    const bytes = (...values: number[]) => Uint8Array.from(values);
    const out = [...new TextEncoder().encode("/outside/secret")];
    const strange: [PathLike, readonly number[]][] = [
      ["..\\outside\\secret", [NOENT, INVAL]],
      ["%2e%2e/outside/secret", [NOENT]],
      ["．．/outside/secret", [NOENT]],
      ["․․/outside/secret", [NOENT]],
      [".. /outside/secret", [NOENT, INVAL]],
      [".../outside/secret", [NOENT, INVAL]],
      ["..\0/outside/secret", [INVAL]],
      ["plain\0.txt", [INVAL]],
      ["\0", [INVAL]],
      ["", [NOENT]],
      [`${"x".repeat(256)}`, [NAMETOOLONG]],
      [`sub/${"é".repeat(128)}`, [NAMETOOLONG]],
      [`${"./".repeat(3000)}../outside/secret`, [NAMETOOLONG]],
      [`${"sub/../".repeat(700)}../outside/secret`, [NAMETOOLONG]],
      // Overlong forms of "..", "/" and NUL, a lone surrogate, and what is no UTF-8 at all.
      [bytes(0xc0, 0xae, 0xc0, 0xae, ...out), [ILSEQ]],
      [bytes(0x2e, 0x2e, 0xc0, 0xaf, 0x6f), [ILSEQ]],
      [bytes(0xe0, 0x80, 0xae, 0x2e, ...out), [ILSEQ]],
      [bytes(0x61, 0xc0, 0x80), [ILSEQ]],
      [bytes(0xed, 0xa0, 0x80), [ILSEQ]],
      [bytes(0xff, 0xfe), [ILSEQ]],
      [bytes(0xf5, 0x80, 0x80, 0x80), [ILSEQ]],
    ];
    for (const [path, errnos] of strange) {
      attempt(`open ${path}`, guest.open(3, path, { rights: READING_RIGHTS }), errnos);
      attempt(`stat ${path}`, guest.pathStat(3, path), errnos);
      attempt(`unlink ${path}`, guest.unlink(3, path), errnos);
      attempt(`rename ${path}`, guest.rename(3, path, 3, "stolen"), errnos);
    }
    if (caseSensitive) {
      for (const path of ["PLAIN", "Plain", "SUB/deep", "SUB/../plain", "pla\u0131n", "ﬁle"]) {
        attempt(`open ${path}`, guest.open(3, path, { rights: READING_RIGHTS }), [NOENT]);
      }
    }
    attempt("by case", guest.open(3, "../OUTSIDE/SECRET"), [...REFUSED, NOENT]);
    for (const path of ["plain/", "plain/.", "plain/..", "plain/x", "plain//"]) {
      attempt(`open ${path}`, guest.open(3, path, { rights: READING_RIGHTS }), [NOTDIR]);
      attempt(`stat ${path}`, guest.pathStat(3, path), [NOTDIR]);
    }
  });

  guarded("names that objects of JavaScript have are names like any other", (guest, attempt) => {
    for (const path of [
      "__proto__",
      "constructor",
      "toString",
      "hasOwnProperty",
      "__defineGetter__",
      "prototype",
    ]) {
      attempt(`open ${path}`, guest.open(3, path), [NOENT]);
      attempt(`open ${path}/x`, guest.open(3, `${path}/x`), [NOENT]);
      attempt(`open sub/${path}`, guest.open(3, `sub/${path}`), [NOENT]);
      expect(guest.mkdir(3, path).errno).toBe(0);
      expect(guest.symlink(`../${path}`, 3, `sub/${path}`).errno).toBe(0);
      const made = guest.open(3, `sub/${path}/${path}`, { oflags: OFLAGS_CREAT | OFLAGS_EXCL });
      expect(made.errno).toBe(0);
      attempt(`out of ${path}`, guest.open(3, `${path}/../../outside/secret`));
      expect(guest.close(made.value as number).errno).toBe(0);
      expect(guest.unlink(3, `${path}/${path}`).errno).toBe(0);
      expect(guest.rmdir(3, path).errno).toBe(0);
      attempt(`gone ${path}`, guest.open(3, path), [NOENT]);
    }
  });

  test(`${name}: a second preopen lends its rights to none of the first's files`, () => {
    const { fs, base } = make();
    const before = outside(fs, base);
    fs.mkdir(`${base}/jail/upload`);
    const preopen = {
      [`${base}/outside`]: { flags: ["read"] as const, alias: "/readonly" },
      [`${base}/jail/upload`]: { flags: ["create"] as const, alias: "/upload" },
      [`${base}/jail`]: { flags: all, alias: "/all" },
    };
    const guest = new WasiCaller({ fs, preopen });
    const [readonly, upload, full] = [3, 4, 5];
    let attempts = 0;
    const refused = (answer: Answer<unknown>) => {
      attempts++;
      expect([ACCES, ...REFUSED]).toContain(answer.errno);
    };
    expect(guest.open(readonly, "secret", { rights: READING_RIGHTS }).errno).toBe(0);
    refused(guest.open(readonly, "secret"));
    refused(guest.open(readonly, "secret", { oflags: OFLAGS_TRUNC, rights: READING_RIGHTS }));
    refused(guest.link(readonly, false, "secret", full, "stolen"));
    refused(guest.link(readonly, false, "secret", upload, "stolen"));
    refused(guest.rename(readonly, "secret", full, "stolen"));
    refused(guest.rename(full, "plain", readonly, "secret"));
    refused(guest.rename(full, "plain", readonly, "planted"));
    refused(guest.unlink(readonly, "secret"));
    refused(guest.rmdir(readonly, "directory"));
    refused(guest.mkdir(readonly, "planted"));
    refused(guest.symlink("secret", readonly, "planted"));
    refused(guest.pathSetTimes(readonly, "secret", true, 1n, 1n, 5));
    // The directory below is the same by either name; each name has its own rights.
    expect(guest.open(full, "upload/x", { oflags: OFLAGS_CREAT }).errno).toBe(0);
    refused(guest.open(upload, "x", { rights: READING_RIGHTS }));
    refused(guest.unlink(upload, "x"));
    refused(guest.rename(upload, "x", full, "x"));
    refused(guest.link(upload, false, "x", full, "x"));
    refused(guest.open(upload, "../plain"));
    refused(guest.open(upload, ".", { rights: READING_RIGHTS }));
    guest.wasi.close();
    expect(outside(fs, base)).toEqual(before);
    count(attempts);
  });
}

type Attempt = (what: string, answer: Answer<unknown>, errnos?: readonly number[]) => number;

/** Calls that follow a link in the last place. */
function followingCalls(guest: WasiCaller): [string, (path: string) => Answer<unknown>][] {
  return [
    ["read", (path) => guest.open(3, path, { rights: READING_RIGHTS })],
    ["write", (path) => guest.open(3, path)],
    ["create", (path) => guest.open(3, path, { oflags: OFLAGS_CREAT })],
    ["truncate", (path) => guest.open(3, path, { oflags: OFLAGS_TRUNC })],
    ["stat", (path) => guest.pathStat(3, path)],
    ["set the times of", (path) => guest.pathSetTimes(3, path, true, 1n, 1n, 5)],
    ["link from", (path) => guest.link(3, true, path, 3, "stolen")],
  ];
}

/** Calls that are about a name, and follow no link in the last place. */
function namingCalls(guest: WasiCaller): [string, (path: string) => Answer<unknown>][] {
  return [
    ["mkdir", (path) => guest.mkdir(3, path)],
    ["rmdir", (path) => guest.rmdir(3, path)],
    ["unlink", (path) => guest.unlink(3, path)],
    ["readlink", (path) => guest.readlink(3, path)],
    ["symlink at", (path) => guest.symlink("plain", 3, path)],
    ["rename from", (path) => guest.rename(3, path, 3, "stolen")],
    ["rename to", (path) => guest.rename(3, "plain", 3, path)],
    ["link to", (path) => guest.link(3, false, "plain", 3, path)],
    ["create anew", (path) => guest.open(3, path, { oflags: OFLAGS_CREAT | OFLAGS_EXCL })],
    ["open without following", (path) => guest.open(3, path, { follow: false })],
    ["stat without following", (path) => guest.pathStat(3, path, false)],
  ];
}
