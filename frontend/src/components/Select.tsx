interface Props<Value extends string> {
  label: string;
  /** The values speak for themselves: the name is only for those who can't see them. */
  isBare?: boolean;
  value: Value;
  /** Each value with what it is called. */
  options: readonly (readonly [value: Value, name: string])[];
  title?: string;
  onChange: (value: Value) => void;
}

/** One of a few values, with its name before it. */
export function Select<Value extends string>(props: Props<Value>) {
  const { label, isBare = false, value, options, title, onChange } = props;
  const choose = (text: string) => {
    const chosen = options.find(([candidate]) => candidate === text);
    if (chosen !== undefined) {
      onChange(chosen[0]);
    }
  };
  return (
    <label class="control" title={title}>
      {!isBare && label}
      <select
        aria-label={label}
        value={value}
        onChange={(event) => choose(event.currentTarget.value)}
      >
        {options.map(([candidate, name]) => (
          <option key={candidate} value={candidate}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
