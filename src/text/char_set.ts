/** Sets of Unicode code points, from the properties that the JavaScript engine knows. */

/** Code points go up to here, exclusive. */
export const CODE_POINTS = 0x110000;

/** A set of code points: immutable. */
export class CharSet {
  /** @param ranges Starts and ends (exclusive), in turn, ascending, neither touching nor empty. */
  private constructor(readonly ranges: readonly number[]) {}

  static readonly ALL = new CharSet([0, CODE_POINTS]);

  /** Code points from `first` to `last`, both in it. */
  static range(first: number, last: number): CharSet {
    return new CharSet([first, last + 1]);
  }

  /** The code points of a string. */
  static of(characters: string): CharSet {
    return CharSet.union(
      Array.from(characters, (character) => {
        const code = character.codePointAt(0)!;
        return CharSet.range(code, code);
      }),
    );
  }

  /** Code points that are in any of the sets. */
  static union(sets: readonly CharSet[]): CharSet {
    const pairs = sets.flatMap(({ ranges }) =>
      Array.from({ length: ranges.length / 2 }, (_, i) => [ranges[2 * i]!, ranges[2 * i + 1]!] as const)
    ).sort((a, b) => a[0] - b[0]);
    const ranges: number[] = [];
    for (const [start, end] of pairs) {
      const last = ranges.at(-1);
      if (last === undefined || start > last) ranges.push(start, end);
      else if (end > last) ranges[ranges.length - 1] = end;
    }
    return new CharSet(ranges);
  }

  /**
   * Code points of a general category, such as `L` or `Nd`; undefined if there is none of this name.
   *
   * Only what is assigned counts, so not those of `C`.
   */
  static category(name: string): CharSet | undefined {
    if (!/^(L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?)$/.test(name)) return undefined;
    let set = categories.get(name);
    if (!set) categories.set(name, set = new CharSet(scan(new RegExp(`\\p{${name}}`, "u"))));
    return set;
  }

  /** Code points that are not in it. */
  complement(): CharSet {
    const { ranges } = this;
    const inner = ranges[0] === 0 ? ranges.slice(1) : [0, ...ranges];
    return new CharSet(inner.at(-1) === CODE_POINTS ? inner.slice(0, -1) : [...inner, CODE_POINTS]);
  }

  /** Whether some code point is in both. */
  meets(other: CharSet): boolean {
    const [a, b] = [this.ranges, other.ranges];
    for (let i = 0, j = 0; i < a.length && j < b.length;) {
      if (a[i + 1]! <= b[j]!) i += 2;
      else if (b[j + 1]! <= a[i]!) j += 2;
      else return true;
    }
    return false;
  }
}

/** White_Space of the Unicode standard; JavaScript's own `\s` differs in U+0085 and U+FEFF. */
export const WHITE_SPACE = CharSet.union([
  CharSet.range(0x09, 0x0d),
  CharSet.of(" \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000"),
  CharSet.range(0x2000, 0x200a),
]);

const categories = new Map<string, CharSet>();

/** Where assigned characters are that are not for private use. */
const ASSIGNED = [[0, 0x34000], [0xe0000, 0xe1000]] as const;

/** Ranges of the code points that match. */
function scan(property: RegExp): number[] {
  const ranges: number[] = [];
  for (const [start, end] of ASSIGNED) {
    let inside = false;
    for (let code = start; code < end; code++) {
      if (property.test(String.fromCodePoint(code)) === inside) continue;
      ranges.push(code);
      inside = !inside;
    }
    if (inside) ranges.push(end);
  }
  return ranges;
}
