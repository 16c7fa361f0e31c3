import { mkdtempSync, realpathSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { DirectoryBackend } from "../../platform/node/directory-backend.js";
import { HandleGround } from "../../platform/node/directory-ground.js";
import { VirtualFileSystem } from "../../src/vfs/virtual-file-system.js";
import {
  ANY_FAULT,
  type Operation,
  type Outcome,
  operations,
  type Subject,
  WasiSubject,
} from "./file-operations.js";
import { type RightsCase, rightsCases, rightsHold } from "./file-rights.js";
import { RealSubject } from "./real-file-system.js";
import { WasiCaller } from "./wasi-caller.js";

export interface FuzzOptions {
  /** Any 32-bit number; the same one gives the same cases. */
  readonly seed: number;
  readonly milliseconds: number;
}

const preopen = { "/": { flags: ["read", "write", "create"] as const } };
const memory = statSync("/dev/shm", { throwIfNoEntry: false })?.isDirectory() === true;
const base = memory ? "/dev/shm" : tmpdir();

function newDirectory(): { path: string; remove: () => void } {
  const path = realpathSync(mkdtempSync(join(base, "wasmex-fuzz-")));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

function hostSubject(handles: boolean): Subject {
  const { path, remove } = newDirectory();
  const fs = new VirtualFileSystem({}, { root: new DirectoryBackend(path, handles) });
  return new WasiSubject(
    handles ? "a host directory" : "a host directory by paths",
    new WasiCaller({ fs, preopen }),
    remove,
  );
}

function subjects(): Subject[] {
  const real = newDirectory();
  const made: Subject[] = [
    new RealSubject(real.path, real.remove),
    new WasiSubject("memory", new WasiCaller({ fs: new VirtualFileSystem(), preopen })),
    hostSubject(false),
  ];
  if (HandleGround.works()) {
    made.push(hostSubject(true));
  }
  return made;
}

function show(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? `${item}n` : item));
}

function compare(what: string, told: readonly (readonly [Subject, unknown])[]): void {
  const fault = told.some(([, outcome]) => outcome === ANY_FAULT);
  if (fault && told.some(([, outcome]) => (outcome as Outcome)?.errno === 0)) {
    throw new Error(`${what}\n  a fault to the real file system and none to others`);
  }
  const opinions = told.filter(([, outcome]) => outcome !== undefined && outcome !== ANY_FAULT);
  const [first, ...rest] = opinions;
  for (const [subject, outcome] of rest) {
    if (first !== undefined && show(outcome) !== show(first[1])) {
      throw new Error(`${what}\n  ${first[0].name}: ${show(first[1])}\n  ${subject.name}: ${show(outcome)}`);
    }
  }
}

/** The value of an open is a descriptor, which the real file system numbers its own way. */
function shown(operation: Operation, outcome: Outcome): Outcome {
  return operation.call === "open" && outcome !== undefined && outcome !== ANY_FAULT
    ? { errno: outcome.errno }
    : outcome;
}

/** Does the same on every file system; throws where one of them answers otherwise, or holds another tree at the end. */
export function agree(run: readonly Operation[]): void {
  const made = subjects();
  try {
    for (const [index, operation] of run.entries()) {
      compare(
        `#${index} ${show(operation)}`,
        made.map((subject) => [subject, shown(operation, subject.run(operation))] as const),
      );
    }
    compare(
      "the tree at the end",
      made.map(
        (subject) => [subject, Object.entries(subject.tree()).sort(([a], [b]) => (a < b ? -1 : 1))] as const,
      ),
    );
  } finally {
    for (const subject of made) {
      subject.dispose();
    }
  }
}

/** Memory and host directories for a case of rights, and how to remove them. */
function rightsSubjects(): { made: { name: string; fs: VirtualFileSystem }[]; remove: () => void } {
  const { path, remove } = newDirectory();
  const root = new DirectoryBackend(path, HandleGround.works());
  const host = { name: "a host directory", fs: new VirtualFileSystem({}, { root }) };
  return { made: [{ name: "memory", fs: new VirtualFileSystem() }, host], remove };
}

/** Whether the rights of a preopen hold in that case, in memory and on the host alike. */
export function agreeOnRights(one: RightsCase): void {
  const { made, remove } = rightsSubjects();
  try {
    rightsHold(one, () => made);
  } finally {
    remove();
  }
}

/**
 * Random sequences of file operations of a guest: memory, a host directory (by handles and by paths) and the kernel itself agree in
 * every answer, every errno and the final tree; and with fewer rights, none of those that weren't given is had.
 *
 * @throws Error with the seed and the smallest sequence on the first difference
 */
export async function fuzz({ seed, milliseconds }: FuzzOptions): Promise<{ cases: number }> {
  const end = performance.now() + milliseconds;
  let cases = 0;
  for (let round = 0; performance.now() < end; round++) {
    const parameters = { seed: seed + round, numRuns: 20 };
    for (const checked of [
      fc.check(fc.property(operations, agree), parameters),
      fc.check(fc.property(rightsCases, agreeOnRights), parameters),
    ]) {
      if (checked.failed) {
        const report = fc.defaultReportMessage(checked as fc.RunDetails<[unknown]>);
        throw new Error(`seed ${seed + round}, path ${checked.counterexamplePath}\n${report}`, {
          cause: checked.errorInstance,
        });
      }
      cases += checked.numRuns;
    }
    await new Promise((resolve) => setTimeout(resolve));
  }
  return { cases };
}
