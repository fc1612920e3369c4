interface Props {
  label: string;
  title?: string;
  value: number;
  onChange: (value: number) => void;
}

/** A small whole number with its name before it. */
export function NumberField({ label, title, value, onChange }: Props) {
  return (
    <label class="control" title={title}>
      {label}
      <input
        type="number"
        aria-label={label}
        min={0}
        max={1000}
        value={value}
        onChange={(event) => {
          const next = event.currentTarget.valueAsNumber;
          onChange(Number.isInteger(next) ? Math.min(1000, Math.max(0, next)) : value);
        }}
      />
    </label>
  );
}
