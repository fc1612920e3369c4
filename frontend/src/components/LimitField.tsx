import { useId, useState } from "preact/hooks";

interface Props {
  label: string;
  /** Undefined for automatic. */
  value: number | undefined;
  /** What is wrong with the value. */
  problem?: string | undefined;
  onChange: (value: number | undefined) => void;
}

/** An end of an axis, which is automatic while the field is empty. */
export function LimitField({ label, value, problem, onChange }: Props) {
  const id = useId();
  // What is being typed: the page may be rendered again meanwhile, as when new steps come.
  const [draft, setDraft] = useState<string>();
  return (
    <label class="control">
      {label}
      <input
        type="number"
        step="any"
        aria-label={label}
        aria-invalid={problem !== undefined}
        aria-describedby={problem === undefined ? undefined : id}
        placeholder="Automatic"
        value={draft ?? value ?? ""}
        onInput={(event) => setDraft(event.currentTarget.value)}
        onBlur={() => setDraft(undefined)}
        onChange={(event) => {
          setDraft(undefined);
          const next = event.currentTarget.valueAsNumber;
          onChange(Number.isFinite(next) ? next : undefined);
        }}
      />
      {problem !== undefined && (
        <span id={id} role="status">
          {problem}
        </span>
      )}
    </label>
  );
}
