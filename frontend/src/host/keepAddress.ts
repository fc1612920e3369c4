/** Keeps the state in TensorBoard's address, and takes it from there. */

import type { Dashboard } from "../dashboard.ts";
import { followAddress, readAddress, writeAddress } from "./address.ts";

/** A browser allows few changes of the address a second. */
const REST = 250;

export function keepAddress(dashboard: Dashboard): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = () => {
    if (dashboard.state.isVisible && dashboard.state.recordings !== undefined) {
      writeAddress(dashboard.linkEntries());
    }
  };
  const entries = readAddress();
  if (entries !== undefined && entries.size > 0) {
    dashboard.restore(entries);
  }
  dashboard.subscribe(() => {
    clearTimeout(timer);
    timer = setTimeout(write, REST);
  });
  followAddress(() => {
    const entries = readAddress();
    if (entries !== undefined && entries.size > 0) {
      dashboard.restore(entries);
    } else {
      // Coming back to the tab brings an address without its state.
      write();
    }
  });
}
