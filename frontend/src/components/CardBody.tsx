import type { DashboardState } from "../dashboard.ts";
import type { Band } from "../model/bands.ts";
import { describeChart } from "../model/summary.ts";
import { isShown } from "../model/view.ts";
import { Chart } from "./Chart.tsx";
import type { CardState } from "./useCard.ts";

const HEIGHT = 300;

interface Props {
  card: CardState;
  state: DashboardState;
  /** The recording's name. */
  label: string;
  width: number;
  highlighted: string | undefined;
  onPick: (band: Band) => void;
}

/** The chart of a card, or why there is none. */
export function CardBody({ card, state, label, width, highlighted, onPick }: Props) {
  const { picture, view, colourOf, range, zoomTo } = card;
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
      theme={state.theme}
      width={width}
      height={HEIGHT}
      label={describeChart(label, picture.curves, picture.view)}
      colourOf={colourOf}
      highlighted={isShown(view, highlighted ?? "") ? highlighted : undefined}
      reading={{ order: state.settings.readingOrder, limit: state.settings.readingRows }}
      onZoom={zoomTo}
      onReset={() => zoomTo(undefined)}
      onPick={onPick}
    />
  );
}
