import { termPattern } from "../model/terms.ts";
import { TextField } from "./TextField.tsx";

interface Props {
  label: string;
  value: string;
  placeholder: string;
  onInput: (value: string) => void;
}

/** A regular expression; what is none is said to be none. */
export function PatternField(props: Props) {
  const { invalid } = termPattern(props.value);
  return <TextField {...props} problem={invalid ? "Not a regular expression." : undefined} />;
}
