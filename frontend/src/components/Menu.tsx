import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "./IconButton.tsx";

interface Props {
  /** Of what it is the menu. */
  name: string;
  /** What there is to choose, in two words. */
  title: string;
  children: ComponentChildren;
}

/** Entries that come up on a click, and go with a choice, Escape or a press elsewhere. */
export function Menu({ name, title, children }: Props) {
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = () => menu.current?.removeAttribute("open");
    const onKey = ({ key }: KeyboardEvent) => {
      if (key === "Escape" && menu.current?.open) {
        close();
        menu.current.querySelector("summary")?.focus();
      }
    };
    const onOutside = ({ target }: Event) => {
      if (!menu.current?.contains(target as Node)) {
        close();
      }
    };
    const abort = new AbortController();
    const { signal } = abort;
    document.addEventListener("keydown", onKey, { signal });
    document.addEventListener("pointerdown", onOutside, { signal });
    document.addEventListener("focusin", onOutside, { signal });
    return () => abort.abort();
  }, []);
  return (
    <details class="menu" ref={menu}>
      <summary class="icon-button" aria-label={`More of ${name}`} title={title}>
        <Icon shape="more" />
      </summary>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the buttons within have their own keys */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: see above */}
      <div class="menu-box" onClick={() => menu.current?.removeAttribute("open")}>
        {children}
      </div>
    </details>
  );
}
