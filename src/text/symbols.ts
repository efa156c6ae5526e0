/**
 * The symbol table of the text library: mirrors native/text/text.h line by line; test/text/symbols_test.ts fails when
 * they differ.
 */

export const ABI_VERSION = 2;

export const SYMBOLS = {
  // guard.cpp
  ft_text_abi_version: { parameters: [], result: "i32" },
  ft_text_last_error: { parameters: ["buffer", "i32"], result: "i32" },
  ft_text_free: { parameters: ["i32"], result: "i32" },
  ft_text_peak_memory: { parameters: ["buffer"], result: "i32" },
  ft_text_refuse_exec: { parameters: [], result: "i32" },
  // splitter.cpp
  ft_text_splitter: { parameters: ["buffer", "buffer", "i32"], result: "i32" },
  // encoder.cpp
  ft_text_encoder: {
    parameters: ["i32", "buffer", "buffer", "i32", "buffer", "buffer", "buffer", "i32"],
    result: "i32",
  },
  ft_text_encode: { parameters: ["i32", "buffer", "buffer", "i32", "i32", "buffer"], result: "i32" },
  ft_text_take: { parameters: ["i32", "buffer", "f64"], result: "i32" },
  // trainer.cpp
  ft_text_trainer: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  ft_text_count: { parameters: ["i32", "buffer", "buffer", "i32", "i32"], result: "i32" },
  ft_text_train: { parameters: ["i32", "i32"], result: "i32" },
  ft_text_merges: { parameters: ["i32", "buffer", "i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;
