// Reads compiled steps, and matches a pattern by backtracking.
#include "splitter.h"

namespace ft::text {
namespace {

constexpr int32_t CODE_POINTS = 0x110000;
constexpr int32_t SPACE_STEP = -1;
/// More alternatives than a pattern may have open at a time; src/text/program.ts refuses longer patterns.
constexpr int32_t MAX_INSTRUCTIONS = 256;

/// The numbers of a program, one after the other.
struct Reader {
  const int32_t *at, *end;

  int32_t next() {
    if (at == end) throw std::invalid_argument("the steps are cut short");
    return *at++;
  }
  uint64_t set() {
    const auto low = (uint32_t)next();
    return (uint64_t)(uint32_t)next() << 32 | low;
  }
};

/// A step as src/text/program.ts writes it: keep_gaps, the number of instructions, then 6 numbers for each.
Step read_step(Reader &reader) {
  const int32_t kind = reader.next();
  if (kind == SPACE_STEP) return {true, true, {}};
  Step step = {false, kind != 0, {}};
  const int32_t count = reader.next();
  if (count < 1 || count > MAX_INSTRUCTIONS) throw std::invalid_argument("a pattern of a wrong length");
  for (int32_t i = 0; i < count; i++) {
    const auto op = (Op)reader.next();
    uint64_t set = reader.set();
    if (op == Op::one || op == Op::many || op == Op::all) set &= ~(uint64_t{1} << END_CLASS); // nothing to take there
    const int32_t min = reader.next(), max = reader.next(), target = reader.next();
    if (op < Op::accept || op > Op::jump) throw std::invalid_argument("an unknown instruction");
    // Only forwards: a pattern comes to its end.
    if ((op == Op::fork || op == Op::jump) && (target <= i || target >= count))
      throw std::invalid_argument("a jump out of the pattern");
    step.pattern.push_back({op, set, min, max, target});
  }
  if (step.pattern.back().op != Op::accept) throw std::invalid_argument("a pattern without an end");
  return step;
}

/// A place to go on from when what follows fails.
struct Resume {
  const Instruction *at;
  const char *least; // characters may be given back down to here; nullptr for a fork
  const char *text;
};

} // namespace

Splitter::Splitter(const uint8_t *classes, const int32_t *numbers, int32_t length)
    : classes(classes, classes + CODE_POINTS) {
  int spaces = 0;
  for (Reader reader{numbers, numbers + length}; reader.at != reader.end;) {
    steps.push_back(read_step(reader));
    spaces += steps.back().space;
  }
  if (spaces > 1) throw std::invalid_argument("more than one step puts a space");
}

uint8_t Splitter::class_of_long(const char *from, const char *end, int &length) const {
  length = length_at(from, end);
  const auto *bytes = (const uint8_t *)from;
  uint32_t code = length == 2 ? bytes[0] & 0x1f : length == 3 ? bytes[0] & 0x0f : bytes[0] & 0x07;
  for (int i = 1; i < length; i++) code = code << 6 | (bytes[i] & 0x3f);
  return classes[code < CODE_POINTS ? code : 0xfffd];
}

const char *Splitter::match(const Instruction *pattern, const char *text, const char *end) const {
  // An instruction leaves at most one place, and is passed at most once on a way: no more places than instructions.
  Resume places[MAX_INSTRUCTIONS];
  int open = 0;
  const Instruction *at = pattern;
  for (int length;;) {
    const Instruction &now = *at;
    bool fits = true;
    switch (now.op) {
    case Op::accept:
      return text;
    case Op::one:
      fits = class_at(text, end, length) & now.set;
      text += length;
      at++;
      break;
    case Op::many:
    case Op::all: {
      const char *least = now.min == 0 ? text : nullptr;
      int32_t count = 0;
      while (count != now.max && class_at(text, end, length) & now.set) {
        text += length;
        if (++count == now.min) least = text;
      }
      fits = count >= now.min;
      at++;
      if (fits && now.op == Op::many && text != least) places[open++] = {at, least, text};
      break;
    }
    case Op::absent:
      fits = !(class_at(text, end, length) & now.set);
      at++;
      break;
    case Op::fork:
      if (class_at(text, end, length) & now.set) {
        places[open++] = {pattern + now.target, nullptr, text};
        at++;
      } else {
        at = pattern + now.target;
      }
      break;
    case Op::jump:
      at = pattern + now.target;
      break;
    }
    if (fits) continue;
    if (open == 0) return nullptr;
    Resume &place = places[open - 1];
    at = place.at;
    if (place.least == nullptr) {
      text = place.text;
      open--;
      continue;
    }
    do place.text--;
    while (place.text > place.least && ((uint8_t)*place.text & 0xc0) == 0x80);
    text = place.text;
    if (text <= place.least) open--;
  }
}

} // namespace ft::text

using namespace ft::text;

FT_EXPORT int32_t ft_text_splitter(const uint8_t *classes, const int32_t *steps, int32_t length) {
  return guard([&] { return own(std::make_shared<Splitter>(classes, steps, length)); });
}
