import { useDraft } from "./useDraft.ts";

interface Props {
  label: string;
  title?: string;
  value: number;
  most?: number;
  onChange: (value: number) => void;
}

/** A whole number with its name before it. */
export function NumberField({ label, title, value, most = 1000, onChange }: Props) {
  const draft = useDraft(value, (typed) =>
    onChange(Number.isInteger(typed) ? Math.min(most, Math.max(0, typed)) : value),
  );
  return (
    <label class="control" title={title}>
      {label}
      <input type="number" aria-label={label} min={0} max={most} {...draft} />
    </label>
  );
}
