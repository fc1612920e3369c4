import type { Dashboard, DashboardState } from "../dashboard.ts";
import { exportAddress } from "../data/api.ts";
import type { Curves } from "../data/curves.ts";
import type { Recording } from "../data/recording.ts";
import { bandColour, columnColour } from "../drawing/colours.ts";
import { shortenMiddle } from "../model/format.ts";
import { leftOut } from "../model/rules.ts";
import { recordingLabel } from "../model/runs.ts";
import { describeNonFinite, subtitle } from "../model/summary.ts";
import { isolate, pin } from "../model/view.ts";
import { CardBody } from "./CardBody.tsx";
import { CardMenu } from "./CardMenu.tsx";
import { Composition } from "./Composition.tsx";
import { chartHeight, stripHeight } from "./chartHeight.ts";
import { Findings, FindingsBadge } from "./Findings.tsx";
import { useCardSize } from "./hooks.ts";
import { Legend } from "./Legend.tsx";
import { PenaltiesAlone } from "./PenaltiesAlone.tsx";
import { ProblemText } from "./Problems.tsx";
import { ResetZoom } from "./ResetZoom.tsx";
import { RunDot } from "./RunRow.tsx";
import { SelectedSteps } from "./SelectedSteps.tsx";
import { TermTable } from "./TermTable.tsx";
import { type CardState, useCard } from "./useCard.ts";
import { useComposition } from "./useComposition.ts";

interface Props {
  dashboard: Dashboard;
  state: DashboardState;
  recording: Recording;
}

/** One recording: its title, its chart and its legend. */
export function Card({ dashboard, state, recording: listed }: Props) {
  const { element, plot, width, isFull, isNear } = useCardSize();
  const composed = useComposition(dashboard, listed, isNear && state.isVisible);
  const { recording } = composed;
  const card = useCard(dashboard, state, recording, width, isNear);
  const { view, curves, failure, bands, picture, colourOf, zoomTo, isReadable } = card;
  const height = Math.max(chartHeight(width, isFull), picture ? stripHeight(picture) : 0);
  const isolateTerm = (key: string) =>
    dashboard.changeView(recording.key, (current) => isolate(current, key));

  const { selected } = state;
  const label = recordingLabel(recording);
  const isEmpty = !isReadable || curves?.rows === 0;
  return (
    <article class="card" ref={element} aria-label={label} data-term={recording.key}>
      <header class="card-head">
        <h2 title={label}>
          <RunDot state={state} run={recording.run} />
          <span>{shortenMiddle(label, 80)}</span>
          <FindingsBadge findings={card.findings} isTold />
        </h2>
        <ResetZoom view={view} onReset={() => zoomTo(undefined)} />
        {bands && !isEmpty && (
          <PenaltiesAlone dashboard={dashboard} viewKey={recording.key} bands={bands} />
        )}
        {picture && (
          <CardMenu
            name={label}
            picture={picture}
            range={card.range}
            colourOf={(band) => bandColour("light", band, state.termNumbers)}
            width={width}
            rows={(format, isAll) =>
              exportAddress(
                card.source,
                isAll ? { x: card.query.x, range: undefined } : card.query,
                format,
              )
            }
            isZoomed={view.range !== undefined}
            isFull={isFull}
            isPinned={view.isPinned}
            onPin={() => dashboard.changeView(recording.key, pin)}
          />
        )}
        <p class="subtitle">{headline(card, recording)}</p>
        {recording.scalars && (
          <Composition dashboard={dashboard} composed={composed} scalars={recording.scalars} />
        )}
        <Warnings
          recording={recording}
          curves={curves}
          failure={failure}
          note={picture && leftOut(picture.scale, picture.lines)}
          isExplained={card.findings.some(({ code }) => code === "not_finite")}
        />
      </header>
      <div class="plot" style={{ minHeight: isEmpty ? "0" : `${height}px` }} ref={plot}>
        {isNear && picture && !isEmpty && width > 0 && (
          <CardBody
            card={card}
            label={label}
            state={state}
            width={width}
            height={height}
            onSelect={(range) => dashboard.select(range)}
            onPick={(band) => isolateTerm(band.key)}
          />
        )}
        {isEmpty && (
          <p class="hint">
            {isReadable ? "No steps recorded yet." : "This recording could not be read."}
          </p>
        )}
      </div>
      {bands && !isEmpty && (
        <Legend
          dashboard={dashboard}
          viewKey={recording.key}
          bands={bands}
          groups={card.grouping}
          total={card.totalLabel}
          colourOf={colourOf}
          picture={picture}
        />
      )}
      <Findings dashboard={dashboard} recording={recording} card={card} />
      {selected && !isEmpty && (
        <SelectedSteps dashboard={dashboard} selected={selected} axis={card.query.x} />
      )}
      {(state.settings.table || selected) && !isEmpty && (
        <TermTable
          dashboard={dashboard}
          recording={card.source}
          label={label}
          query={selected ? { ...card.query, range: selected } : card.query}
          isWanted={card.isWanted}
          grouping={card.grouping}
          pattern={card.pattern}
          colourOf={(key) => columnColour(state.theme, key, state.termNumbers)}
          onIsolate={isolateTerm}
        />
      )}
    </article>
  );
}

interface WarningsProps {
  recording: Recording;
  curves: Curves | undefined;
  failure: string | undefined;
  note: string | undefined;
  /** A finding says what became of values that are not finite. */
  isExplained: boolean;
}

/** What is amiss with this recording alone. */
function Warnings({ recording, curves, failure, note, isExplained }: WarningsProps) {
  const nonFinite =
    curves && !isExplained && describeNonFinite(curves.series.map(({ column }) => column));
  const listed = new Set(recording.problems.map(({ tag }) => tag));
  // Those of the list are shown above all cards.
  const problems = (curves?.problems ?? []).filter(({ tag }) => !listed.has(tag));
  return (
    <>
      {nonFinite && <p class="warning">{nonFinite}</p>}
      {note !== undefined && <p class="subtitle">{note}</p>}
      {failure !== undefined && <p class="warning">{failure}</p>}
      {problems.map((problem) => (
        <p class="warning" key={problem.tag}>
          <ProblemText problem={problem} />
        </p>
      ))}
    </>
  );
}

function headline({ curves, findings, isReadable, failure }: CardState, { columns }: Recording) {
  if (curves !== undefined) {
    return subtitle(curves, { columns, findings });
  }
  return isReadable && failure === undefined ? "Loading…" : "\u00a0";
}
