/**
 * The globals that every supported runtime has, as far as the core uses them. Only the core's own type check reads this file:
 * it keeps the core from leaning on the DOM or on Node. Signatures are those of the DOM's library, or stricter.
 */
interface ErrorConstructor {
  /** @internal */
  captureStackTrace?(target: object, above?: Function): void;
  /** @internal */
  stackTraceLimit?: number;
}

interface ConsoleLike {
  log(...data: unknown[]): void;
  warn(...data: unknown[]): void;
  error(...data: unknown[]): void;
}
declare const console: ConsoleLike;

interface TimerHandle {
  readonly timer: unique symbol;
}
declare function setTimeout(handler: () => void, milliseconds?: number): TimerHandle;
declare function clearTimeout(handle: TimerHandle | undefined): void;
declare function queueMicrotask(callback: () => void): void;
declare function structuredClone<T>(value: T, options?: { transfer?: Transferable[] }): T;
declare const performance: { now(): number; readonly timeOrigin: number };

interface TextDecoder {
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  decode(input?: ArrayBufferView<ArrayBuffer> | ArrayBuffer, options?: { stream?: boolean }): string;
}
declare var TextDecoder: {
  prototype: TextDecoder;
  new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }): TextDecoder;
};
interface TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>;
  encodeInto(source: string, destination: Uint8Array<ArrayBuffer>): { read: number; written: number };
}
declare var TextEncoder: { prototype: TextEncoder; new (): TextEncoder };

declare const crypto: {
  getRandomValues<T extends ArrayBufferView<ArrayBuffer>>(array: T): T;
  readonly subtle: { digest(algorithm: string, data: BufferSource): Promise<ArrayBuffer> };
};

interface EventListenerOptionsLike {
  once?: boolean;
  signal?: AbortSignal;
}
interface Event {
  readonly type: string;
}
declare var Event: { prototype: Event; new (type: string): Event };
interface EventTarget {
  addEventListener(type: string, listener: (event: Event) => void, options?: EventListenerOptionsLike): void;
  removeEventListener(type: string, listener: (event: Event) => void): void;
}
interface AbortSignal extends EventTarget {
  readonly aborted: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: as the DOM's library has it
  readonly reason: any;
  throwIfAborted(): void;
}
declare var AbortSignal: {
  prototype: AbortSignal;
  abort(reason?: unknown): AbortSignal;
  any(signals: AbortSignal[]): AbortSignal;
  timeout(milliseconds: number): AbortSignal;
};
interface AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}
declare var AbortController: { prototype: AbortController; new (): AbortController };

interface URL {
  readonly href: string;
  readonly protocol: string;
  readonly pathname: string;
  toString(): string;
}
declare var URL: {
  prototype: URL;
  new (url: string | URL, base?: string | URL): URL;
  createObjectURL(blob: Blob): string;
  revokeObjectURL(url: string): void;
};

interface Blob {
  readonly size: number;
  readonly type: string;
  arrayBuffer(): Promise<ArrayBuffer>;
  stream(): ReadableStream<Uint8Array<ArrayBuffer>>;
  text(): Promise<string>;
}
declare var Blob: {
  prototype: Blob;
  new (parts?: (string | Blob | BufferSource)[], options?: { type?: string }): Blob;
};

type ReadableStreamReadResult<T> = { done: false; value: T } | { done: true; value: T | undefined };
interface ReadableStreamDefaultReader<R> {
  readonly closed: Promise<void>;
  read(): Promise<ReadableStreamReadResult<R>>;
  cancel(reason?: unknown): Promise<void>;
  releaseLock(): void;
}
interface ReadableStreamDefaultController<R> {
  readonly desiredSize: number | null;
  enqueue(chunk: R): void;
  close(): void;
  error(reason?: unknown): void;
}
interface UnderlyingDefaultSource<R> {
  start?(controller: ReadableStreamDefaultController<R>): unknown;
  pull?(controller: ReadableStreamDefaultController<R>): void | PromiseLike<void>;
  cancel?(reason?: unknown): void | PromiseLike<void>;
}
interface QueuingStrategy<T> {
  highWaterMark?: number;
  size?: (chunk: T) => number;
}
interface ReadableStream<R = unknown> {
  readonly locked: boolean;
  cancel(reason?: unknown): Promise<void>;
  getReader(): ReadableStreamDefaultReader<R>;
  tee(): [ReadableStream<R>, ReadableStream<R>];
  pipeTo(destination: WritableStream<R>, options?: { signal?: AbortSignal }): Promise<void>;
}
declare var ReadableStream: {
  prototype: ReadableStream;
  new <R>(source?: UnderlyingDefaultSource<R>, strategy?: QueuingStrategy<R>): ReadableStream<R>;
};
interface WritableStreamDefaultController {
  readonly signal: AbortSignal;
  error(reason?: unknown): void;
}
interface UnderlyingSink<W> {
  start?(controller: WritableStreamDefaultController): unknown;
  write?(chunk: W, controller: WritableStreamDefaultController): void | PromiseLike<void>;
  close?(): void | PromiseLike<void>;
  abort?(reason?: unknown): void | PromiseLike<void>;
}
interface WritableStreamDefaultWriter<W> {
  readonly ready: Promise<void>;
  write(chunk?: W): Promise<void>;
  close(): Promise<void>;
  abort(reason?: unknown): Promise<void>;
  releaseLock(): void;
}
interface WritableStream<W = unknown> {
  readonly locked: boolean;
  abort(reason?: unknown): Promise<void>;
  close(): Promise<void>;
  getWriter(): WritableStreamDefaultWriter<W>;
}
declare var WritableStream: {
  prototype: WritableStream;
  new <W>(sink?: UnderlyingSink<W>, strategy?: QueuingStrategy<W>): WritableStream<W>;
};

interface Headers {
  get(name: string): string | null;
  has(name: string): boolean;
}
declare var Headers: { prototype: Headers; new (init?: Record<string, string>): Headers };
type BodyInit = ReadableStream<Uint8Array<ArrayBuffer>> | Blob | BufferSource | string;
interface Response {
  readonly ok: boolean;
  readonly status: number;
  readonly statusText: string;
  readonly url: string;
  readonly type: string;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  readonly bodyUsed: boolean;
  arrayBuffer(): Promise<ArrayBuffer>;
  text(): Promise<string>;
  clone(): Response;
}
declare var Response: {
  prototype: Response;
  new (
    body?: BodyInit | null,
    init?: { status?: number; headers?: Record<string, string> | Headers },
  ): Response;
};
interface Request {
  readonly url: string;
  readonly signal: AbortSignal;
}
declare var Request: { prototype: Request; new (input: string | URL | Request): Request };
declare function fetch(
  input: string | URL | Request,
  init?: { signal?: AbortSignal | null },
): Promise<Response>;

type Transferable = ArrayBuffer | MessagePort;
interface MessageEvent<T = unknown> extends Event {
  readonly data: T;
}
interface MessagePort extends EventTarget {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown, transfer?: Transferable[]): void;
  start(): void;
  close(): void;
}
declare var MessageChannel: { new (): { readonly port1: MessagePort; readonly port2: MessagePort } };
