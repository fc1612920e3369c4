import { useState } from "preact/hooks";
import type { Dashboard } from "../dashboard.ts";
import { encodeComposition, type Scalars } from "../data/composition.ts";
import { compose } from "../model/view.ts";
import { CompositionEditor } from "./CompositionEditor.tsx";
import type { Composed } from "./useComposition.ts";

interface Props {
  dashboard: Dashboard;
  composed: Composed;
  scalars: Scalars;
}

/** What is said of a composition of scalars, and a way to say what it is. */
export function Composition({ dashboard, composed, scalars }: Props) {
  const { recording, failure } = composed;
  const { composition } = dashboard.viewOf(recording.key);
  const [isOpen, setOpen] = useState(false);
  const change = (changed: string | undefined) =>
    dashboard.changeView(recording.key, (view) => compose(view, changed));
  return (
    <div class="composition">
      <p class="subtitle">{scalars.steps}</p>
      <p class="subtitle">
        {scalars.sentence}
        {scalars.isOffered && (
          <button
            type="button"
            class="text-button"
            onClick={() => change(encodeComposition(scalars))}
          >
            Use these weights
          </button>
        )}
        <button
          type="button"
          class="text-button"
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          Edit parts
        </button>
        {composition !== undefined && (
          <button type="button" class="text-button" onClick={() => change(undefined)}>
            Undo edits
          </button>
        )}
      </p>
      {failure !== undefined && <p class="warning">{failure}</p>}
      {isOpen && (
        <CompositionEditor
          dashboard={dashboard}
          recording={recording}
          scalars={scalars}
          edited={composition}
          onChange={(changed) => change(encodeComposition(changed))}
        />
      )}
    </div>
  );
}
