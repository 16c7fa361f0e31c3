import type { Node } from "./contract.js";

/** What a node number stands for: held for as long as it is retained. */
export interface Held {
  retains: number;
}

/** Node numbers as `Backend` has them, for backends whose nodes are objects of this thread. */
export class NodeTable<T extends Held> {
  readonly #items: (T | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #temporaries: Node[] = [];
  readonly #keep: (item: T) => void;
  readonly #drop: (item: T) => void;
  #depth = 0;

  /** At the end of an operation each thing found or released in it is given to `keep` if it is held, else to `drop`. */
  constructor(keep: (item: T) => void, drop: (item: T) => void) {
    this.#keep = keep;
    this.#drop = drop;
  }

  /** Whether an operation is under way. */
  get busy(): boolean {
    return this.#depth > 0;
  }

  begin(): void {
    this.#depth++;
  }

  /** Answers whether that was the end of the outermost. */
  end(): boolean {
    if (--this.#depth > 0) {
      return false;
    }
    if (this.#temporaries.length > 0) {
      this.#settle();
    }
    return true;
  }

  add(item: T): Node {
    const index = this.#free.pop() ?? this.#items.length;
    this.#items[index] = item;
    this.#temporaries.push(index + 1);
    return index + 1;
  }

  get(node: Node): T | undefined {
    return this.#items[node - 1];
  }

  retain(node: Node): void {
    const item = this.get(node);
    if (item !== undefined) {
      item.retains++;
    }
  }

  /** What is held no longer ends with the operation under way, or at once where there is none. */
  release(node: Node): void {
    const item = this.get(node);
    if (item !== undefined && item.retains > 0 && --item.retains === 0) {
      this.#temporaries.push(node);
      if (this.#depth === 0) {
        this.#settle();
      }
    }
  }

  /** Everything that has a number now. */
  *all(): Generator<T> {
    for (const item of this.#items) {
      if (item !== undefined) {
        yield item;
      }
    }
  }

  /** What this operation found. */
  *recent(): Generator<T> {
    for (const node of this.#temporaries) {
      const item = this.get(node);
      if (item !== undefined) {
        yield item;
      }
    }
  }

  #settle(): void {
    const temporaries = this.#temporaries;
    // What was found last first: it may need what it was found in.
    for (let index = temporaries.length - 1; index >= 0; index--) {
      const item = this.get(temporaries[index] as Node);
      if (item !== undefined && item.retains > 0) {
        this.#keep(item);
      }
    }
    for (const node of temporaries) {
      const item = this.get(node);
      if (item !== undefined && item.retains === 0) {
        this.#items[node - 1] = undefined;
        this.#free.push(node - 1);
        this.#drop(item);
      }
    }
    temporaries.length = 0;
  }
}
