/** Asks for the findings of recordings that are new or have grown, a few at a time. */

import { fetchFindings, Unreachable } from "./api.ts";
import type { Finding } from "./findings.ts";
import type { Recording } from "./recording.ts";

/** The charts come first: a person waits for them. */
const PATIENCE = 300;
const AT_ONCE = 2;

export class FindingsWatch {
  /** The last step up to which each recording was looked at. */
  private readonly seen = new Map<string, number | null>();
  private round = 0;
  private overview: Promise<unknown> = Promise.resolve();
  private readonly isWanted: () => boolean;
  private readonly onFound: (key: string, findings: readonly Finding[]) => void;

  constructor(isWanted: () => boolean, onFound: (key: string, found: readonly Finding[]) => void) {
    this.isWanted = isWanted;
    this.onFound = onFound;
  }

  /** Of what is not on the screen, the table of runs tells more: the server reads for it first. */
  waitFor(overview: Promise<unknown>): void {
    this.overview = overview.catch(() => undefined);
  }

  /** Takes the place of what was asked for before and has not been answered. */
  async look(chosen: readonly Recording[], others: readonly Recording[] = []): Promise<void> {
    const round = ++this.round;
    await new Promise((resolve) => setTimeout(resolve, PATIENCE));
    await this.askAll(chosen, round);
    await this.overview;
    await this.askAll(others, round);
  }

  private async askAll(recordings: readonly Recording[], round: number): Promise<void> {
    const waiting = recordings.values();
    const work = async () => {
      for (const recording of waiting) {
        if (round !== this.round || !this.isWanted()) {
          return;
        }
        if (this.seen.get(recording.key) !== recording.lastStep) {
          await this.ask(recording);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  private async ask(recording: Recording): Promise<void> {
    this.seen.set(recording.key, recording.lastStep);
    try {
      this.onFound(recording.key, await fetchFindings(recording));
    } catch (error) {
      // Charts say what is wrong with the server; the next reload asks again.
      if (error instanceof Unreachable) {
        this.round++;
      }
      this.seen.delete(recording.key);
    }
  }
}
