import { capabilities } from "wasmex";
import { button, byId, h } from "./dom.js";

/** Whether programs run on threads of their own here. */
export const hasThreads: boolean = capabilities().thread === "worker";

export const canIsolate: boolean = !hasThreads && globalThis.isSecureContext && "serviceWorker" in navigator;

/** Loads the isolation helper, which reloads the page once it has taken over; resolves only when it could not. */
export function isolate(): Promise<void> {
  return new Promise((resolve) => {
    const script = h("script", { src: "isolation.js" });
    // The helper reloads the page by itself: whoever still waits after this has stayed plain.
    script.addEventListener("load", () => setTimeout(resolve, 6000));
    script.addEventListener("error", () => resolve());
    document.head.append(script);
  });
}

/** A button that makes the page isolated, or a sentence on why it can't. */
export function isolationOffer(): HTMLElement {
  if (!canIsolate) {
    return h(
      "p",
      {},
      "Serve it from https: or localhost with the headers COOP: same-origin and COEP: require-corp to get them.",
    );
  }
  const note = h("p", { role: "status" });
  const press = button("Isolate this page", () => {
    press.disabled = true;
    note.textContent = "Setting up the service worker; the page reloads by itself.";
    void isolate().then(() => {
      press.disabled = false;
      note.textContent =
        "This browser did not let the service worker take over (a private window, perhaps). The page stays plain.";
    });
  });
  return h("div", {}, press, note);
}

/** A note for the top of a page that offers less where there are no threads. */
export function missingNote(...what: string[]): HTMLElement | undefined {
  if (hasThreads) return undefined;
  return h(
    "div",
    { class: "missing", role: "note" },
    h("p", {}, h("b", {}, "This page is not cross-origin isolated. "), ...what),
    isolationOffer(),
  );
}

/** The lamp in the head of the page, and the note behind it. */
export function showEnvironment(): void {
  const lamp = byId("lamp");
  const note = byId("lamp-note");
  lamp.dataset["state"] = hasThreads ? "isolated" : "plain";
  byId("lamp-text").textContent = hasThreads ? "isolated: threads" : "plain page: no threads";
  note.append(
    hasThreads
      ? h(
          "p",
          {},
          "This page is cross-origin isolated, so guests run on threads of their own, share their memory with the page and can be stopped at any moment.",
        )
      : h(
          "p",
          {},
          "This page is not cross-origin isolated: browsers give it no shared memory, so guests run on the page's own thread. They work, but the page stands still until a call has ended or its deadline ends it, and nobody can type to a program that waits.",
        ),
  );
  if (!hasThreads) note.append(isolationOffer());
  note.append(h("p", {}, h("a", { href: "#hood" }, "All that this browser and page offer")));
  lamp.addEventListener("click", () => {
    note.hidden = !note.hidden;
    lamp.setAttribute("aria-expanded", String(!note.hidden));
  });
}
