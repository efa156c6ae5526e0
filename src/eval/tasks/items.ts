/** What a task asks: three forms, of which every task is one, whether its items come from files or are made up. */

/** Two texts, of which the model has to find the first more likely as a whole. */
export interface Pair {
  readonly form: "pair";
  readonly good: string;
  readonly bad: string;
}

/** A text with its end taken off, which the model has to give back. */
export interface Cloze {
  readonly form: "cloze";
  readonly context: string;
  /** What follows, with the space before it if there is one. */
  readonly target: string;
}

/** A question with several answers, of which one is right. */
export interface Choice {
  readonly form: "choice";
  readonly context: string;
  /** What follows the context, each with the space before it if there is one. */
  readonly choices: readonly string[];
  /** Index of the right one. */
  readonly answer: number;
  /** Where choices differ in the context too (WinoGrande): contexts by choice, before one common ending. */
  readonly contexts?: readonly string[];
}

export type Item = Pair | Cloze | Choice;

/** Items that are counted together, such as one paradigm of BLiMP. */
export interface Group {
  readonly name: string;
  readonly items: readonly Item[];
}
