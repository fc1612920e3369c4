/** TensorBoard's address, which carries the state so that a link restores it. */

import type { Entries } from "../model/link.ts";
import { readHash, writeHash } from "./hash.ts";

/** The plugin's entries; undefined where the address is another tab's or out of reach. */
export function readAddress(): Entries | undefined {
  return attempt(() => readHash(parent.location.hash));
}

/** Puts the entries into the address; going back in history is not changed by it. */
export function writeAddress(entries: Entries): void {
  attempt(() => {
    const { hash } = parent.location;
    const next = writeHash(hash, entries);
    // While another tab is shown the address is that tab's.
    if (next !== hash && readHash(hash) !== undefined) {
      parent.history.replaceState(parent.history.state, "", next);
    }
  });
}

/** The whole address with the entries. */
export function linkTo(entries: Entries): string {
  const address = attempt(() => new URL(parent.location.href)) ?? new URL(location.href);
  address.hash = writeHash(address.hash, entries);
  return address.href;
}

/** Calls back when somebody goes to another address of the same page. */
export function followAddress(onChange: () => void): void {
  attempt(() => parent.addEventListener("hashchange", onChange));
}

/** Undefined where the page around is of another origin. */
function attempt<Value>(action: () => Value): Value | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

/** Copies a text; false where the browser does not let it. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without https there is no clipboard but this one.
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    const isCopied = document.execCommand("copy");
    field.remove();
    return isCopied;
  }
}
