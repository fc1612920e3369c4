import { useState } from "preact/hooks";

interface Props {
  label: string;
  title?: string;
  value: number;
  most?: number;
  onChange: (value: number) => void;
}

/** A whole number with its name before it. */
export function NumberField({ label, title, value, most = 1000, onChange }: Props) {
  // What is being typed: the page may be rendered again meanwhile, as when new steps come.
  const [draft, setDraft] = useState<string>();
  return (
    <label class="control" title={title}>
      {label}
      <input
        type="number"
        aria-label={label}
        min={0}
        max={most}
        value={draft ?? value}
        onInput={(event) => setDraft(event.currentTarget.value)}
        onBlur={() => setDraft(undefined)}
        onChange={(event) => {
          setDraft(undefined);
          const next = event.currentTarget.valueAsNumber;
          onChange(Number.isInteger(next) ? Math.min(most, Math.max(0, next)) : value);
        }}
      />
    </label>
  );
}
