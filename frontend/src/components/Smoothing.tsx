import { useEffect, useState } from "preact/hooks";
import { MOST_SMOOTHING } from "../model/settings.ts";

/** A moving slider asks for nothing until it rests for so many milliseconds. */
const REST = 150;

interface Props {
  value: number;
  onChange: (value: number) => void;
}

/** The strength of TensorBoard's exponential moving average. */
export function Smoothing({ value, onChange }: Props) {
  const [moving, setMoving] = useState<number>();
  useEffect(() => {
    if (moving === undefined) {
      return;
    }
    const timer = setTimeout(() => {
      onChange(moving);
      setMoving(undefined);
    }, REST);
    return () => clearTimeout(timer);
  }, [moving]);
  const shown = moving ?? value;
  return (
    <label class="control">
      Smoothing
      <input
        type="range"
        aria-label="Smoothing"
        min={0}
        max={MOST_SMOOTHING}
        step={0.001}
        value={shown}
        onInput={(event) => setMoving(Number(event.currentTarget.value))}
      />
      <output class="smoothing-value">{shown === 0 ? "off" : shown}</output>
    </label>
  );
}
