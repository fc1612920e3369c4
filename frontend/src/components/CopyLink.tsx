import { useEffect, useState } from "preact/hooks";
import type { Dashboard } from "../dashboard.ts";
import { copy, linkTo } from "../host/address.ts";

/** For how many milliseconds the button says what happened. */
const SAYING = 2000;

/** Copies an address that restores what is shown. */
export function CopyLink({ dashboard }: { dashboard: Dashboard }) {
  const [said, say] = useState<string>();
  useEffect(() => {
    const timer = setTimeout(() => say(undefined), SAYING);
    return () => clearTimeout(timer);
  }, [said]);
  const click = async () => {
    const isCopied = await copy(linkTo(dashboard.linkEntries()));
    say(isCopied ? "Copied" : "Copy the page's address instead");
  };
  return (
    <>
      <button
        type="button"
        class="text-button copy-link"
        title="Copy an address that shows exactly this"
        onClick={() => void click()}
      >
        {said ?? "Copy link"}
      </button>
      <span class="unseen" role="status">
        {said}
      </span>
    </>
  );
}
