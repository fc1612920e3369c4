import { useState } from "preact/hooks";
import type { Dashboard } from "../dashboard.ts";
import { fetchComposition } from "../data/api.ts";
import {
  type Composition,
  decodeComposition,
  PART_ROLES,
  type Part,
  type Scalars,
} from "../data/composition.ts";
import type { Recording } from "../data/recording.ts";
import { copy } from "../host/address.ts";
import { useAnswer } from "./hooks.ts";
import { Select } from "./Select.tsx";

const ROLES = PART_ROLES.map((role) => [role, role] as const);

interface Props {
  dashboard: Dashboard;
  recording: Recording;
  scalars: Scalars;
  /** What was changed by now, also where the server refuses it. */
  edited: string | undefined;
  onChange: (changed: Composition) => void;
}

/** The total, the parts, their weights and their roles; and how to store them for everyone. */
export function CompositionEditor({ dashboard, recording, scalars, edited, onChange }: Props) {
  const { total, parts } = decodeComposition(edited ?? "") ?? scalars;
  const [isCopied, setCopied] = useState(false);
  const { value } = useAnswer(dashboard, recording.key, true, (signal) =>
    fetchComposition(recording, undefined, signal),
  );
  const used = new Set([total, ...parts.map(({ tag }) => tag)]);
  const free = (value?.tags ?? []).filter((tag) => !used.has(tag));
  const changeParts = (changed: readonly Part[]) => onChange({ total, parts: changed });
  const changePart = (part: Part, change: Partial<Part>) =>
    changeParts(parts.map((each) => (each === part ? { ...each, ...change } : each)));
  return (
    <>
      <Select
        label="Total"
        value={total ?? ""}
        options={[["", "none logged"], ...[...(total === null ? [] : [total]), ...free].map(twice)]}
        onChange={(tag) => onChange({ total: tag || null, parts })}
      />
      <table>
        <tbody>
          {parts.map((part) => (
            <tr key={part.tag}>
              <th scope="row">{part.tag}</th>
              <td>
                ×{" "}
                <input
                  aria-label={`Weight of ${part.tag}`}
                  title="A number, or names of scalars with * in between"
                  value={part.weight}
                  onChange={(event) =>
                    changePart(part, { weight: event.currentTarget.value.trim() || "1" })
                  }
                />
              </td>
              <td>
                <Select
                  label={`Role of ${part.tag}`}
                  isBare
                  value={part.role}
                  options={ROLES}
                  onChange={(role) => changePart(part, { role })}
                />
              </td>
              <td>
                <button
                  type="button"
                  class="text-button"
                  aria-label={`Remove ${part.tag}`}
                  onClick={() => changeParts(parts.filter((each) => each !== part))}
                >
                  Remove
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Select
        label="Add a part"
        value=""
        options={[["", "…"], ...free.map(twice)]}
        onChange={(tag) => changeParts([...parts, { tag, weight: "1", role: "data" }])}
      />
      <p class="subtitle">
        For everyone who opens these logs: <code>{scalars.command}</code>
        <button
          type="button"
          class="text-button"
          onClick={() => void copy(scalars.command).then(setCopied)}
        >
          {isCopied ? "Copied" : "Copy"}
        </button>
      </p>
    </>
  );
}

function twice(tag: string): readonly [string, string] {
  return [tag, tag];
}
