/** A card's picture in the y range that was chosen for all cards. */

import { useLayoutEffect, useMemo } from "preact/hooks";
import type { Dashboard } from "../dashboard.ts";
import type { Range } from "../data/axis.ts";
import { shareRange } from "../model/limits.ts";
import type { Picture } from "../model/picture.ts";
import { valueRange } from "../model/ranges.ts";

/** `range` is the part of the x axis shown; `key` is the recording's. */
export function useLimits(
  dashboard: Dashboard,
  key: string,
  picture: Picture | undefined,
  range: Range,
): Picture | undefined {
  const { settings, ownRanges } = dashboard.state;
  const { ignoreOutliers: ignoresOutliers, sameRange, yMin: min, yMax: max } = settings;
  const own = useMemo(
    () => picture && { ...picture, limits: { ignoresOutliers } },
    [picture, ignoresOutliers],
  );
  // A picture of nothing has a range, too, which is nobody's business.
  const isShared = sameRange && own !== undefined && own.layers.length + own.lines.length > 0;
  const values = isShared ? valueRange(own, range) : undefined;
  useLayoutEffect(() => {
    const { quantity, scale } = own ?? {};
    dashboard.setOwnRange(key, values && quantity && scale && { quantity, scale, values });
  }, [values?.min, values?.max, own?.quantity, own?.scale]);
  useLayoutEffect(() => () => dashboard.setOwnRange(key, undefined), []);

  const shared = own && isShared ? shareRange(ownRanges.values(), own) : undefined;
  const threshold = shared?.scale.threshold;
  return useMemo(() => {
    const limits = { ignoresOutliers, min, max, shared: shared?.values };
    return own && { ...own, scale: shared?.scale ?? own.scale, limits };
  }, [own, min, max, shared?.values?.min, shared?.values?.max, threshold]);
}
