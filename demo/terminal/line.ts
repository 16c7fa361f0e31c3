/** How wide a character stands in a terminal: 0, 1 or 2 cells. */
export function cells(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 32 || (code >= 0x300 && code < 0x370) || code === 0x200d || (code >= 0xfe00 && code <= 0xfe0f))
    return 0;
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xff00 && code <= 0xff60) ||
    code >= 0x1f300;
  return wide ? 2 : 1;
}

const width = (characters: readonly string[]): number => characters.reduce((sum, one) => sum + cells(one), 0);

/** The line that is being typed: characters, a cursor, and the lines before it. Knows nothing of a screen. */
export class Line {
  #characters: string[] = [];
  #cursor = 0;
  #killed = "";
  #recalled: number;
  #draft = "";

  constructor(readonly history: string[]) {
    this.#recalled = history.length;
  }

  get text(): string {
    return this.#characters.join("");
  }

  get before(): string {
    return this.#characters.slice(0, this.#cursor).join("");
  }

  /** Cells from the line's begin to the cursor, and to its end. */
  get cursorCells(): number {
    return width(this.#characters.slice(0, this.#cursor));
  }

  get isEmpty(): boolean {
    return this.#characters.length === 0;
  }

  insert(text: string): void {
    const added = [...text];
    this.#characters.splice(this.#cursor, 0, ...added);
    this.#cursor += added.length;
  }

  replace(text: string): void {
    this.#characters = [...text];
    this.#cursor = this.#characters.length;
  }

  move(by: number): void {
    this.#cursor = Math.min(this.#characters.length, Math.max(0, this.#cursor + by));
  }

  moveToStart(): void {
    this.#cursor = 0;
  }

  moveToEnd(): void {
    this.#cursor = this.#characters.length;
  }

  moveWord(direction: -1 | 1): void {
    this.#cursor = this.#wordFrom(direction);
  }

  #wordFrom(direction: -1 | 1): number {
    let at = this.#cursor;
    const next = (): string | undefined => this.#characters[direction < 0 ? at - 1 : at];
    while (next() !== undefined && !/[\p{L}\p{N}_]/u.test(next() ?? "")) at += direction;
    while (next() !== undefined && /[\p{L}\p{N}_]/u.test(next() ?? "")) at += direction;
    return at;
  }

  backspace(): void {
    if (this.#cursor > 0) this.#characters.splice(--this.#cursor, 1);
  }

  delete(): void {
    this.#characters.splice(this.#cursor, 1);
  }

  killToEnd(): void {
    this.#killed = this.#characters.splice(this.#cursor).join("");
  }

  killToStart(): void {
    this.#killed = this.#characters.splice(0, this.#cursor).join("");
    this.#cursor = 0;
  }

  killWord(): void {
    const from = this.#wordFrom(-1);
    this.#killed = this.#characters.splice(from, this.#cursor - from).join("");
    this.#cursor = from;
  }

  yank(): void {
    this.insert(this.#killed);
  }

  /** The line before (-1) or after (1) in the history; the unfinished one comes last. */
  recall(direction: -1 | 1): void {
    const next = this.#recalled + direction;
    if (next < 0 || next > this.history.length) return;
    if (this.#recalled === this.history.length) this.#draft = this.text;
    this.#recalled = next;
    this.replace(this.history[next] ?? this.#draft);
  }
}
