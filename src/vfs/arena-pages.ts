import {
  CUT,
  FREE,
  IN_USE,
  LIMIT,
  MAX_ORDER,
  MIN_CLASS,
  PAGE_CLASS,
  PAGES,
  pagesFor,
  RUN,
  RUNS,
  SMALL,
  SMALL_PAGE,
  USED,
} from "./arena-layout.js";

import type { ArenaMemory } from "./arena-memory.js";

export const descriptorOf = (page: number): number => ((page >> 12) << 26) + ((page & 4095) << 2);

/** The class of the smallest block of at least that many bytes. */
export const classFor = (bytes: number): number => (bytes <= 64 ? MIN_CLASS : 32 - Math.clz32(bytes - 1));

function link(m: ArenaMemory, head: number, page: number, at: number): void {
  const next = m.get(head);
  m.put(at + 1, next);
  m.put(at + 2, 0);
  if (next !== 0) {
    m.put(descriptorOf(next) + 2, page);
  }
  m.put(head, page);
}

function unlink(m: ArenaMemory, head: number, at: number): void {
  const next = m.get(at + 1);
  const previous = m.get(at + 2);
  if (previous === 0) {
    m.put(head, next);
  } else {
    m.put(descriptorOf(previous) + 1, next);
  }
  if (next !== 0) {
    m.put(descriptorOf(next) + 2, previous);
  }
}

/** A run of 2^order pages, out of a larger free one, or from the pages that were never used; 0 when there is no room. */
function allocateRun(m: ArenaMemory, order: number): number {
  for (;;) {
    let found = order;
    while (found <= MAX_ORDER && m.get(RUNS + found) === 0) {
      found++;
    }
    if (found <= MAX_ORDER) {
      const page = m.get(RUNS + found);
      unlink(m, RUNS + found, descriptorOf(page));
      while (found > order) {
        found--;
        putFree(m, page + (1 << found), found);
      }
      m.put(descriptorOf(page), RUN | order);
      return page;
    }
    // The next of the unused pages, up to as many as are aligned to their number, make a free run, that joins what is before it.
    let page = m.get(PAGES);
    if ((page & 4095) === 0) {
      page++;
    }
    const part = Math.min(order, 31 - Math.clz32(page & -page));
    const end = page + (1 << part);
    if (end > pagesFor(m.get(LIMIT)) || !m.grow(end)) {
      return 0;
    }
    m.put(PAGES, end);
    freeRun(m, page, part);
  }
}

function putFree(m: ArenaMemory, page: number, order: number): void {
  const at = descriptorOf(page);
  m.put(at, FREE | order);
  link(m, RUNS + order, page, at);
}

function freeRun(m: ArenaMemory, from: number, size: number): void {
  let page = from;
  let order = size;
  m.put(descriptorOf(page), 0);
  while (order < MAX_ORDER) {
    const buddy = page ^ (1 << order);
    const at = descriptorOf(buddy);
    if (buddy + (1 << order) > m.get(PAGES) || m.get(at) !== (FREE | order)) {
      break;
    }
    unlink(m, RUNS + order, at);
    m.put(at, 0);
    page &= ~(1 << order);
    order++;
  }
  putFree(m, page, order);
}

/** A block of that class, its content undefined; 0 when there is no room. */
export function allocate(m: ArenaMemory, sizeClass: number): number {
  if (sizeClass > PAGE_CLASS + MAX_ORDER) {
    return 0;
  }
  const used = m.get(USED) + (1 << sizeClass);
  if (used > m.get(LIMIT)) {
    return 0;
  }
  if (sizeClass >= PAGE_CLASS) {
    const page = allocateRun(m, sizeClass - PAGE_CLASS);
    if (page !== 0) {
      m.put(USED, used);
    }
    return page << 14;
  }
  let page = m.get(SMALL + sizeClass);
  let at: number;
  let state: number;
  if (page === 0) {
    page = allocateRun(m, 0);
    if (page === 0) {
      return 0;
    }
    at = descriptorOf(page);
    state = SMALL_PAGE | sizeClass;
    m.put(at + 3, 0);
    link(m, SMALL + sizeClass, page, at);
  } else {
    at = descriptorOf(page);
    state = m.get(at);
  }
  let block = m.get(at + 3);
  if (block !== 0) {
    m.put(at + 3, m.get(block));
    // Noted, since the caller overwrites the link that a rollback needs.
    m.put(block, 0);
  } else {
    block = (page << 14) + (((state >> 5) & 2047) << (sizeClass - 2));
    state += CUT;
  }
  state += IN_USE;
  m.put(at, state);
  if (((state >> 16) & 2047) === 1 << (PAGE_CLASS - sizeClass)) {
    unlink(m, SMALL + sizeClass, at);
  }
  m.put(USED, used);
  return block;
}

export function free(m: ArenaMemory, block: number, sizeClass: number): void {
  m.put(USED, m.get(USED) - (1 << sizeClass));
  const page = block >> 14;
  if (sizeClass >= PAGE_CLASS) {
    freeRun(m, page, sizeClass - PAGE_CLASS);
    return;
  }
  const at = descriptorOf(page);
  const state = m.get(at);
  const inUse = (state >> 16) & 2047;
  if (inUse === 1 << (PAGE_CLASS - sizeClass)) {
    link(m, SMALL + sizeClass, page, at);
  } else if (inUse === 1 && (m.get(at + 1) !== 0 || m.get(at + 2) !== 0)) {
    // The last page of a class stays, so that one block made and freed in turn stays cheap.
    unlink(m, SMALL + sizeClass, at);
    freeRun(m, page, 0);
    return;
  }
  m.put(block, m.get(at + 3));
  m.put(at + 3, block);
  m.put(at, state - IN_USE);
}
