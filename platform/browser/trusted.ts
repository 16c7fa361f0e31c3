interface Policy {
  createScriptURL(url: string | URL): unknown;
}
declare const trustedTypes: { createPolicy(name: string, rules: Policy): Policy };

let policy: Policy | undefined;

/** The address of a script, as pages that require Trusted Types take it. */
export function trusted(url: string | URL): string {
  try {
    policy ??= trustedTypes.createPolicy("wasmex", { createScriptURL: (given) => given });
    return policy.createScriptURL(url) as string;
  } catch {
    // Unknown here, or not allowed: then a policy of the page's own may still take it.
    return url as string;
  }
}
