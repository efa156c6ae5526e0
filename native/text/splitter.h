// Pre-tokenization: cuts text into the pieces that are merged, one step after the other.
//
// A step is a pattern, compiled by src/text/program.ts into the instructions below, or a space put before a piece.
// A pattern speaks of classes of characters only: those that no pattern tells apart share one, so that a set of
// characters is 64 bits and a test is a shift.
#pragma once
#include <string>
#include <vector>

#include "guard.h"

namespace ft::text {

/// The class that stands for the end of the text.
constexpr int END_CLASS = 63;

/// What an instruction does. The numbers are those of src/text/program.ts.
enum class Op : int32_t {
  accept = 0, // the match ends here
  one = 1,    // one character of the set
  many = 2,   // `min` to `max` characters of the set, as many as there are; gives back one by one
  all = 3,    // the same, without giving back: what follows could not begin with one of them
  absent = 4, // the next character is not of the set; takes none
  fork = 5,   // goes on if the next character is of the set, and at `target` when that fails or it is not
  jump = 6,   // goes on at `target`
};

struct Instruction {
  Op op;
  uint64_t set;
  int32_t min, max; // characters; max < 0: any number
  int32_t target;   // index of an instruction
};

struct Step {
  bool space;      // puts a space before a piece that has none; there is no pattern then
  bool keep_gaps;  // what no match covers is a piece too
  std::vector<Instruction> pattern;
};

class Splitter : public Object {
public:
  Splitter(const uint8_t *classes, const int32_t *steps, int32_t length);

  /// Calls `piece(begin, end)` for every piece, in order. The bytes are valid during the call.
  template <class Piece> void split(const char *begin, const char *end, Piece &&piece) const {
    std::string spaced;
    run(0, begin, end, spaced, piece);
  }

private:
  /// Runs the steps from `at` on over one piece of the step before. `spaced` holds what a space was put before:
  /// one buffer is enough, since a piece is done with before the next one begins, and a space is put only once.
  template <class Piece>
  void run(size_t at, const char *begin, const char *end, std::string &spaced, Piece &piece) const {
    if (begin == end) return;
    if (at == steps.size()) return piece(begin, end);
    const Step &step = steps[at];
    if (step.space) {
      if (*begin == ' ') return run(at + 1, begin, end, spaced, piece);
      spaced.assign(1, ' ').append(begin, end);
      return run(at + 1, spaced.data(), spaced.data() + spaced.size(), spaced, piece);
    }
    const char *gap = begin;
    for (const char *from = begin; from < end;) {
      const char *to = match(step.pattern.data(), from, end);
      if (to == nullptr) {
        from += length_at(from, end);
        continue;
      }
      if (step.keep_gaps) run(at + 1, gap, from, spaced, piece);
      run(at + 1, from, to, spaced, piece);
      gap = from = to;
    }
    if (step.keep_gaps) run(at + 1, gap, end, spaced, piece);
  }

  /// Where the match that begins at `from` ends; nullptr if there is none.
  const char *match(const Instruction *pattern, const char *from, const char *end) const;

  /// Bytes of the character at `from`.
  static int length_at(const char *from, const char *end) {
    const auto lead = (uint8_t)*from;
    const int length = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    return length <= end - from ? length : 1;
  }

  /// The bit of the class of the character at `from`, and its length. At the end: the end's bit, length 0.
  uint64_t class_at(const char *from, const char *end, int &length) const {
    if (from == end) {
      length = 0;
      return uint64_t{1} << END_CLASS;
    }
    const auto lead = (uint8_t)*from;
    length = 1;
    return uint64_t{1} << (lead < 0x80 ? classes[lead] : class_of_long(from, end, length));
  }

  /// class_at() for a character of more than one byte.
  uint8_t class_of_long(const char *from, const char *end, int &length) const;

  std::vector<uint8_t> classes; // by code point
  std::vector<Step> steps;
};

} // namespace ft::text
