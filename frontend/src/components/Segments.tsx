interface Props<Value extends string> {
  /** Of what there is to choose, for those who hear it. */
  label: string;
  /** Of the group, within the page. */
  name: string;
  value: Value | undefined;
  /** Each value with what it is called, and what that means. */
  options: readonly (readonly [value: Value, name: string, title: string])[];
  onChange: (value: Value) => void;
}

/** One of a few values, all of them in sight. */
export function Segments<Value extends string>(props: Props<Value>) {
  const { label, name, value, options, onChange } = props;
  return (
    <fieldset class="segments">
      <legend class="unseen">{label}</legend>
      {options.map(([candidate, text, title]) => (
        <label key={candidate} class="segment" title={title}>
          <input
            type="radio"
            name={name}
            checked={value === candidate}
            onChange={() => onChange(candidate)}
          />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}
