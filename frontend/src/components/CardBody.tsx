import type { DashboardState } from "../dashboard.ts";
import type { Band } from "../model/bands.ts";
import { describeChart } from "../model/summary.ts";
import { Chart } from "./Chart.tsx";
import type { CardState } from "./useCard.ts";

const HEIGHT = 300;

interface Props {
  card: CardState;
  state: DashboardState;
  /** The recording's name. */
  label: string;
  width: number;
  onPick: (band: Band) => void;
}

/** The chart of a card, or why there is none. */
export function CardBody({ card, state, label, width, onPick }: Props) {
  const { picture, colourOf, range, whole, zoomTo } = card;
  if (picture === undefined) {
    return null;
  }
  if (picture.refusal !== undefined) {
    return <p class="hint refusal">{picture.refusal}</p>;
  }
  return (
    <Chart
      picture={picture}
      range={range}
      whole={whole}
      theme={state.theme}
      width={width}
      height={HEIGHT}
      label={describeChart(label, picture.curves, picture.view)}
      colourOf={colourOf}
      reading={{ order: state.settings.readingOrder, limit: state.settings.readingRows }}
      onZoom={zoomTo}
      onPick={onPick}
    />
  );
}
