/** Records of every task as their data sets publish them, about a few sentences that a model can learn by heart. */

const ANIMALS = ["cat", "dog", "fox", "owl", "hen", "cow"];
const PLACES = ["mat", "log", "hill", "roof", "wall", "road"];

/** What the animals do, each always in its place. */
export const SENTENCES = ANIMALS.map((animal, i) => `The ${animal} sat on the ${PLACES[i]} and saw the sun`);

/** A text of those sentences in all kinds of order. */
export const TEXT = Array.from({ length: 60 }, (_, i) => SENTENCES[(i * i + 3 * i) % 6]!).join(". ");

const places = (i: number) => [0, 1, 2, 3].map((k) => PLACES[(i + k) % 6]!);
/** The right place does not always come first. */
const turned = <T>(list: readonly T[], by: number): T[] => [...list.slice(by), ...list.slice(0, by)];

const each = (record: (animal: string, i: number) => object): object[] => ANIMALS.map(record);

/** By task; file names are `<task>.jsonl`. */
export const RECORDS: Readonly<Record<string, readonly object[]>> = {
  blimp: each((animal, i) => ({
    sentence_good: `The ${animal} sat on the ${PLACES[i]}.`,
    sentence_bad: `The ${animal} sat on the ${PLACES[(i + 1 + i % 2) % 6]}.`,
  })),
  lambada: each((animal, i) => ({ text: `The ${animal} sat on the ${i === 5 ? "moon" : PLACES[i]}` })),
  hellaswag: each((animal, i) => ({
    activity_label: "Sitting",
    ctx_a: ` The ${animal} [header] is there. [title] The  sun.`,
    ctx_b: `the ${animal.toUpperCase()} sat`,
    endings: turned(places(i).map((place) => `on the ${place} [step] and saw the sun`), i % 4),
    label: String((4 - i % 4) % 4),
  })),
  arc_easy: each((animal, i) => ({
    question: `Where sat the ${animal}?`,
    choices: {
      text: turned(places(i).map((place, k) => `the ${place}${"!".repeat(k)}`), i % 4),
      label: i % 2 === 0 ? ["A", "B", "C", "D"] : ["1", "2", "3", "4"],
    },
    answerKey: (i % 2 === 0 ? "ABCD" : "1234")[(4 - i % 4) % 4],
  })),
  openbookqa: each((animal, i) => ({
    question: {
      stem: `The ${animal} sat on the`,
      choices: places(i).map((text, k) => ({ text: `${text}${" and".repeat(k)}`, label: "ABCD"[k] })),
    },
    answerKey: "A",
  })),
  piqa: each((animal, i) => ({
    goal: `Seat the ${animal}`,
    sol1: `on the ${PLACES[i]} and saw the sun`,
    sol2: `on the ${PLACES[(i + 1) % 6]}`,
    label: i % 2,
  })),
  sciq: each((animal, i) => ({
    support: i % 2 === 0 ? "" : ` ${SENTENCES[i]}.`,
    question: `Where sat the ${animal}?`,
    distractor1: PLACES[(i + 1) % 6],
    distractor2: "na\u00efve \u732b",
    distractor3: PLACES[(i + 3) % 6],
    correct_answer: PLACES[i],
  })),
  winogrande: each((animal, i) => ({
    sentence: `The _ sat on the ${PLACES[i]} and saw the sun.`,
    option1: i % 2 === 0 ? animal : ANIMALS[(i + 1) % 6],
    option2: i % 2 === 0 ? ANIMALS[(i + 1) % 6] : animal,
    answer: i % 3 === 0 ? "1" : "2",
  })),
};

/** Records as lines. */
export const linesOf = (records: readonly object[]): string =>
  records.map((record) => `${JSON.stringify(record)}\n`).join("");
