/** The state of the whole page, and what changes it. */

import { fetchRecordings, Unreachable } from "./data/api.ts";
import type { Range } from "./data/axis.ts";
import type { Finding } from "./data/findings.ts";
import { FindingsWatch } from "./data/findingsWatch.ts";
import type { Column, Recording } from "./data/recording.ts";
import { numberRuns } from "./drawing/colours.ts";
import type { Theme } from "./drawing/look.ts";
import { numberTerms, rankTerms, ShownTerms } from "./drawing/termNumbers.ts";
import { foldValidations } from "./model/findings.ts";
import { sortGradients } from "./model/gradients.ts";
import { groupNamer } from "./model/grouping.ts";
import type { OwnRange } from "./model/limits.ts";
import { decodeLink, type Entries, encodeLink } from "./model/link.ts";
import { zoomRange } from "./model/ranges.ts";
import { QUANTITY_OF } from "./model/rules.ts";
import { type Choice, sameKeys, sortRecordings, updateChoice } from "./model/runs.ts";
import { DEFAULT_SETTINGS, type Settings } from "./model/settings.ts";
import { type View, WHOLE_VIEW, zoom } from "./model/view.ts";
import { Store } from "./store.ts";

export interface DashboardState {
  /** Undefined until the first answer. */
  readonly recordings: readonly Recording[] | undefined;
  /** How many runs' scalars the server is still to look at. */
  readonly waiting: number;
  /** The recordings of gradients, by the key of the recording that they belong to. */
  readonly gradients: ReadonlyMap<string, Recording>;
  readonly choice: Choice;
  readonly filter: string;
  readonly settings: Settings;
  readonly views: ReadonlyMap<string, View>;
  /** The steps whose figures all cards show, in the unit of the x axis. */
  readonly selected: Range | undefined;
  /** The y range that each card would have by itself, where all are to have the same. */
  readonly ownRanges: ReadonlyMap<string, OwnRange>;
  /** Of each recording, worst first, without what its training says; absent until looked at. */
  readonly findings: ReadonlyMap<string, readonly Finding[]>;
  readonly runNumbers: ReadonlyMap<string, number>;
  readonly termNumbers: ReadonlyMap<string, number>;
  readonly theme: Theme;
  readonly isVisible: boolean;
  /** Counts the reloads, so that charts know when to ask again. */
  readonly reloads: number;
  /** TensorBoard did not answer the last request. */
  readonly isUnreachable: boolean;
  /** Why the list of recordings could not be had, though TensorBoard answered. */
  readonly failure: string | undefined;
}

/** Milliseconds in which what is found is shown at once. */
const TOGETHER = 200;
/** Milliseconds until more may have been found among scalars. */
const SOON = 1000;

export class Dashboard extends Store<DashboardState> {
  private isStale = true;
  private request = 0;
  /** Every grouping has colours of its own. */
  private readonly ranks = new Map<string, ReadonlyMap<string, number>>();
  private readonly shownTerms = new Map<string, ShownTerms>();
  private readonly watch = new FindingsWatch(
    () => this.state.isVisible,
    (key, found) => this.setFindings(key, found),
  );
  private readonly composed = new Map<string, Recording>();
  private readonly found = new Map<string, readonly Finding[]>();
  private asking: ReturnType<typeof setTimeout> | undefined;
  private telling: ReturnType<typeof setTimeout> | undefined;
  private isUntold = false;
  /** What is shown alone, and what was chosen before that. */
  private alone: ReadonlySet<string> = new Set();
  private beforeAlone: ReadonlySet<string> = new Set();
  private hostNumbers: ReadonlyMap<string, number> = new Map();

  constructor() {
    super({
      recordings: undefined,
      waiting: 0,
      gradients: new Map(),
      choice: { chosen: new Set(), known: new Set() },
      filter: "",
      settings: DEFAULT_SETTINGS,
      views: new Map(),
      selected: undefined,
      ownRanges: new Map(),
      findings: new Map(),
      runNumbers: new Map(),
      termNumbers: new Map(),
      theme: "light",
      isVisible: false,
      reloads: 0,
      isUnreachable: false,
      failure: undefined,
    });
  }

  /** Those of all recordings. */
  get columns(): readonly Column[] {
    return (this.state.recordings ?? []).flatMap((recording) => recording.columns);
  }

  setTheme(theme: Theme): void {
    this.update({ theme });
  }

  /** TensorBoard's own runs, in its order. */
  setRuns(runs: readonly string[]): void {
    this.hostNumbers = numberRuns(this.hostNumbers, runs);
    this.update({ runNumbers: this.numberRuns(this.state.recordings ?? []) });
  }

  /** Runs that TensorBoard has not told of (yet) come after those it has. */
  private numberRuns(recordings: readonly Recording[]): ReadonlyMap<string, number> {
    return numberRuns(
      this.hostNumbers,
      recordings.map((recording) => recording.run),
    );
  }

  private numberTerms(group: string, recordings: readonly Recording[]) {
    const all = [...recordings, ...this.composed.values()];
    const ranks = rankTerms(this.ranks.get(group) ?? new Map(), all, ({ columns }) =>
      groupNamer(group, columns),
    );
    this.ranks.set(group, ranks);
    return numberTerms(ranks, this.shownOf(group).inOrder(all, ranks));
  }

  private shownOf(group: string): ShownTerms {
    const shown = this.shownTerms.get(group) ?? new ShownTerms();
    this.shownTerms.set(group, shown);
    return shown;
  }

  /** A recording of scalars is composed on this page, so that its terms may be others. */
  setComposed(recording: Recording): void {
    this.composed.set(recording.key, recording);
    const { settings, recordings = [] } = this.state;
    this.update({ termNumbers: this.numberTerms(settings.group, recordings) });
  }

  /** What is drawn of a recording: those terms get colours that no other term has. */
  showTerms(recording: string, keys: readonly string[]): void {
    const { settings, recordings = [] } = this.state;
    if (this.shownOf(settings.group).add(recording, keys)) {
      const termNumbers = this.numberTerms(settings.group, recordings);
      const { termNumbers: before } = this.state;
      if ([...termNumbers].some(([key, number]) => before.get(key) !== number)) {
        this.update({ termNumbers });
      }
    }
  }

  /** Nothing is fetched while the tab is hidden; what was missed is fetched when it is shown. */
  setVisible(isVisible: boolean): void {
    if (isVisible !== this.state.isVisible) {
      this.update({ isVisible });
      if (isVisible && this.isStale) {
        void this.reload();
      } else if (isVisible) {
        this.lookForFindings();
      }
    }
  }

  async reload(): Promise<void> {
    if (!this.state.isVisible) {
      this.isStale = true;
      return;
    }
    this.isStale = false;
    const request = ++this.request;
    try {
      const { recordings, waiting } = await fetchRecordings();
      if (request === this.request) {
        this.show(sortRecordings(recordings), waiting);
      }
    } catch (error) {
      if (request === this.request) {
        this.isStale = true;
        const isUnreachable = error instanceof Unreachable;
        const failure = isUnreachable ? undefined : String((error as Error).message);
        this.update({ isUnreachable, failure });
      }
    }
  }

  private show(all: readonly Recording[], waiting: number): void {
    const { losses: recordings, gradients } = sortGradients(all);
    this.update({
      recordings,
      waiting,
      gradients,
      choice: updateChoice(
        this.state.choice,
        recordings.map(({ key }) => key),
      ),
      runNumbers: this.numberRuns(recordings),
      termNumbers: this.numberTerms(this.state.settings.group, recordings),
      reloads: this.state.reloads + 1,
      isUnreachable: false,
      failure: undefined,
    });
    this.lookForFindings();
    if (waiting > 0) {
      clearTimeout(this.asking);
      this.asking = setTimeout(() => void this.reload(), SOON);
    }
  }

  /** In the chosen runs first. */
  private lookForFindings(): void {
    const { recordings = [], choice } = this.state;
    const isChosen = ({ key }: Recording) => choice.chosen.has(key);
    const others = recordings.filter((recording) => !isChosen(recording));
    void this.watch.look(recordings.filter(isChosen), others);
  }

  /** Findings of runs that are not chosen wait until the table of runs is filled. */
  fillOverview<Value>(overview: Promise<Value>): Promise<Value> {
    this.watch.waitFor(overview);
    return overview;
  }

  private setFindings(key: string, found: readonly Finding[]): void {
    const known = this.found.get(key) ?? [];
    if (known.length > 0 || found.length > 0) {
      this.found.set(key, found);
      if (this.telling === undefined) {
        this.tellFindings();
      } else {
        this.isUntold = true;
      }
    }
  }

  /** The first at once; then those of many runs come one by one, and each change is drawn anew. */
  private tellFindings(): void {
    this.isUntold = false;
    this.update({ findings: foldValidations(this.found) });
    this.telling = setTimeout(() => {
      this.telling = undefined;
      if (this.isUntold) {
        this.tellFindings();
      }
    }, TOGETHER);
  }

  /** What a link to this state holds. */
  linkEntries(): Entries {
    return encodeLink(
      this.state,
      (this.state.recordings ?? []).map(({ key }) => key),
    );
  }

  /** Takes the state from a link. */
  restore(entries: Entries): void {
    const { choice, ...state } = decodeLink(entries);
    const keys = (this.state.recordings ?? []).map(({ key }) => key);
    const termNumbers = this.numberTerms(state.settings.group, this.state.recordings ?? []);
    this.update({ ...state, termNumbers, choice: updateChoice(choice, keys) });
  }

  setUnreachable(isUnreachable: boolean): void {
    if (isUnreachable !== this.state.isUnreachable) {
      this.update({ isUnreachable });
    }
  }

  setFilter(filter: string): void {
    this.update({ filter });
  }

  changeSettings(change: Partial<Settings>): void {
    const changed = { ...this.state.settings, ...change };
    // Ends of a y range are of one quantity and of no other.
    const isOtherQuantity = QUANTITY_OF[changed.view] !== QUANTITY_OF[this.state.settings.view];
    const settings = isOtherQuantity ? { ...changed, yMin: undefined, yMax: undefined } : changed;
    // A zoom and a selection are parts of one x axis and of no other.
    const isOtherAxis = settings.x !== this.state.settings.x;
    const views = isOtherAxis
      ? new Map([...this.state.views].map(([key, view]) => [key, zoom(view, undefined)]))
      : this.state.views;
    const termNumbers =
      settings.group === this.state.settings.group
        ? this.state.termNumbers
        : this.numberTerms(settings.group, this.state.recordings ?? []);
    const selected = isOtherAxis ? undefined : this.state.selected;
    this.update({ settings, views, selected, termNumbers });
  }

  choose(keys: readonly string[], isChosen: boolean): void {
    const chosen = new Set(this.state.choice.chosen);
    for (const key of keys) {
      if (isChosen) {
        chosen.add(key);
      } else {
        chosen.delete(key);
      }
    }
    this.update({ choice: { ...this.state.choice, chosen } });
  }

  /** Shows a run's card before all that are not pinned; back to its place if it is there. */
  pinUp(key: string): void {
    const isUp = this.viewOf(key).isPinned === true && this.state.choice.chosen.has(key);
    this.choose([key], true);
    this.changeView(key, (view) => ({ ...view, isPinned: !isUp }));
  }

  /** Chooses some runs alone; if they are, again those of before, or all where none is known. */
  showAlone(...keys: readonly string[]): void {
    const { choice, recordings = [] } = this.state;
    const isAlone = sameKeys(choice.chosen, new Set(keys));
    const before = this.beforeAlone.size > 0 ? this.beforeAlone : recordings.map(({ key }) => key);
    if (!isAlone && !sameKeys(choice.chosen, this.alone)) {
      this.beforeAlone = choice.chosen;
    }
    this.alone = new Set(keys);
    this.update({ choice: { ...choice, chosen: new Set(isAlone ? before : keys) } });
  }

  /** Shows a part of an x axis, all of it if that is undefined; a part without a stretch is none. */
  zoom(key: string, part: Range | undefined, whole: Range): void {
    const range = part && zoomRange(part, whole, this.state.settings.x);
    if (range !== undefined || part === undefined) {
      this.changeView(key, (view) => zoom(view, range));
    }
  }

  /** Selects a part of the x axis in all cards; undefined for none. */
  select(selected: Range | undefined): void {
    this.update({ selected });
  }

  /** Tells of the y range that a card would have by itself; undefined for none. */
  setOwnRange(key: string, own: OwnRange | undefined): void {
    const ownRanges = new Map(this.state.ownRanges);
    const isChanged = own === undefined ? ownRanges.delete(key) : ownRanges.set(key, own);
    if (isChanged) {
      this.update({ ownRanges });
    }
  }

  viewOf(key: string): View {
    return this.state.views.get(key) ?? WHOLE_VIEW;
  }

  changeView(key: string, change: (view: View) => View): void {
    this.update({ views: new Map(this.state.views).set(key, change(this.viewOf(key))) });
  }
}
