/** What is being typed into a field for a number. */

import type { TargetedEvent } from "preact";
import { useState } from "preact/hooks";

type Typed = TargetedEvent<HTMLInputElement>;

/** Of the input: the page may be rendered again meanwhile, as when new steps come. */
export function useDraft(value: number | undefined, onChange: (typed: number) => void) {
  const [draft, setDraft] = useState<string>();
  return {
    value: draft ?? value ?? "",
    onInput: (event: Typed) => setDraft(event.currentTarget.value),
    onBlur: () => setDraft(undefined),
    onChange: (event: Typed) => {
      setDraft(undefined);
      onChange(event.currentTarget.valueAsNumber);
    },
  };
}
