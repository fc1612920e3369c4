/** The filter of terms. */

export interface TermFilter {
  /** Undefined where all terms are shown. */
  readonly pattern: RegExp | undefined;
  /** The expression cannot be read, so nothing is filtered. */
  readonly invalid: boolean;
}

export function termPattern(expression: string): TermFilter {
  if (expression === "") {
    return { pattern: undefined, invalid: false };
  }
  try {
    return { pattern: new RegExp(expression, "i"), invalid: false };
  } catch {
    return { pattern: undefined, invalid: true };
  }
}
