import { afterEach, describe, expect, test } from "vitest";
import { ExitError, HostFunctionError, Pipe, UnsupportedError } from "wasmex";
import { type Platform, platform, usePlatform } from "../../src/platform.js";
import type { WasiOptions } from "../../src/wasi/options.js";
import { WasiCaller } from "../fuzz/wasi-caller.js";
import { AGAIN, BADF, FAULT, INVAL, NOTSOCK, NOTSUP, SPIPE } from "./errno.js";

const usual = platform();
afterEach(() => usePlatform(usual));

const text = (guest: WasiCaller, at: number, length: number) =>
  new TextDecoder().decode(new Uint8Array(guest.memory.buffer, at, length));

describe("arguments and environment", () => {
  const guest = new WasiCaller({
    programName: "prögram",
    args: ["first", 'the "second" arg', ""],
    env: { a: "text", b: 'escap " ing', c: "new\nline", ü: "=ö=" },
  });

  test("args_sizes_get and args_get count and place UTF-8 bytes, argv[0] first", () => {
    expect(guest.call("args_sizes_get", 0, 4)).toBe(0);
    const [count, size] = [guest.view.getUint32(0, true), guest.view.getUint32(4, true)];
    expect(count).toBe(4);
    expect(guest.call("args_get", 16, 100)).toBe(0);
    expect(text(guest, 100, size)).toBe('prögram\0first\0the "second" arg\0\0');
    expect(Array.from({ length: 4 }, (_, index) => guest.view.getUint32(16 + 4 * index, true))).toEqual([
      100, 109, 115, 132,
    ]);
  });

  test("environ_get gives NAME=value in the order of the options", () => {
    expect(guest.call("environ_sizes_get", 0, 4)).toBe(0);
    expect(guest.view.getUint32(0, true)).toBe(4);
    expect(guest.call("environ_get", 16, 100)).toBe(0);
    expect(text(guest, 100, guest.view.getUint32(4, true))).toBe(
      'a=text\0b=escap " ing\0c=new\nline\0ü==ö=\0',
    );
    expect(new WasiCaller({}).call("environ_get", 65_536, 65_536)).toBe(0);
  });

  test("the host's environment and arguments are never the guest's", () => {
    const bare = new WasiCaller({});
    bare.call("environ_sizes_get", 0, 4);
    expect(bare.view.getUint32(0, true)).toBe(0);
    bare.call("args_sizes_get", 0, 4);
    expect([bare.view.getUint32(0, true), bare.view.getUint32(4, true)]).toEqual([1, 7]);
  });
});

describe("clocks", () => {
  const read = (guest: WasiCaller, id: number) => {
    expect(guest.call("clock_time_get", id, 1n, 8)).toBe(0);
    return guest.view.getBigUint64(8, true);
  };

  test("clock_time_get tells the time in nanoseconds, and the monotonic clock never goes back", () => {
    const guest = new WasiCaller({});
    const before = BigInt(Math.floor(platform().now() - 1)) * 1_000_000n;
    const realtime = read(guest, 0);
    expect(realtime).toBeGreaterThan(before);
    expect(realtime).toBeLessThan(before + 60_000_000_000n);
    for (const id of [1, 2, 3]) {
      let last = read(guest, id);
      for (let times = 0; times < 100; times++) {
        const now = read(guest, id);
        expect(now >= last).toBe(true);
        last = now;
      }
    }
    expect(guest.call("clock_res_get", 0, 8)).toBe(0);
    expect(guest.view.getBigUint64(8, true)).toBeGreaterThan(0n);
    expect([guest.call("clock_time_get", 4, 0n, 8), guest.call("clock_res_get", -1, 8)]).toEqual([
      INVAL,
      INVAL,
    ]);
    expect([guest.call("clock_time_get", 0, 0n, -4), guest.call("clock_res_get", 0, 65_529)]).toEqual([
      FAULT,
      FAULT,
    ]);
  });

  test("wasi.clock is the guest's only clock, in milliseconds or in nanoseconds", () => {
    const times = { realtime: 1_700_000_000_123.4568, monotonic: 2n ** 60n + 7n };
    const guest = new WasiCaller({ clock: (clock) => times[clock] });
    expect(read(guest, 0) / 1000n).toBe(1_700_000_000_123_456n);
    expect(read(guest, 1)).toBe(2n ** 60n + 7n);
    const exact = new WasiCaller({ clock: () => 1_699_999_999_999 });
    expect(read(exact, 0)).toBe(1_699_999_999_999_000_000n);
  });

  test("a clock that throws is a HostFunctionError out of the call, from poll_oneoff and its like too", () => {
    const cause = new Error("stopped");
    const guest = new WasiCaller({
      clock: () => {
        throw cause;
      },
    });
    guest.view.setUint16(40, 1, true);
    for (const [name, ...params] of [
      ["clock_time_get", 0, 0n, 8],
      ["poll_oneoff", 0, 4096, 1, 64],
    ] as const) {
      let thrown: unknown;
      try {
        guest.call(name, ...params);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(HostFunctionError);
      expect(thrown).toMatchObject({ message: "wasi.clock failed: stopped", cause });
    }
  });
});

describe("random", () => {
  test("random_get fills any length and keeps to it", () => {
    const guest = new WasiCaller({});
    guest.memory.grow(3);
    for (const length of [0, 1, 31, 32, 33, 4096, 16_385, 200_000]) {
      const bytes = new Uint8Array(guest.memory.buffer);
      bytes.fill(0);
      expect(guest.call("random_get", 100, length)).toBe(0);
      expect(bytes.subarray(0, 100).every((byte) => byte === 0)).toBe(true);
      expect(bytes.subarray(100 + length).every((byte) => byte === 0)).toBe(true);
      const zeros = bytes.subarray(100, 100 + length).filter((byte) => byte === 0).length;
      expect(zeros).toBeLessThan(length / 100 + 4);
    }
    expect(guest.call("random_get", -1, 2)).toBe(FAULT);
  });

  test.runIf(typeof SharedArrayBuffer !== "undefined")("random_get fills memory that is shared", () => {
    const guest = new WasiCaller({});
    const memory = new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true });
    guest.wasi.bind(memory);
    expect(guest.call("random_get", 0, 200_000)).toBe(0);
    expect(new Uint8Array(memory.buffer, 100_000, 1000).some((byte) => byte !== 0)).toBe(true);
  });

  test("wasi.random is the guest's only source, in chunks that crypto.getRandomValues would take", () => {
    const lengths: number[] = [];
    const guest = new WasiCaller({
      random(bytes) {
        lengths.push(bytes.length);
        bytes.fill(42);
      },
    });
    guest.memory.grow(3);
    expect(guest.call("random_get", 8, 150_000)).toBe(0);
    expect(new Uint8Array(guest.memory.buffer, 8, 150_000).every((byte) => byte === 42)).toBe(true);
    expect(lengths).toEqual([65_536, 65_536, 18_928]);
  });
});

describe("process and sockets", () => {
  const guest = new WasiCaller({});

  test("proc_exit unwinds the guest with its code as an unsigned number", () => {
    for (const [given, code] of [
      [0, 0],
      [33, 33],
      [-1, 4_294_967_295],
    ] as const) {
      let thrown: unknown;
      try {
        guest.call("proc_exit", given);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(ExitError);
      expect((thrown as ExitError).code).toBe(code);
      expect(String(thrown)).toBe(`ExitError: the program exited with code ${code}`);
    }
  });

  test("proc_raise has no signals to send, sched_yield always works", () => {
    expect([guest.call("proc_raise", 0), guest.call("proc_raise", 6), guest.call("proc_raise", 31)]).toEqual([
      0,
      NOTSUP,
      INVAL,
    ]);
    expect(guest.call("sched_yield")).toBe(0);
  });

  test("sock_ functions answer ENOTSOCK for what is open and EBADF for what isn't", () => {
    for (const name of ["sock_shutdown", "sock_recv", "sock_send", "sock_accept"]) {
      expect([guest.call(name, 1, 0, 0, 0, 0, 0), guest.call(name, 3, 0, 0, 0, 0, 0)]).toEqual([
        NOTSOCK,
        BADF,
      ]);
    }
  });
});

describe("stdin, stdout and stderr", () => {
  const vectors = (guest: WasiCaller, ...buffers: (readonly [number, number])[]) => {
    for (const [index, [start, length]] of buffers.entries()) {
      guest.view.setUint32(1024 + 8 * index, start, true);
      guest.view.setUint32(1028 + 8 * index, length, true);
    }
  };

  test("a function gets a copy of what one fd_write wrote, in one piece", () => {
    const chunks: Uint8Array[] = [];
    const guest = new WasiCaller({ stdout: (chunk) => chunks.push(chunk) });
    new Uint8Array(guest.memory.buffer).set(new TextEncoder().encode("Hello, world"), 0);
    vectors(guest, [0, 5], [200, 0], [5, 7]);
    expect(guest.call("fd_write", 1, 1024, 3, 64)).toBe(0);
    expect(guest.view.getUint32(64, true)).toBe(12);
    new Uint8Array(guest.memory.buffer).fill(0, 0, 12);
    expect(chunks.map((chunk) => new TextDecoder().decode(chunk))).toEqual(["Hello, world"]);
  });

  test("a function that throws is a HostFunctionError out of the call", () => {
    const cause = new Error("full");
    const guest = new WasiCaller({
      stderr: () => {
        throw cause;
      },
    });
    let thrown: unknown;
    try {
      guest.write(2, "x");
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(HostFunctionError);
    expect(thrown).toMatchObject({ message: "wasi.stderr failed: full", cause });
    expect(guest.write(1, "x").value).toBe(1);
  });

  test("a function may grow the guest's memory while it is called", () => {
    const guest: WasiCaller = new WasiCaller({ stdout: () => void guest.memory.grow(1) });
    expect(guest.write(1, "grow")).toEqual({ errno: 0, value: 4 });
    expect(guest.write(1, "again")).toEqual({ errno: 0, value: 5 });
  });

  test("a Pipe is read to its end, and several buffers are filled in turn", () => {
    const stdin = new Pipe();
    stdin.write("onetwothree");
    const guest = new WasiCaller({ stdin });
    vectors(guest, [0, 3], [10, 3], [20, 30]);
    expect(guest.call("fd_read", 0, 1024, 3, 64)).toBe(0);
    expect([
      guest.view.getUint32(64, true),
      text(guest, 0, 3),
      text(guest, 10, 3),
      text(guest, 20, 5),
    ]).toEqual([11, "one", "two", "three"]);
    expect(guest.read(0, 10)).toEqual({ errno: 0, value: "" });
  });

  test('"null" is empty and takes everything', () => {
    const guest = new WasiCaller({ stdin: "null", stdout: "null" });
    expect(guest.read(0, 10).value).toBe("");
    expect(guest.write(1, "gone").value).toBe(4);
    expect(guest.seek(1, 0n, 1).errno).toBe(0);
  });

  test('"inherit" is the platform\'s', () => {
    const written: string[] = [];
    const stdio: Platform["stdio"] = {
      ...usual.stdio,
      write(fd, bytes, start, length) {
        written.push(`${fd}:${new TextDecoder().decode(bytes.slice(start, start + length))}`);
        return length;
      },
      read(target, start) {
        target[start] = 33;
        return 1;
      },
    };
    usePlatform({ ...usual, stdio });
    const guest = new WasiCaller({ stdin: "inherit", stdout: "inherit", stderr: "inherit" });
    guest.write(1, "out");
    guest.write(2, "err");
    expect(written).toEqual(["1:out", "2:err"]);
    expect(guest.read(0, 10).value).toBe("!");
  });

  test("a blocking Pipe that nobody can fill meanwhile is an UnsupportedError that says what to do", () => {
    const guest = new WasiCaller({ stdin: new Pipe({ blocking: true }) });
    expect(() => guest.read(0, 1)).toThrow(UnsupportedError);
    const { reason } = platform().threadSupport();
    expect(() => guest.read(0, 1)).toThrow(reason || /thread: "worker"/);
    expect(guest.call("fd_fdstat_set_flags", 0, 4)).toBe(0);
    expect(guest.read(0, 1).errno).toBe(AGAIN);
  });

  test("a pipe can't be told where it is", () => {
    expect(new WasiCaller({ stdin: new Pipe() }).seek(0, 0n, 1).errno).toBe(SPIPE);
  });
});

describe("poll_oneoff", () => {
  interface Wanted {
    readonly userdata: bigint;
    readonly type: number;
    readonly fd?: number;
    readonly clock?: number;
    readonly timeout?: bigint;
    readonly flags?: number;
  }
  const IN = 0;
  const OUT = 4096;

  function poll(guest: WasiCaller, ...wanted: readonly Wanted[]): { errno: number; events: unknown[] } {
    const { view } = guest;
    for (const [index, { userdata, type, fd = 0, clock = 1, timeout = 0n, flags = 0 }] of wanted.entries()) {
      const at = IN + 48 * index;
      view.setBigUint64(at, userdata, true);
      view.setUint8(at + 8, type);
      view.setUint32(at + 16, type === 0 ? clock : fd, true);
      view.setBigUint64(at + 24, timeout, true);
      view.setUint16(at + 40, flags, true);
    }
    const errno = guest.call("poll_oneoff", IN, OUT, wanted.length, 64 * 1000);
    const events = Array.from({ length: errno === 0 ? view.getUint32(64_000, true) : 0 }, (_, index) => {
      const at = OUT + 32 * index;
      return {
        userdata: view.getBigUint64(at, true),
        error: view.getUint16(at + 8, true),
        type: view.getUint8(at + 10),
        bytes: view.getBigUint64(at + 16, true),
        flags: view.getUint16(at + 24, true),
      };
    });
    return { errno, events };
  }

  const newGuest = (options: WasiOptions = {}) => new WasiCaller(options);

  test("what can be written is ready before a clock fires", () => {
    const { errno, events } = poll(
      newGuest(),
      { userdata: 1n, type: 2, fd: 1 },
      { userdata: 2n, type: 2, fd: 2 },
      { userdata: 3n, type: 0, timeout: 200_000_000n },
    );
    expect(errno).toBe(0);
    expect(events).toMatchObject([
      { userdata: 1n, error: 0, type: 2 },
      { userdata: 2n, error: 0, type: 2 },
    ]);
  });

  test("a pipe with bytes tells how many, one at its end that it hung up", () => {
    const stdin = new Pipe();
    const guest = newGuest({ stdin });
    expect(poll(guest, { userdata: 5n, type: 1, fd: 0 }).events).toMatchObject([
      { userdata: 5n, type: 1, bytes: 0n, flags: 1 },
    ]);
    stdin.write("seven..");
    expect(poll(guest, { userdata: 5n, type: 1, fd: 0 }).events).toMatchObject([{ bytes: 7n, flags: 0 }]);
  });

  test("an empty blocking pipe lets the clock fire", () => {
    const { errno, events } = poll(
      newGuest({ stdin: new Pipe({ blocking: true }) }),
      { userdata: 1n, type: 1, fd: 0 },
      { userdata: 2n, type: 0, timeout: 2_000_000n },
    );
    expect(errno).toBe(0);
    expect(events).toMatchObject([{ userdata: 2n, error: 0, type: 0 }]);
  });

  test("a clock that is due fires at once, whether by duration or by time", () => {
    const guest = newGuest({ clock: () => 1000 });
    expect(poll(guest, { userdata: 1n, type: 0, timeout: 0n }).events).toHaveLength(1);
    expect(
      poll(guest, { userdata: 1n, type: 0, clock: 0, timeout: 999_000_000n, flags: 1 }).events,
    ).toHaveLength(1);
  });

  test("a wrong descriptor or clock is an event's error, a wrong type the call's", () => {
    expect(
      poll(newGuest(), { userdata: 1n, type: 1, fd: 77 }, { userdata: 2n, type: 0, clock: 9 }).events,
    ).toMatchObject([
      { userdata: 1n, error: BADF, type: 1 },
      { userdata: 2n, error: INVAL, type: 0 },
    ]);
    expect(poll(newGuest(), { userdata: 1n, type: 3 }).errno).toBe(INVAL);
    expect(poll(newGuest()).errno).toBe(INVAL);
    expect(newGuest().call("poll_oneoff", 0, 65_535, 1, 0)).toBe(FAULT);
    expect(newGuest().call("poll_oneoff", 0, 0, -1, 0)).toBe(INVAL);
  });

  test("a thread that can't sleep spins for little and refuses more, with what to do", () => {
    usePlatform({ ...usual, mayBlock: () => false });
    const guest = newGuest();
    expect(poll(guest, { userdata: 1n, type: 0, timeout: 1_000_000n }).events).toHaveLength(1);
    const long = () => poll(guest, { userdata: 1n, type: 0, timeout: 10_000_000_000n });
    expect(long).toThrow(UnsupportedError);
    expect(long).toThrow(/thread: "worker"/);
  });

  test("wasi_unstable has its own layout of a subscription", () => {
    const guest = newGuest();
    const unstable = guest.wasi.getImportObject().wasi_unstable as Record<
      string,
      (...all: number[]) => number
    >;
    guest.view.setBigUint64(0, 9n, true);
    guest.view.setUint32(24, 1, true);
    expect(unstable.poll_oneoff?.(0, OUT, 1, 64)).toBe(0);
    expect([guest.view.getBigUint64(OUT, true), guest.view.getUint16(OUT + 8, true)]).toEqual([9n, 0]);
  });
});
