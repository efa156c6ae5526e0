/*
 * The whole C interface between Deno and the text library: byte-level BPE, encoding and training.
 *
 * Every function returns an int32_t. A negative one means failure, and ft_text_last_error() then has the
 * sentence; what the others mean stands beside each function ("0" where there is nothing to say).
 * Splitters, encoders and trainers are handles, freed by their caller; a handle used after that is an error.
 *
 * Text is UTF-8, which the caller has checked; malformed text gives wrong ids and no crash.
 * Documents lie one after the other in one buffer; `ends` has the byte after each.
 *
 * src/text/symbols.ts mirrors this file line by line; a test compares them.
 */
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FT_TEXT_ABI_VERSION 2

/* guard.cpp: errors, ownership, the process */
int32_t ft_text_abi_version(void);
int32_t ft_text_last_error(char *out, int32_t capacity); /* bytes of the message; copies what fits */
int32_t ft_text_free(int32_t handle);
int32_t ft_text_peak_memory(double *out); /* of this process so far, in bytes */
int32_t ft_text_refuse_exec(void); /* no thread of the process starts a program from now on */

/* splitter.cpp: how text is cut into the pieces that are merged. classes[0x110000]: of every code point, below 62 */
int32_t ft_text_splitter(const uint8_t *classes, const int32_t *steps, int32_t length); /* a handle */

/* encoder.cpp. bytes[256]: the id of each byte or -1; merges: left, right and new id, by rank; whole: ids that
 * pieces take which are tokens as a whole, token i being the bytes up to whole_ends[i] */
int32_t ft_text_encoder(int32_t splitter, const int32_t *bytes, const int32_t *merges, int32_t merge_count,
                        const uint8_t *whole, const int32_t *whole_ends, const int32_t *whole_ids,
                        int32_t whole_count); /* a handle */
/* Encodes documents and keeps the result; id_ends[documents] gets where each document's ids end. */
int32_t ft_text_encode(int32_t encoder, const uint8_t *text, const double *ends, int32_t documents, int32_t threads,
                       double *id_ends);
int32_t ft_text_take(int32_t encoder, uint32_t *out, double count); /* moves the kept ids out; count must be theirs */

/* trainer.cpp. bytes[256]: the id of each byte; new ids begin at first */
int32_t ft_text_trainer(int32_t splitter, const int32_t *bytes, int32_t first); /* a handle */
int32_t ft_text_count(int32_t trainer, const uint8_t *text, const double *ends, int32_t documents, int32_t threads);
int32_t ft_text_train(int32_t trainer, int32_t tokens); /* at most so many; the number of merges, each a token, made */
int32_t ft_text_merges(int32_t trainer, int32_t *out, int32_t count); /* left and right id of each, in order */

#ifdef __cplusplus
}
#endif
