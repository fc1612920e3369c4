import type { DashboardState } from "../dashboard.ts";
import type { Range } from "../data/axis.ts";
import type { Band } from "../model/bands.ts";
import { NO_GRADIENTS, NO_GRADIENTS_OF_VALIDATION } from "../model/gradients.ts";
import { isValidation } from "../model/runs.ts";
import { describeChart } from "../model/summary.ts";
import { Chart } from "./Chart.tsx";
import { Multiples } from "./Multiples.tsx";
import type { CardState } from "./useCard.ts";

interface Props {
  card: CardState;
  state: DashboardState;
  /** The recording's name. */
  label: string;
  width: number;
  height: number;
  onSelect: (selected: Range | undefined) => void;
  onPick: (band: Band) => void;
}

/** The chart of a card, or why there is none. */
export function CardBody({ card, state, label, width, height, onSelect, onPick }: Props) {
  const { picture, colourOf, range, whole, zoomTo } = card;
  if (picture === undefined) {
    return null;
  }
  if (picture.refusal !== undefined) {
    const isOfValidation = picture.refusal === NO_GRADIENTS && isValidation(card.source.run);
    return (
      <p class="hint refusal">{isOfValidation ? NO_GRADIENTS_OF_VALIDATION : picture.refusal}</p>
    );
  }
  const Body = picture.view === "multiples" ? Multiples : Chart;
  return (
    <Body
      picture={picture}
      range={range}
      whole={whole}
      theme={state.theme}
      width={width}
      height={height}
      label={describeChart(label, picture.curves, picture.view)}
      colourOf={colourOf}
      reading={{ order: state.settings.readingOrder, limit: state.settings.readingRows }}
      marks={card.marks}
      selected={state.selected}
      onSelect={onSelect}
      onZoom={zoomTo}
      onPick={onPick}
    />
  );
}
