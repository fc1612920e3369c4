/** The part of TensorBoard's address after the #: its tab, then names and values of plugins. */

import type { Entries } from "../model/link.ts";

const PLUGIN = "regularization";

const PREFIX = `p.${PLUGIN}.`;

/** What the plugin put into an address; undefined where it shows another plugin's tab. */
export function readHash(hash: string): Entries | undefined {
  const [tab, ...parts] = hash.replace(/^#/, "").split("&");
  if (tab !== PLUGIN) {
    return undefined;
  }
  const entries = new Map<string, string>();
  for (const part of parts) {
    const [name = "", ...value] = part.split("=");
    const plain = decode(name);
    if (plain.startsWith(PREFIX)) {
      entries.set(plain.slice(PREFIX.length), decode(value.join("=")));
    }
  }
  return entries;
}

/** The address with the plugin's entries replaced; those of others stay. */
export function writeHash(hash: string, entries: Entries): string {
  const others = hash
    .replace(/^#/, "")
    .split("&")
    .slice(1)
    .filter((part) => part !== "" && !decode(part).startsWith(PREFIX));
  const own = [...entries].map(([name, value]) => `${PREFIX}${name}=${encodeURIComponent(value)}`);
  return `#${[PLUGIN, ...others, ...own].join("&")}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that nobody encoded.
    return text;
  }
}
