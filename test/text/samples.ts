/** Text that is hard to cut into pieces, for the tests that compare with the public library. */
import fc from "fast-check";

/** Documents that someone thought of. */
export const HARD_DOCUMENTS: readonly string[] = [
  "",
  " ",
  "\n",
  "a",
  "Hello, world!  It's 12345 o'clock;   we'll see.\n\n\tIndented\r\n\r\n  end ",
  "I'M DON'T y'all'd've 'S 's '\u017f it'\u017ft K\u212a'LL",
  "0 12 123 1234 1234567890 3.14 1e-9 \u0663\u0661 \u00bd\u2166 \u{1d7d8}9 x1y22z333",
  "x\u{11de0}\u{16ff5}y \u{11de9}7 \u0b72 \u3007", // numbers of the newest Unicode, and others
  "   leading and trailing   \n \n  \t \u00a0 \u3000 \u2028\u2029 \u0085 \ufeffBOM\ufeff",
  "a\u0000b\u0001\u001b[0m\u007f\u0080\u009f\u00ad\u200b\u200d\ufffe\uffff",
  "family \u{1f468}\u200d\u{1f469}\u200d\u{1f467}\u200d\u{1f466}, flags \u{1f1e9}\u{1f1ea}, \u{1f44d}\u{1f3fd} keycap 1\ufe0f\u20e3 \u{1fae0}",
  "e\u0301 \u00e9 a\u0323\u0307 \u1e9b\u0323 \u212b \ufb01 \u01c5 \u1100\u1161\u11a8 \uac01 \u{1d15e} \u00e9t\u00e9 e\u0301te\u0301",
  "\u4f60\u597d\uff0c\u4e16\u754c\u3002\u3053\u3093\u306b\u3061\u306f \u30ab\u30bf\u30ab\u30ca \ud55c\uad6d\uc5b4 \u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \u0928\u092e\u0938\u094d\u0924\u0947 \u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd \u041f\u0440\u0438\u0432\u0435\u0442 \u0393\u03b5\u03b9\u03ac \u03a3\u03a3 \u{10400}\u{10428}",
  "<|endoftext|> text <|endoftext|><|pad|>x <|im_x <think>2</think> <think><think>",
  'for (int i = 0; i < n; ++i) { printf("%d\\n", a[i]); }  // ok\n        return x_1 != null ? y : z;\n',
  "https://example.org/a?b=c&d=%20#e  snake_case camelCase HTTPServer ABCdef XMLHttpRequest/2.0\n/\n",
  "x".repeat(300) + " " + "ab".repeat(400) + "\n".repeat(90) + " ".repeat(130) + "=".repeat(257) +
  "e ".repeat(50),
  "\u00e9".repeat(150) + "\u4e00".repeat(120) + "\u{1f600}".repeat(70),
];

/** Characters that patterns treat in ways of their own, among any others. */
const character = fc.oneof(
  {
    arbitrary: fc.constantFrom(
      ..." \n\r\t'sStTlLdDmMrReEvVaAzZ019_-./<|>\\\u00a0\u0301\u200d\u{1f44d}\u4e00\u00e9\u0663",
    ),
    weight: 6,
  },
  { arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 1 }), weight: 1 },
  { arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 2 }), weight: 1 },
);

/** Any string, with the characters above more often. */
export const anyText = fc.array(character, { maxLength: 60 }).map((parts) => parts.join(""));

/** A document with a run of each script's first letters: every 97th code point that is assigned. */
export function allScripts(): string {
  const parts: string[] = [];
  for (let code = 0x80; code < 0x34000; code += 97) {
    const text = String.fromCodePoint(code, code + 1);
    if (/^[\p{L}\p{N}\p{M}\p{P}\p{S}\p{Z}]+$/u.test(text)) parts.push(text, code % 3 === 0 ? " " : "a", text);
  }
  return parts.join("");
}

/**
 * Text with characters that came after Unicode 9, where that matters to Unicode's forms: the public library's
 * normalisers are of that age, and leave them as they are.
 */
export const isYoung = (text: string): boolean =>
  /[\u{10500}-\u{1cfff}\u{1e000}-\u{1efff}\u{1f16c}\u{1fb00}-\u{1fbff}\u32ff\ua7f2-\ua7f4\uab69]/u.test(
    text,
  ) ||
  /[\u07fd\u0897-\u089f\u08ca-\u08d3\u09fe\u0c3c\u0d3b\u0d3c\u0eba\u1715\u1abf-\u1ace\u1df7-\u1dfa\ua82c]/
    .test(text);
