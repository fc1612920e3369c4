import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Notice } from "./Notice.tsx";

/**
 * A component from a file of its own, which is loaded once it has a place on the page; `what` says
 * what is missing where it can't be had.
 */
export function later<Props extends object>(
  what: string,
  load: () => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  let Loaded: ComponentType<Props> | undefined;
  return function Later(props: Props) {
    const [state, setState] = useState<"loading" | "loaded" | "failed">("loading");
    useEffect(() => {
      load().then(
        (component) => {
          Loaded = component;
          setState("loaded");
        },
        () => setState("failed"),
      );
    }, []);
    if (Loaded !== undefined) {
      return <Loaded {...props} />;
    }
    return state === "failed" ? (
      <Notice>{what} could not be loaded. See that TensorBoard runs, and reload the page.</Notice>
    ) : null;
  };
}
