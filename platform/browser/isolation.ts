/**
 * Makes a page cross-origin isolated where its host can't set headers: with it a statically hosted page gets
 * `SharedArrayBuffer`, and so background threads. One script tag, best as the first of the page:
 *
 * ```html
 * <script src="isolation.js"></script>
 * ```
 *
 * The file is two things in one. On the page it registers itself as a service worker and reloads the page once, when that
 * has taken over. In the service worker it passes every same-origin response on with `Cross-Origin-Opener-Policy` and
 * `Cross-Origin-Embedder-Policy` added.
 *
 * Its limits:
 * - It works from `https:` and `localhost` only, and not in private windows of some browsers: there the page stays as it is.
 * - The first visit loads the page twice. A forced reload (Shift) goes past service workers: that one visit is plain.
 * - It covers the folder that it lies in and below: put it beside the topmost page.
 * - Under `require-corp` what the page embeds from other origins needs CORS or `Cross-Origin-Resource-Policy`. Where the engine
 *   knows `credentialless`, `<script src="isolation.js" data-coep="credentialless">` lifts this for what needs no cookies.
 * - `Cross-Origin-Opener-Policy: same-origin` cuts ties with popups of other origins (sign-in windows among them).
 * - A page that is framed by another is isolated only if the outer page is.
 * - A site with a service worker of its own in the same scope keeps that one: there add the two headers in it.
 *
 * To take it off again: `navigator.serviceWorker.getRegistration()` and `unregister()`.
 */

interface WorkerScope {
  readonly location: { readonly href: string; readonly origin: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: string, listener: (event: WorkerEvent) => void): void;
}

interface WorkerEvent {
  readonly request: Request;
  waitUntil(work: Promise<unknown>): void;
  respondWith(response: Promise<Response>): void;
}

/** Set in the tab's session when the page was reloaded, so that a page that stays plain is not reloaded for ever. */
const RELOADED = "wasmex-isolation-reloaded";

function serve(scope: WorkerScope): void {
  const embedder = new URL(scope.location.href).searchParams.get("coep") ?? "require-corp";
  scope.addEventListener("install", (event) => event.waitUntil(scope.skipWaiting()));
  scope.addEventListener("activate", (event) => event.waitUntil(scope.clients.claim()));
  scope.addEventListener("fetch", (event) => {
    const { request } = event;
    if (new URL(request.url).origin !== scope.location.origin) return;
    // A fetch of this mode would throw here: the browser asks for it when its tools open a cached page.
    if (request.cache === "only-if-cached" && request.mode !== "same-origin") return;
    event.respondWith(
      fetch(request).then((response) => {
        if (response.status === 0 || response.type === "opaqueredirect") return response;
        const headers = new Headers(response.headers);
        headers.set("Cross-Origin-Opener-Policy", "same-origin");
        headers.set("Cross-Origin-Embedder-Policy", embedder);
        headers.set("Cross-Origin-Resource-Policy", "same-origin");
        return new Response(response.body, {
          status: response.status,
          statusText: response.statusText,
          headers,
        });
      }),
    );
  });
}

function reloadOnce(): void {
  try {
    if (sessionStorage.getItem(RELOADED) !== null) return;
    sessionStorage.setItem(RELOADED, "yes");
  } catch {
    // Without storage there is no way to tell a second round from the first.
    return;
  }
  location.reload();
}

async function register(script: HTMLScriptElement | undefined): Promise<void> {
  if (globalThis.crossOriginIsolated) {
    try {
      sessionStorage.removeItem(RELOADED);
    } catch {}
    return;
  }
  if (script === undefined || !globalThis.isSecureContext || !("serviceWorker" in navigator)) return;
  const url = new URL(script.src);
  const embedder = script.dataset["coep"];
  if (embedder !== undefined) url.searchParams.set("coep", embedder);
  try {
    await navigator.serviceWorker.register(url);
    await navigator.serviceWorker.ready;
    if (navigator.serviceWorker.controller === null) {
      await new Promise<void>((resolve) => {
        navigator.serviceWorker.addEventListener("controllerchange", () => resolve(), { once: true });
        // The worker may have claimed the page between the two lines above.
        if (navigator.serviceWorker.controller !== null) resolve();
      });
    }
    reloadOnce();
  } catch {
    // Refused: a private window, a policy, a wrong place. The page stays as it was, which capabilities() tells.
  }
}

if (typeof document === "undefined") {
  serve(globalThis as unknown as WorkerScope);
} else {
  const script = document.currentScript;
  void register(script instanceof HTMLScriptElement ? script : undefined);
}
