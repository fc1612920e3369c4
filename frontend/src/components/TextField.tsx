import { useId } from "preact/hooks";

interface Props {
  label: string;
  value: string;
  placeholder: string;
  /** What is wrong with the value. */
  problem?: string | undefined;
  onInput: (value: string) => void;
}

/** A text with its name before it, and what is wrong with it after it. */
export function TextField({ label, value, placeholder, problem, onInput }: Props) {
  const id = useId();
  return (
    <label class="control">
      {label}
      <input
        type="search"
        aria-label={label}
        aria-invalid={problem !== undefined}
        aria-describedby={problem === undefined ? undefined : id}
        placeholder={placeholder}
        spellcheck={false}
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      {problem !== undefined && (
        <span id={id} role="status">
          {problem}
        </span>
      )}
    </label>
  );
}
