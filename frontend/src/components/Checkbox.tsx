interface Props {
  label: string;
  title?: string;
  isChecked: boolean;
  onChange: (isChecked: boolean) => void;
}

/** A choice between yes and no with its name after it. */
export function Checkbox({ label, title, isChecked, onChange }: Props) {
  return (
    <label class="control" title={title}>
      <input
        type="checkbox"
        checked={isChecked}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      {label}
    </label>
  );
}
