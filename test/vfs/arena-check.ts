import * as I from "../../src/vfs/arena-inodes.js";
import * as M from "../../src/vfs/arena-layout.js";
import type { ArenaMemory } from "../../src/vfs/arena-memory.js";
import * as P from "../../src/vfs/arena-pages.js";

/** Walks every structure of an arena between two operations and throws at the first invariant that doesn't hold. */
export function checkArena(m: ArenaMemory): { inodes: number; blocks: number } {
  m.begin();
  try {
    return check(m);
  } finally {
    m.end();
  }
}

function check(m: ArenaMemory): { inodes: number; blocks: number } {
  const fail = (what: string): never => {
    throw new Error(`arena: ${what}`);
  };
  if (m.get(M.PENDING) !== 0) fail("a node is pending between operations");

  // Pages: every one is in a run, a page of small blocks, a free run, or describes pages.
  const pages = m.get(M.PAGES);
  const freeRuns = new Map<number, number>();
  for (let order = 0; order <= M.MAX_ORDER; order++) {
    let previous = 0;
    for (let page = m.get(M.RUNS + order); page !== 0; page = m.get(P.descriptorOf(page) + 1)) {
      const at = P.descriptorOf(page);
      if (m.get(at) !== (M.FREE | order)) fail(`free run ${page} of order ${order} has state ${m.get(at)}`);
      if (m.get(at + 2) !== previous) fail(`free run ${page} has a wrong link back`);
      if ((page & ((1 << order) - 1)) !== 0) fail(`free run ${page} isn't aligned`);
      if (freeRuns.has(page)) fail(`free run ${page} is listed twice`);
      freeRuns.set(page, order);
      previous = page;
    }
  }
  const smallLists = new Map<number, number>();
  for (let sizeClass = M.MIN_CLASS; sizeClass < M.PAGE_CLASS; sizeClass++) {
    let previous = 0;
    for (let page = m.get(M.SMALL + sizeClass); page !== 0; page = m.get(P.descriptorOf(page) + 1)) {
      if (smallLists.has(page)) fail(`page ${page} is listed twice`);
      if (m.get(P.descriptorOf(page) + 2) !== previous) fail(`page ${page} has a wrong link back`);
      smallLists.set(page, sizeClass);
      previous = page;
    }
  }
  const free = new Set<number>();
  const owned = new Map<number, number>();
  const expected = new Map<number, number>();
  let used = 0;
  for (let page = 2; page < pages; ) {
    if ((page & 4095) === 0) {
      page++;
      continue;
    }
    const at = P.descriptorOf(page);
    const state = m.get(at);
    if ((state & M.FREE) !== 0) {
      const order = state & 31;
      if (freeRuns.get(page) !== order) fail(`free run ${page} isn't listed`);
      freeRuns.delete(page);
      const buddy = page ^ (1 << order);
      if (order < M.MAX_ORDER && m.get(P.descriptorOf(buddy)) === state && buddy + (1 << order) <= pages)
        fail(`free runs ${page} and ${buddy} aren't joined`);
      page += 1 << order;
    } else if ((state & M.RUN) !== 0) {
      const order = state & 31;
      expected.set(page << 14, order + M.PAGE_CLASS);
      used += 2 ** (order + M.PAGE_CLASS);
      page += 1 << order;
    } else if ((state & M.SMALL_PAGE) !== 0) {
      const sizeClass = state & 31;
      const cut = (state >> 5) & 2047;
      const inUse = (state >> 16) & 2047;
      const total = 1 << (M.PAGE_CLASS - sizeClass);
      if (cut > total || inUse > cut) fail(`page ${page} has ${inUse} of ${cut} of ${total} in use`);
      if ((inUse === total) === smallLists.has(page))
        fail(`page ${page} (${inUse} of ${total}) in its list or not`);
      if (inUse !== total && smallLists.get(page) !== sizeClass)
        fail(`page ${page} in the list of another class`);
      smallLists.delete(page);
      const inPage = new Set<number>();
      for (let block = m.get(at + 3); block !== 0; block = m.get(block)) {
        if (block >> 14 !== page || (block & ((1 << (sizeClass - 2)) - 1)) !== 0)
          fail(`stray free block ${block}`);
        if (inPage.has(block)) fail(`free block ${block} is listed twice`);
        inPage.add(block);
        free.add(block);
      }
      if (inUse + inPage.size !== cut) fail(`page ${page}: ${inUse} + ${inPage.size} != ${cut}`);
      for (let index = 0; index < cut; index++) {
        const block = (page << 14) + (index << (sizeClass - 2));
        if (!free.has(block)) expected.set(block, sizeClass);
      }
      used += inUse * 2 ** sizeClass;
      page++;
    } else {
      fail(`page ${page} has state ${state}`);
    }
  }
  if (freeRuns.size > 0 || smallLists.size > 0) fail("a list has pages that aren't there");
  if (m.get(M.USED) !== used) fail(`${m.get(M.USED)} bytes counted, ${used} in use`);

  const own = (block: number, sizeClass: number, by: string) => {
    if (owned.has(block)) fail(`block ${block} of ${by} has two owners`);
    if (expected.get(block) !== sizeClass)
      fail(`block ${block} of ${by}: ${expected.get(block)} != ${sizeClass}`);
    owned.set(block, sizeClass);
  };

  // What threads retain.
  const retained = new Map<number, number>();
  for (let owner = 1; owner < 1024; owner++) {
    const record = m.ownerRecord(owner);
    if (m.get(record) === 0) continue;
    const list = m.get(record + 2);
    const state = m.get(record + 3);
    if (list === 0) {
      if (state !== 0) fail(`owner ${owner} counts retains and has no list`);
      continue;
    }
    const sizeClass = state & 31;
    own(list, sizeClass, `owner ${owner}`);
    const count = state >> 5;
    if (count > 1 << (sizeClass - 2)) fail(`owner ${owner} retains ${count}, more than its list can have`);
    for (let at = list; at < list + count; at++) {
      const node = m.get(at);
      retained.set(node, (retained.get(node) ?? 0) + 1);
    }
  }

  // The tree.
  const links = new Map<number, number>();
  const inos = new Set<number>();
  const root = m.get(M.ROOT);
  const visit = (node: number) => {
    own(node, M.MIN_CLASS, "an inode");
    const kind = m.get(node + M.KIND);
    const ino = (m.get(node + M.INO) >>> 0) + m.get(node + M.INO + 1) * 2 ** 32;
    if (inos.has(ino)) fail(`inode number ${ino} is used twice`);
    inos.add(ino);
    const data = m.get(node + M.DATA);
    const sizeClass = m.get(node + M.CLASS);
    if (data !== 0) own(data, sizeClass, `inode ${ino}`);
    else if (sizeClass !== 0) fail(`inode ${ino} has a class and no data`);
    if ((kind & 0xff) !== 3) {
      if ((kind & M.MAPPED) !== 0) {
        const size = I.sizeOf(m, node);
        for (let index = 0; index < 1 << (sizeClass - 2); index++) {
          const block = m.get(data + index);
          if (block === 0) continue;
          own(block, M.PAGE_CLASS, `inode ${ino}, block ${index}`);
          if (index * 65536 >= size) fail(`inode ${ino} has block ${index} beyond its size ${size}`);
        }
      }
      return;
    }
    let folders = 0;
    let count = 0;
    if (data !== 0) {
      const mask = (1 << (sizeClass - 5)) - 1;
      const capacity = ((mask + 1) * 3) >> 2;
      const slots = data + 8 + mask + 1;
      const names = (slots + capacity * 4) << 2;
      if (names + m.get(data) > (data << 2) + (1 << sizeClass)) fail(`directory ${ino} has too many names`);
      const numbers = new Set<number>();
      for (let at = 0; at <= mask; at++) {
        const number = m.get(data + 8 + at);
        if (number === 0) continue;
        if (numbers.has(number)) fail(`directory ${ino} has slot ${number} twice in its table`);
        numbers.add(number);
      }
      const used = m.get(node + M.SLOTS);
      if (numbers.size !== used || used > capacity)
        fail(`directory ${ino}: ${numbers.size} of ${used} slots in table`);
      let cookie = 0;
      const seen = new Set<string>();
      for (let number = 1; number <= used; number++) {
        const slot = slots + (number - 1) * 4;
        const next = m.get(slot + 3) >>> 0;
        if (next <= cookie) fail(`directory ${ino} has cookies out of order`);
        cookie = next;
        const child = m.get(slot + 1);
        if (child === 0) continue;
        count++;
        const hash = m.get(slot);
        let at = hash & mask;
        while (m.get(data + 8 + at) !== number) {
          if (m.get(data + 8 + at) === 0) fail(`directory ${ino} doesn't find slot ${number}`);
          at = (at + 1) & mask;
        }
        const from = names + m.get(slot + 2);
        const length = m.bytes[from] as number;
        const name = m.bytes.subarray(from + 1, from + 1 + length).join();
        if (seen.has(name)) fail(`directory ${ino} has a name twice`);
        seen.add(name);
        if ((m.get(child + M.KIND) & 0xff) === 3) {
          folders++;
          if (m.get(child + M.PARENT) !== node) fail(`directory ${ino} isn't the parent of its child`);
        }
        const before = links.get(child) ?? 0;
        links.set(child, before + 1);
        if (before === 0) visit(child);
      }
      if (m.get(data + 1) >>> 0 <= cookie) fail(`directory ${ino} would give a cookie twice`);
    }
    if (count !== m.get(node + M.COUNT)) fail(`directory ${ino} counts ${m.get(node + M.COUNT)} of ${count}`);
    const expectedLinks = node !== root && !links.has(node) ? 0 : 2 + folders;
    if (m.get(node + M.LINKS) !== expectedLinks) fail(`directory ${ino} has ${m.get(node + M.LINKS)} links`);
  };
  visit(root);
  for (const [node, count] of links) {
    if ((m.get(node + M.KIND) & 0xff) !== 3 && m.get(node + M.LINKS) !== count)
      fail(`node ${node} has ${count} names and ${m.get(node + M.LINKS)} links`);
  }
  // Nodes without a name are there because someone retains them.
  for (const node of retained.keys()) {
    if (m.get(node + M.OPENS) < (retained.get(node) as number))
      fail(`node ${node} is retained more than it counts`);
    if (!owned.has(node)) visit(node);
  }
  for (const [block, sizeClass] of expected) {
    if (owned.has(block)) continue;
    // Retained by the thread that made the arena, which keeps no table.
    if (sizeClass === M.MIN_CLASS && m.get(block + M.LINKS) === 0 && m.get(block + M.OPENS) > 0) visit(block);
  }
  for (const [block, sizeClass] of expected) {
    if (!owned.has(block)) fail(`block ${block} of class ${sizeClass} is lost`);
  }
  return { inodes: inos.size, blocks: owned.size };
}
