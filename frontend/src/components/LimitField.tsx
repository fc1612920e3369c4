import { useId } from "preact/hooks";
import { useDraft } from "./useDraft.ts";

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
  const draft = useDraft(value, (typed) => onChange(Number.isFinite(typed) ? typed : undefined));
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
        {...draft}
      />
      {problem !== undefined && (
        <span id={id} role="status">
          {problem}
        </span>
      )}
    </label>
  );
}
