/* Scan texts: what scorer/reference.py does with numpy, without the interpreter's lock.

   read()   cuts texts into surface words and chunks, and each into the number (row) it was first met with;
   new_*()  hands over those never met before, and learn_*() takes what Python makes of them: the analysis (stems,
            stop words, patterns of terms, character n-grams) is Python's alone, and done once a word;
   score()  turns rows into TF-IDF sums and hits of terms.

   Strings come with their lengths, so NUL is a character like others. What is a word character, a space or a lower-case
   letter is asked of the running Python; str.lower() itself lowers what is not plain. One thread at a time may use a
   Scanner, and nobody one that has raised MemoryError: it may have learnt the half of a word. Several Scanners may share
   the arrays they are made from. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#if defined(__GNUC__)
#define PREFETCH(address) __builtin_prefetch(address)
#else
#define PREFETCH(address) ((void)0)
#endif

enum { DROPPED = -2, ABSENT = -1 }; /* as in scorer/tables.py */
enum { CONTENT = 1, UNKNOWN = 2 };  /* flags of a word */
enum { FLAGS, FITS_START, FITS_END, NUMBERS }; /* the facts of a word, in their order; two NUMBERS a word block */
enum { BATCH = 64, PADDING = 128, LANES = 8, AHEAD = 24 };
static const uint64_t MULTIPLIER = 0x9E3779B97F4A7C15u; /* as in scorer/pairs.py */

/* ---- arrays that grow */

typedef struct { int32_t *items; int64_t n, capacity; } Ints;

static int grow(void **items, int64_t *capacity, int64_t needed, size_t size)
{
    if (needed <= *capacity) return 1;
    int64_t wanted = needed + needed / 2 + 64;
    void *moved = PyMem_RawRealloc(*items, (size_t)wanted * size);
    if (!moved) return 0;
    *items = moved;
    *capacity = wanted;
    return 1;
}

static int reserve(Ints *ints, int64_t more)
{
    return grow((void **)&ints->items, &ints->capacity, ints->n + more, sizeof *ints->items);
}

static int push(Ints *ints, int64_t value)
{
    if (value > INT32_MAX || !reserve(ints, 1)) return 0;
    ints->items[ints->n++] = (int32_t)value;
    return 1;
}

static int extend(Ints *ints, const void *values, int64_t n)
{
    if (!reserve(ints, n)) return 0;
    if (n) memcpy(ints->items + ints->n, values, (size_t)n * sizeof *ints->items);
    ints->n += n;
    return 1;
}

/* ---- a lexicon: strings to rows, in the order they are first met */

typedef struct { uint64_t head, tail, hash; int32_t length, row; } Slot; /* length: LONG if over 16; 0 if free */
typedef struct { uint64_t head, tail, hash; const uint8_t *start; int64_t length; } Token;
enum { LONG = 17 };

typedef struct {
    Slot *slots;
    int64_t n_slots; /* a power of 2, at least half of them free */
    uint8_t *bytes;  /* all strings, one behind the other */
    int64_t bytes_capacity;
    int64_t *ends; /* of each string among them */
    int64_t ends_capacity;
    int64_t n, n_known; /* rows; rows that Python has made something of */
    uint64_t seed;
} Lexicon;

static inline uint64_t mix(uint64_t value)
{
    value *= MULTIPLIER;
    return value ^ value >> 32;
}

/* 8 bytes as a number, those behind the n-th as 0; 8 may be read in any case. */
static inline uint64_t load(const uint8_t *bytes, int64_t n)
{
    uint64_t value;
    memcpy(&value, bytes, 8);
    uint64_t unwanted = n <= 0 ? ~(uint64_t)0 : n >= 8 ? 0 : ~(uint64_t)0 << 8 * n;
#if PY_BIG_ENDIAN
    unwanted = n <= 0 || n >= 8 ? unwanted : ~(uint64_t)0 >> 8 * n;
#endif
    return value & ~unwanted;
}

static inline Token make_token(const Lexicon *lexicon, const uint8_t *start, int64_t length)
{
    Token token = {load(start, length), load(start + 8, length - 8), 0, start, length};
    token.hash = mix(mix(lexicon->seed ^ token.head ^ (uint64_t)length) ^ token.tail);
    for (int64_t i = 16; i < length; i += 8) token.hash = mix(token.hash ^ load(start + i, length - i));
    return token;
}

static inline int64_t start_of(const Lexicon *lexicon, int64_t row) { return row ? lexicon->ends[row - 1] : 0; }

static inline int is_at(const Lexicon *lexicon, const Slot *slot, const Token *token)
{
    if (slot->hash != token->hash || slot->head != token->head || slot->tail != token->tail) return 0;
    if (token->length < LONG) return slot->length == token->length;
    int64_t start = start_of(lexicon, slot->row);
    return slot->length == LONG && lexicon->ends[slot->row] - start == token->length &&
           !memcmp(lexicon->bytes + start, token->start, (size_t)token->length);
}

static int rehash(Lexicon *lexicon, int64_t n_slots)
{
    Slot *slots = PyMem_RawCalloc((size_t)n_slots, sizeof *slots);
    if (!slots) return 0;
    for (int64_t i = 0; i < lexicon->n_slots; i++) {
        if (!lexicon->slots[i].length) continue;
        uint64_t at = lexicon->slots[i].hash & (uint64_t)(n_slots - 1);
        while (slots[at].length) at = (at + 1) & (uint64_t)(n_slots - 1);
        slots[at] = lexicon->slots[i];
    }
    PyMem_RawFree(lexicon->slots);
    lexicon->slots = slots;
    lexicon->n_slots = n_slots;
    return 1;
}

/* The row of a string, a new one if it was never met; -1 if there is no memory. */
static int64_t row_of(Lexicon *lexicon, const Token *token)
{
    if (2 * lexicon->n >= lexicon->n_slots && !rehash(lexicon, lexicon->n_slots ? 2 * lexicon->n_slots : 1024)) return -1;
    uint64_t mask = (uint64_t)(lexicon->n_slots - 1), at = token->hash & mask;
    for (; lexicon->slots[at].length; at = (at + 1) & mask)
        if (is_at(lexicon, lexicon->slots + at, token)) return lexicon->slots[at].row;
    int64_t row = lexicon->n, start = start_of(lexicon, row), end = start + token->length;
    if (row == INT32_MAX || !grow((void **)&lexicon->bytes, &lexicon->bytes_capacity, end, 1) ||
        !grow((void **)&lexicon->ends, &lexicon->ends_capacity, row + 1, sizeof *lexicon->ends))
        return -1;
    memcpy(lexicon->bytes + start, token->start, (size_t)token->length);
    lexicon->ends[row] = end;
    int32_t length = token->length < LONG ? (int32_t)token->length : LONG;
    lexicon->slots[at] = (Slot){token->head, token->tail, token->hash, length, (int32_t)row};
    lexicon->n++;
    return row;
}

static void free_lexicon(Lexicon *lexicon)
{
    PyMem_RawFree(lexicon->slots);
    PyMem_RawFree(lexicon->bytes);
    PyMem_RawFree(lexicon->ends);
    *lexicon = (Lexicon){.seed = lexicon->seed};
}

/* Which of 64 bytes are no spaces, the first byte as the lowest bit. */
static inline uint64_t letters_at(const uint8_t *bytes)
{
    uint64_t letters = 0;
#ifdef __SSE2__
    for (int i = 0; i < 64; i += 16) {
        __m128i is_space = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(bytes + i)), _mm_set1_epi8(' '));
        letters |= (uint64_t)(~_mm_movemask_epi8(is_space) & 0xffff) << i;
    }
#else
    for (int i = 0; i < 64; i++) letters |= (uint64_t)(bytes[i] != ' ') << i;
#endif
    return letters;
}

static inline int lowest_bit(uint64_t bits)
{
#if defined(__GNUC__)
    return __builtin_ctzll(bits);
#else
    int at = 0;
    while (!(bits >> at & 1)) at++;
    return at;
#endif
}

static int add_rows(Lexicon *lexicon, const Token *tokens, int n, Ints *rows)
{
    if (!reserve(rows, n)) return 0;
    for (int i = 0; i < n; i++) {
        int64_t row = row_of(lexicon, tokens + i);
        if (row < 0) return 0;
        rows->items[rows->n++] = (int32_t)row;
    }
    return 1;
}

/* The rows of all strings between spaces; PADDING spaces must stand behind the n-th byte. */
static int read_rows(Lexicon *lexicon, const uint8_t *text, int64_t n, Ints *rows)
{
    Token tokens[BATCH];
    int n_tokens = 0;
    int64_t start = -1; /* of the string at hand */
    for (int64_t base = 0; base <= n; base += 64) {
        uint64_t letters = letters_at(text + base), edges = letters ^ (letters << 1 | (start >= 0));
        for (; edges; edges &= edges - 1) {
            int64_t at = base + lowest_bit(edges);
            if (start < 0) {
                start = at;
                continue;
            }
            Token *token = tokens + n_tokens++;
            *token = make_token(lexicon, text + start, at - start);
            if (lexicon->n_slots) PREFETCH(lexicon->slots + (token->hash & (uint64_t)(lexicon->n_slots - 1)));
            start = -1;
            if (n_tokens < BATCH) continue;
            if (!add_rows(lexicon, tokens, n_tokens, rows)) return 0;
            n_tokens = 0;
        }
    }
    return add_rows(lexicon, tokens, n_tokens, rows);
}

/* ---- text to bytes: words or chunks in lower-case UTF-8 (surrogates too), spaces between them */

typedef struct { const void *data; int kind, is_ascii; int64_t n; } Text;

static inline uint8_t lower_ascii(uint8_t c) { return (uint8_t)(c + ((uint8_t)(c - 'A') < 26) * 32); }

static inline uint8_t fold_in_word(uint8_t c)
{
    uint8_t lower = lower_ascii(c);
    int is_word = ((uint8_t)(lower - 'a') < 26) | ((uint8_t)(c - '0') < 10) | (c == '_');
    return is_word ? lower : ' ';
}

static inline uint8_t fold_in_chunk(uint8_t c)
{
    int is_space = ((uint8_t)(c - '\t') < 5) | ((uint8_t)(c - 0x1c) < 4);
    return is_space ? ' ' : lower_ascii(c);
}

static inline uint8_t *put_utf8(uint8_t *out, Py_UCS4 c)
{
    if (c < 0x800) {
        *out++ = (uint8_t)(0xc0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *out++ = (uint8_t)(0xe0 | c >> 12);
        } else {
            *out++ = (uint8_t)(0xf0 | c >> 18);
            *out++ = (uint8_t)(0x80 | (c >> 12 & 0x3f));
        }
        *out++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    }
    *out++ = (uint8_t)(0x80 | (c & 0x3f));
    return out;
}

/* Each of these gives the number of bytes, and puts spaces behind them. */
static int64_t fold_words(const Text *text, uint8_t *restrict out)
{
    const uint8_t *restrict ascii = text->data;
    int64_t n = 0, length = text->n, n_ascii = text->is_ascii ? length : 0;
    for (; n < n_ascii; n++) out[n] = fold_in_word(ascii[n]);
    for (int64_t i = n; i < length; i++) {
        Py_UCS4 c = PyUnicode_READ(text->kind, text->data, i);
        if (c >= 128 && Py_UNICODE_ISALNUM(c)) n = put_utf8(out + n, c) - out;
        else out[n++] = c < 128 ? fold_in_word((uint8_t)c) : ' ';
    }
    memset(out + n, ' ', PADDING);
    return n;
}

static int64_t fold_chunks(const Text *text, uint8_t *restrict out)
{
    const uint8_t *restrict ascii = text->data;
    int64_t n = 0, length = text->n, n_ascii = text->is_ascii ? length : 0;
    for (; n < n_ascii; n++) out[n] = fold_in_chunk(ascii[n]);
    for (int64_t i = n; i < length; i++) {
        Py_UCS4 c = PyUnicode_READ(text->kind, text->data, i);
        if (c >= 128 && !Py_UNICODE_ISSPACE(c)) n = put_utf8(out + n, c) - out;
        else out[n++] = c < 128 ? fold_in_chunk((uint8_t)c) : ' ';
    }
    memset(out + n, ' ', PADDING);
    return n;
}

/* Whether lower-casing changes no character but A to Z; others need str.lower(), which looks at their neighbours. */
static int is_plain(PyObject *text)
{
    if (PyUnicode_IS_ASCII(text)) return 1;
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    for (Py_ssize_t i = 0, n = PyUnicode_GET_LENGTH(text); i < n; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (c >= 128 && (Py_UNICODE_ISALNUM(c) || Py_UNICODE_TOLOWER(c) != c)) return 0;
    }
    return 1;
}

/* ---- what a Scanner is made of */

/* A PairTable, and for each of its slots a byte: 0 if it is free, else what marks its key, 16 times as small. Most pairs
   of a text are in no slot, and their marks say so. */
typedef struct { Py_buffer slots, marks; int bits; int64_t n_second; } Pairs;

static inline int64_t find(const Pairs *pairs, int64_t key)
{
    const int64_t *slots = pairs->slots.buf;
    const uint8_t *marks = pairs->marks.buf;
    uint64_t hash = (uint64_t)key * MULTIPLIER, mask = ((uint64_t)1 << pairs->bits) - 1;
    uint8_t mark = (uint8_t)(hash & 0xff) | 1;
    for (uint64_t at = hash >> (64 - pairs->bits); marks[at]; at = (at + 1) & mask)
        if (marks[at] == mark && slots[2 * at] == key) return slots[2 * at + 1];
    return ABSENT;
}

/* Whether the pair may be there; if so, memory is asked for it. */
static inline int may_hold(const Pairs *pairs, int64_t key)
{
    uint64_t at = (uint64_t)key * MULTIPLIER >> (64 - pairs->bits);
    if (!((const uint8_t *)pairs->marks.buf)[at]) return 0;
    PREFETCH((const int64_t *)pairs->slots.buf + 2 * at);
    return 1;
}

typedef struct { int32_t feature, count; } Counted; /* count: 0 in a place that is free */

typedef struct {
    Py_buffer weights; /* a row a feature: idf, idf times the weight of each label, zeros up to a multiple of LANES */
    int64_t n_features, n_labels, width;
    int is_sublinear;
    Counted *counted; /* a hash table of the features of the text at hand, so small that it stays in the cache */
    int64_t n_counted; /* its places, a power of 2 */
    int shift;
    int32_t *touched; /* the places that are taken, in the order they were */
    int64_t n_touched;
    double *sums; /* a row's width of them */
} Block;

typedef struct { Block block; Pairs below; int high; } WordBlock;
typedef struct { Block block; Ints columns, ends; } CharBlock; /* columns of each chunk, one chunk behind the other */

typedef struct {
    Pairs below;
    Py_buffer starts, ends; /* of node n: ends[starts[n]] to ends[starts[n + 1]], labels whose terms end there */
    int64_t n_labels;
    int64_t *longest, *behind, *reach; /* of the text at hand; longest is all 0 between words */
    int32_t *touched;
    int64_t n_touched;
} Terms;

typedef struct {
    PyObject_HEAD
    Lexicon words, chunks;
    Ints facts; /* of each word: flags, where its patterns start and end among `fits`, its number in each word block */
    Ints fits;
    WordBlock *word_blocks;
    CharBlock *char_blocks;
    int64_t n_word_blocks, n_char_blocks;
    Terms terms;
    Ints word_rows, word_ends, chunk_rows, chunk_ends; /* of the texts last read */
    Ints kept, nodes;
    uint8_t *folded;
    int64_t folded_capacity;
    double tf[256]; /* 1 + log(count) */
} Scanner;

/* ---- rows to sums */

/* Room for the features of a text in which n of them occur, repeats too; at most half of it will be taken. */
static int make_room(Block *block, int64_t n)
{
    int bits = 6;
    while ((int64_t)1 << bits < 2 * n) bits++;
    if (bits > 31) return 0; /* places are int32_t */
    block->shift = 64 - bits;
    if ((int64_t)1 << bits <= block->n_counted) return 1;
    block->n_counted = 0;
    PyMem_RawFree(block->counted);
    PyMem_RawFree(block->touched);
    block->counted = PyMem_RawCalloc((size_t)1 << bits, sizeof *block->counted);
    block->touched = PyMem_RawCalloc((size_t)1 << bits, sizeof *block->touched);
    if (!block->counted || !block->touched) return 0;
    block->n_counted = (int64_t)1 << bits;
    return 1;
}

static inline void count_feature(Block *block, int32_t feature)
{
    uint64_t at = (uint64_t)feature * MULTIPLIER >> block->shift, mask = ~(uint64_t)0 >> block->shift;
    while (block->counted[at].count && block->counted[at].feature != feature) at = (at + 1) & mask;
    if (!block->counted[at].count++) {
        const double *row = (const double *)block->weights.buf + feature * block->width;
        for (int64_t lane = 0; lane < block->width; lane += LANES) PREFETCH(row + lane);
        block->counted[at].feature = feature;
        block->touched[block->n_touched++] = (int32_t)at;
    }
}

/* sums += tf * row, for a width that is a multiple of LANES */
static inline void add_row(double *restrict sums, const double *restrict row, double tf, int64_t width)
{
    for (int64_t first = 0; first < width; first += LANES)
        for (int lane = 0; lane < LANES; lane++) sums[first + lane] += tf * row[first + lane];
}

/* Puts x . W of the features counted into `sums`, and forgets the features; how many there were. */
static double finish_block(const Scanner *scanner, Block *block, double *sums)
{
    int64_t width = block->width, n = block->n_touched;
    double square = 0;
    memset(block->sums, 0, (size_t)width * sizeof *block->sums);
    for (int64_t i = 0; i < n; i++) {
        Counted *counted = block->counted + block->touched[i];
        const double *row = (const double *)block->weights.buf + counted->feature * width;
        int32_t count = counted->count;
        double tf = !block->is_sublinear ? (double)count : count < 256 ? scanner->tf[count] : 1 + log((double)count);
        square += tf * row[0] * (tf * row[0]);
        add_row(block->sums, row, tf, width);
        counted->count = 0;
    }
    double scale = square > 0 ? 1 / sqrt(square) : 0;
    for (int64_t label = 0; label < block->n_labels; label++) sums[label] = block->sums[label + 1] * scale;
    block->n_touched = 0;
    return (double)n;
}

static inline int64_t n_facts(const Scanner *scanner) { return NUMBERS + 2 * scanner->n_word_blocks; }

static inline const int32_t *facts_of(const Scanner *scanner, int32_t row)
{
    return scanner->facts.items + row * n_facts(scanner);
}

/* A value of `below` is a node and, above its 32 bits, the feature of the n-gram that ends there; both may be ABSENT. */
static int count_ngrams(Scanner *scanner, int64_t column, const int32_t *rows, int64_t n_rows)
{
    WordBlock *words = scanner->word_blocks + column;
    int32_t *kept = scanner->kept.items, *nodes = scanner->nodes.items;
    int64_t n = 0;
    if (!make_room(&words->block, n_rows * words->high)) return 0;
    for (int64_t i = 0; i < n_rows; i++) {
        const int32_t *numbers = facts_of(scanner, rows[i]) + NUMBERS + 2 * column;
        if (numbers[0] == DROPPED) continue;
        kept[n] = nodes[n] = numbers[0];
        n++;
        if (numbers[1] >= 0) count_feature(&words->block, numbers[1]);
    }
    for (int length = 2; length <= words->high && length <= n; length++) {
        int64_t last = n - length;
        for (int64_t i = 0; i <= last; i++) { /* ask memory for all there is to look at, then look */
            int32_t next = kept[i + length - 1];
            if (nodes[i] < 0 || next < 0 || !may_hold(&words->below, nodes[i] * words->below.n_second + next)) nodes[i] = ABSENT;
        }
        for (int64_t i = 0; i <= last; i++) {
            if (nodes[i] < 0) continue;
            int64_t found = find(&words->below, nodes[i] * words->below.n_second + kept[i + length - 1]);
            nodes[i] = (int32_t)(found & 0xffffffff);
            if (found >= 0) count_feature(&words->block, (int32_t)(found >> 32));
        }
    }
    return 1;
}

static inline int64_t chunk_start(const CharBlock *characters, int32_t row) { return row ? characters->ends.items[row - 1] : 0; }

static int count_chunks(CharBlock *characters, const int32_t *rows, int64_t n_rows)
{
    int64_t n = 0;
    for (int64_t i = 0; i < n_rows; i++) n += characters->ends.items[rows[i]] - chunk_start(characters, rows[i]);
    if (!make_room(&characters->block, n)) return 0;
    for (int64_t i = 0; i < n_rows; i++) {
        int64_t end = characters->ends.items[rows[i]];
        for (int64_t at = chunk_start(characters, rows[i]); at < end; at++)
            count_feature(&characters->block, characters->columns.items[at]);
    }
    return 1;
}

/* Note the longest term of each label that goes on with `node`, which the word at `at` fits. */
static void follow(Scanner *scanner, int32_t node, const int32_t *rows, int64_t n_rows, int64_t at)
{
    Terms *terms = &scanner->terms;
    const int32_t *starts = terms->starts.buf, *ends = terms->ends.buf;
    for (int64_t i = starts[node]; i < starts[node + 1]; i++) {
        if (!terms->longest[ends[i]]) terms->touched[terms->n_touched++] = ends[i];
        if (at + 1 > terms->longest[ends[i]]) terms->longest[ends[i]] = at + 1;
    }
    if (at + 1 >= n_rows) return;
    const int32_t *facts = facts_of(scanner, rows[at + 1]);
    for (int32_t i = facts[FITS_START]; i < facts[FITS_END]; i++) {
        int64_t child = find(&terms->below, node * terms->below.n_second + scanner->fits.items[i]);
        if (child >= 0) follow(scanner, (int32_t)child, rows, n_rows, at + 1);
    }
}

/* As TermTree.matches(), counted by label. */
static void count_terms(Scanner *scanner, const int32_t *rows, int64_t n_rows, double *hits)
{
    Terms *terms = &scanner->terms;
    memset(terms->behind, 0, (size_t)terms->n_labels * sizeof *terms->behind);
    memset(terms->reach, 0, (size_t)terms->n_labels * sizeof *terms->reach);
    for (int64_t at = 0; at < n_rows; at++) {
        const int32_t *facts = facts_of(scanner, rows[at]);
        for (int32_t i = facts[FITS_START]; i < facts[FITS_END]; i++)
            follow(scanner, scanner->fits.items[i], rows, n_rows, at);
        for (int64_t i = 0; i < terms->n_touched; i++) {
            int64_t friend = terms->touched[i] - terms->n_labels, end = terms->longest[terms->touched[i]];
            if (friend >= 0 && end > terms->reach[friend]) terms->reach[friend] = end;
        }
        for (int64_t i = 0; i < terms->n_touched; i++) {
            int64_t label = terms->touched[i], end = terms->longest[label];
            terms->longest[label] = 0;
            if (label >= terms->n_labels || at < terms->behind[label]) continue;
            terms->behind[label] = end;
            if (terms->reach[label] < end) hits[label]++;
        }
        terms->n_touched = 0;
    }
}

/* ---- the Python type */

static int read_text(Scanner *self, const Text *text)
{
    if (!grow((void **)&self->folded, &self->folded_capacity, (text->is_ascii ? 1 : 4) * text->n + PADDING, 1)) return 0;
    int64_t n = fold_words(text, self->folded);
    if (!read_rows(&self->words, self->folded, n, &self->word_rows) || !push(&self->word_ends, self->word_rows.n)) return 0;
    if (!self->n_char_blocks) return 1;
    n = fold_chunks(text, self->folded);
    return read_rows(&self->chunks, self->folded, n, &self->chunk_rows) && push(&self->chunk_ends, self->chunk_rows.n);
}

/* The text as read_text() wants it, and the object that holds its characters. */
static PyObject *lowered(PyObject *item, Text *text)
{
    PyObject *string = PyUnicode_FromObject(item);
    if (string && !is_plain(string)) Py_SETREF(string, PyObject_CallMethod(string, "lower", NULL));
    if (string)
        *text = (Text){PyUnicode_DATA(string), PyUnicode_KIND(string), PyUnicode_IS_ASCII(string), PyUnicode_GET_LENGTH(string)};
    return string;
}

static PyObject *scanner_read(Scanner *self, PyObject *texts)
{
    PyObject *items = PySequence_Tuple(texts), *strings = NULL;
    Py_ssize_t n = items ? PyTuple_GET_SIZE(items) : 0;
    Text *views = PyMem_Calloc((size_t)n + 1, sizeof *views);
    int done = 0;
    if (!items || !views || !(strings = PyList_New(n))) goto end;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *string = lowered(PyTuple_GET_ITEM(items, i), views + i);
        if (!string) goto end;
        PyList_SET_ITEM(strings, i, string);
    }
    self->word_rows.n = self->word_ends.n = self->chunk_rows.n = self->chunk_ends.n = 0;
    Py_BEGIN_ALLOW_THREADS
    done = 1;
    for (Py_ssize_t i = 0; done && i < n; i++) done = read_text(self, views + i);
    done = done && reserve(&self->kept, self->word_rows.n) && reserve(&self->nodes, self->word_rows.n);
    Py_END_ALLOW_THREADS
end:
    PyMem_Free(views);
    Py_XDECREF(items);
    Py_XDECREF(strings);
    if (done) Py_RETURN_NONE;
    return PyErr_Occurred() ? NULL : PyErr_NoMemory();
}

static PyObject *new_strings(Lexicon *lexicon)
{
    PyObject *found = PyList_New(lexicon->n - lexicon->n_known);
    for (int64_t row = lexicon->n_known; found && row < lexicon->n; row++) {
        int64_t start = start_of(lexicon, row), length = lexicon->ends[row] - start;
        PyObject *string = PyUnicode_DecodeUTF8((const char *)lexicon->bytes + start, length, "surrogatepass");
        if (!string) Py_CLEAR(found);
        else PyList_SET_ITEM(found, row - lexicon->n_known, string);
    }
    return found;
}

static PyObject *scanner_new_words(Scanner *self, PyObject *unused) { return new_strings(&self->words); }
static PyObject *scanner_new_chunks(Scanner *self, PyObject *unused) { return new_strings(&self->chunks); }

static int is_int32(const Py_buffer *buffer, int64_t n)
{
    if (buffer->len == n * (int64_t)sizeof(int32_t)) return 1;
    PyErr_SetString(PyExc_ValueError, "an array has another length than the others say");
    return 0;
}

static int add_facts(Scanner *self, int64_t n, const int32_t *numbers, const int32_t *flags, const int32_t *ends)
{
    int32_t before = (int32_t)self->fits.n;
    int done = reserve(&self->facts, n * n_facts(self)) && reserve(&self->fits, n ? ends[n - 1] : 0);
    for (int64_t i = 0; done && i < n; i++) {
        int32_t facts[] = {flags[i], before + (i ? ends[i - 1] : 0), before + ends[i]};
        done = extend(&self->facts, facts, NUMBERS) &&
               extend(&self->facts, numbers + 2 * i * self->n_word_blocks, 2 * self->n_word_blocks);
    }
    return done;
}

static PyObject *scanner_learn_words(Scanner *self, PyObject *args)
{
    Py_buffer numbers, flags, ends, fits;
    if (!PyArg_ParseTuple(args, "y*y*y*y*", &numbers, &flags, &ends, &fits)) return NULL;
    int64_t n = self->words.n - self->words.n_known;
    int done = is_int32(&numbers, 2 * n * self->n_word_blocks) && is_int32(&flags, n) && is_int32(&ends, n) &&
               is_int32(&fits, n ? ((const int32_t *)ends.buf)[n - 1] : 0);
    if (done) {
        done = add_facts(self, n, numbers.buf, flags.buf, ends.buf) &&
               extend(&self->fits, fits.buf, fits.len / (int64_t)sizeof(int32_t));
        if (done) self->words.n_known = self->words.n;
        else PyErr_NoMemory();
    }
    PyBuffer_Release(&numbers);
    PyBuffer_Release(&flags);
    PyBuffer_Release(&ends);
    PyBuffer_Release(&fits);
    return done ? Py_NewRef(Py_None) : NULL;
}

static PyObject *scanner_learn_chunks(Scanner *self, PyObject *args)
{
    int64_t n = self->chunks.n - self->chunks.n_known;
    if (PyTuple_GET_SIZE(args) != self->n_char_blocks)
        return PyErr_Format(PyExc_TypeError, "expected (ends, columns) for each block of characters");
    for (int64_t b = 0; b < self->n_char_blocks; b++) {
        CharBlock *characters = self->char_blocks + b;
        Py_buffer ends, columns;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(args, b), "y*y*", &ends, &columns)) return NULL;
        int done = is_int32(&ends, n) && is_int32(&columns, n ? ((const int32_t *)ends.buf)[n - 1] : 0);
        if (done) {
            int64_t before = characters->columns.n, n_columns = columns.len / (int64_t)sizeof(int32_t);
            done = before + n_columns <= INT32_MAX && extend(&characters->columns, columns.buf, n_columns) &&
                   reserve(&characters->ends, n);
            for (int64_t i = 0; done && i < n; i++) push(&characters->ends, before + ((const int32_t *)ends.buf)[i]);
            if (!done) PyErr_NoMemory();
        }
        PyBuffer_Release(&ends);
        PyBuffer_Release(&columns);
        if (!done) return NULL;
    }
    self->chunks.n_known = self->chunks.n;
    Py_RETURN_NONE;
}

typedef struct { Py_buffer *sums, n_features, hits, words; } Results;

static int score_text(Scanner *self, int64_t text, const Results *into)
{
    int64_t n_blocks = self->n_word_blocks + self->n_char_blocks, n_rows;
    double *n_features = (double *)into->n_features.buf + text * n_blocks, *words = (double *)into->words.buf + 3 * text;
    int64_t start = text ? self->word_ends.items[text - 1] : 0;
    const int32_t *rows = self->word_rows.items + start;
    n_rows = self->word_ends.items[text] - start;
    int64_t n_content = 0, n_unknown = 0;
    for (int64_t i = 0; i < n_rows; i++) {
        PREFETCH(facts_of(self, rows[i + AHEAD < n_rows ? i + AHEAD : i]));
        int32_t flags = facts_of(self, rows[i])[FLAGS];
        n_content += (flags & CONTENT) != 0;
        n_unknown += (flags & UNKNOWN) != 0;
    }
    words[0] = (double)n_rows;
    words[1] = (double)n_content;
    words[2] = (double)n_unknown;
    if (self->terms.below.n_second) count_terms(self, rows, n_rows, (double *)into->hits.buf + text * self->terms.n_labels);
    for (int64_t b = 0; b < self->n_word_blocks; b++) {
        Block *block = &self->word_blocks[b].block;
        if (!count_ngrams(self, b, rows, n_rows)) return 0;
        n_features[b] = finish_block(self, block, (double *)into->sums[b].buf + text * block->n_labels);
    }
    for (int64_t b = 0; b < self->n_char_blocks; b++) {
        Block *block = &self->char_blocks[b].block;
        start = text ? self->chunk_ends.items[text - 1] : 0;
        if (!count_chunks(self->char_blocks + b, self->chunk_rows.items + start, self->chunk_ends.items[text] - start)) return 0;
        int64_t column = self->n_word_blocks + b;
        n_features[column] = finish_block(self, block, (double *)into->sums[column].buf + text * block->n_labels);
    }
    return 1;
}

static const Block *block_at(const Scanner *self, int64_t column)
{
    return column < self->n_word_blocks ? &self->word_blocks[column].block : &self->char_blocks[column - self->n_word_blocks].block;
}

static int is_matrix(const Py_buffer *buffer, int64_t n_rows, int64_t n_columns)
{
    if (buffer->len == n_rows * n_columns * (int64_t)sizeof(double)) return 1;
    PyErr_SetString(PyExc_ValueError, "an array has another shape than the texts and blocks ask for");
    return 0;
}

static PyObject *scanner_score(Scanner *self, PyObject *args)
{
    PyObject *arrays;
    Results into = {NULL};
    int64_t n_blocks = self->n_word_blocks + self->n_char_blocks, n_texts = self->word_ends.n, n_held = 0;
    if (!PyArg_ParseTuple(args, "O!w*w*w*", &PyTuple_Type, &arrays, &into.n_features, &into.hits, &into.words)) return NULL;
    into.sums = PyMem_Calloc((size_t)n_blocks + 1, sizeof *into.sums);
    int done = 0;
    if (!into.sums) { PyErr_NoMemory(); goto end; }
    if (PyTuple_GET_SIZE(arrays) != n_blocks || self->words.n_known != self->words.n || self->chunks.n_known != self->chunks.n) {
        PyErr_SetString(PyExc_ValueError, "a block has no array, or there are words yet to be learnt");
        goto end;
    }
    for (; n_held < n_blocks; n_held++) {
        Py_buffer *sums = into.sums + n_held;
        if (PyObject_GetBuffer(PyTuple_GET_ITEM(arrays, n_held), sums, PyBUF_CONTIG)) goto end;
        if (!is_matrix(sums, n_texts, block_at(self, n_held)->n_labels)) { n_held++; goto end; }
    }
    if (!is_matrix(&into.n_features, n_texts, n_blocks) || !is_matrix(&into.hits, n_texts, self->terms.n_labels) ||
        !is_matrix(&into.words, n_texts, 3))
        goto end;
    Py_BEGIN_ALLOW_THREADS
    done = 1;
    for (int64_t text = 0; done && text < n_texts; text++) done = score_text(self, text, &into);
    Py_END_ALLOW_THREADS
    if (!done) PyErr_NoMemory();
end:
    while (n_held > 0) PyBuffer_Release(into.sums + --n_held);
    PyMem_Free(into.sums);
    PyBuffer_Release(&into.n_features);
    PyBuffer_Release(&into.hits);
    PyBuffer_Release(&into.words);
    return done ? Py_NewRef(Py_None) : NULL;
}

static PyObject *scanner_size(Scanner *self, PyObject *unused)
{
    return Py_BuildValue("LL", (long long)(self->words.n + self->chunks.n),
                         (long long)(start_of(&self->words, self->words.n) + start_of(&self->chunks, self->chunks.n)));
}

static PyObject *scanner_forget(Scanner *self, PyObject *unused)
{
    free_lexicon(&self->words);
    free_lexicon(&self->chunks);
    self->facts.n = self->fits.n = 0;
    self->word_rows.n = self->word_ends.n = self->chunk_rows.n = self->chunk_ends.n = 0;
    for (int64_t b = 0; b < self->n_char_blocks; b++) self->char_blocks[b].columns.n = self->char_blocks[b].ends.n = 0;
    Py_RETURN_NONE;
}

static int make_block(Block *block, PyObject *parts)
{
    long long n_features, n_labels;
    if (!PyArg_ParseTuple(parts, "y*LLp", &block->weights, &n_features, &n_labels, &block->is_sublinear)) return 0;
    block->n_features = n_features;
    block->n_labels = n_labels;
    block->width = (n_labels + LANES) / LANES * LANES;
    if (!is_matrix(&block->weights, n_features, block->width)) return 0;
    block->sums = PyMem_RawCalloc((size_t)block->width, sizeof *block->sums);
    if (block->sums) return 1;
    PyErr_NoMemory();
    return 0;
}

static int make_pairs(Pairs *pairs, PyObject *parts)
{
    long long n_second;
    if (!PyArg_ParseTuple(parts, "y*y*iL", &pairs->slots, &pairs->marks, &pairs->bits, &n_second)) return 0;
    pairs->n_second = n_second;
    if (pairs->bits > 0 && pairs->bits < 56 && pairs->slots.len == (int64_t)16 << pairs->bits &&
        pairs->marks.len == (int64_t)1 << pairs->bits)
        return 1;
    PyErr_SetString(PyExc_ValueError, "a table of pairs has another size than 2 to the power of its bits");
    return 0;
}

static int make_word_block(WordBlock *words, PyObject *parts)
{
    PyObject *block, *below;
    if (!PyArg_ParseTuple(parts, "O!O!i", &PyTuple_Type, &block, &PyTuple_Type, &below, &words->high)) return 0;
    return make_block(&words->block, block) && make_pairs(&words->below, below);
}

static int make_terms(Terms *terms, PyObject *parts)
{
    PyObject *below;
    long long n_labels;
    if (!PyArg_ParseTuple(parts, "O!y*y*L", &PyTuple_Type, &below, &terms->starts, &terms->ends, &n_labels)) return 0;
    terms->n_labels = n_labels;
    terms->longest = PyMem_RawCalloc(2 * (size_t)n_labels + 1, sizeof *terms->longest);
    terms->touched = PyMem_RawCalloc(2 * (size_t)n_labels + 1, sizeof *terms->touched);
    terms->behind = PyMem_RawCalloc((size_t)n_labels + 1, sizeof *terms->behind);
    terms->reach = PyMem_RawCalloc((size_t)n_labels + 1, sizeof *terms->reach);
    if (terms->longest && terms->touched && terms->behind && terms->reach) return make_pairs(&terms->below, below);
    PyErr_NoMemory();
    return 0;
}

/* Scanner(word_blocks, char_blocks, terms, seed), as scorer/compiled.py builds them. */
static PyObject *scanner_new(PyTypeObject *type, PyObject *args, PyObject *unused)
{
    PyObject *word_blocks, *char_blocks, *terms;
    unsigned long long seed;
    if (!PyArg_ParseTuple(args, "O!O!O!K", &PyTuple_Type, &word_blocks, &PyTuple_Type, &char_blocks, &PyTuple_Type, &terms, &seed))
        return NULL;
    Scanner *self = (Scanner *)type->tp_alloc(type, 0);
    if (!self) return NULL;
    self->words.seed = self->chunks.seed = seed;
    for (int count = 1; count < 256; count++) self->tf[count] = 1 + log(count);
    self->word_blocks = PyMem_RawCalloc((size_t)PyTuple_GET_SIZE(word_blocks) + 1, sizeof *self->word_blocks);
    self->char_blocks = PyMem_RawCalloc((size_t)PyTuple_GET_SIZE(char_blocks) + 1, sizeof *self->char_blocks);
    int made = self->word_blocks && self->char_blocks;
    if (!made) PyErr_NoMemory();
    for (Py_ssize_t b = 0; made && b < PyTuple_GET_SIZE(word_blocks); b++, self->n_word_blocks++)
        made = make_word_block(self->word_blocks + b, PyTuple_GET_ITEM(word_blocks, b));
    for (Py_ssize_t b = 0; made && b < PyTuple_GET_SIZE(char_blocks); b++, self->n_char_blocks++)
        made = make_block(&self->char_blocks[b].block, PyTuple_GET_ITEM(char_blocks, b));
    if (made && make_terms(&self->terms, terms)) return (PyObject *)self;
    Py_DECREF(self);
    return NULL;
}

static void free_block(Block *block)
{
    PyBuffer_Release(&block->weights);
    PyMem_RawFree(block->counted);
    PyMem_RawFree(block->touched);
    PyMem_RawFree(block->sums);
}

static void scanner_dealloc(Scanner *self)
{
    PyTypeObject *type = Py_TYPE(self);
    /* the block that could not be made stands behind those that were; what it lacks is 0 */
    for (int64_t b = 0; self->word_blocks && b <= self->n_word_blocks; b++) {
        free_block(&self->word_blocks[b].block);
        PyBuffer_Release(&self->word_blocks[b].below.slots);
        PyBuffer_Release(&self->word_blocks[b].below.marks);
    }
    for (int64_t b = 0; self->char_blocks && b <= self->n_char_blocks; b++) {
        free_block(&self->char_blocks[b].block);
        PyMem_RawFree(self->char_blocks[b].columns.items);
        PyMem_RawFree(self->char_blocks[b].ends.items);
    }
    PyMem_RawFree(self->word_blocks);
    PyMem_RawFree(self->char_blocks);
    Terms *terms = &self->terms;
    PyBuffer_Release(&terms->below.slots);
    PyBuffer_Release(&terms->below.marks);
    PyBuffer_Release(&terms->starts);
    PyBuffer_Release(&terms->ends);
    PyMem_RawFree(terms->longest);
    PyMem_RawFree(terms->touched);
    PyMem_RawFree(terms->behind);
    PyMem_RawFree(terms->reach);
    free_lexicon(&self->words);
    free_lexicon(&self->chunks);
    Ints *every[] = {&self->facts, &self->fits, &self->word_rows, &self->word_ends, &self->chunk_rows,
                     &self->chunk_ends, &self->kept, &self->nodes};
    for (size_t i = 0; i < sizeof every / sizeof *every; i++) PyMem_RawFree(every[i]->items);
    PyMem_RawFree(self->folded);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"read", (PyCFunction)scanner_read, METH_O, "Cut texts into words and chunks, each into its row."},
    {"new_words", (PyCFunction)scanner_new_words, METH_NOARGS, "The words that are yet to be learnt."},
    {"new_chunks", (PyCFunction)scanner_new_chunks, METH_NOARGS, "The chunks that are yet to be learnt."},
    {"learn_words", (PyCFunction)scanner_learn_words, METH_VARARGS, "Take numbers, flags, ends and fits of the new words."},
    {"learn_chunks", (PyCFunction)scanner_learn_chunks, METH_VARARGS, "Take (ends, columns) of the new chunks, a block each."},
    {"score", (PyCFunction)scanner_score, METH_VARARGS, "Add what the texts last read hold to arrays of zeros."},
    {"size", (PyCFunction)scanner_size, METH_NOARGS, "How many words and chunks are known, and their bytes."},
    {"forget", (PyCFunction)scanner_forget, METH_NOARGS, "Forget all words and chunks."},
    {NULL}};
static PyType_Slot slots[] = {
    {Py_tp_new, scanner_new}, {Py_tp_dealloc, scanner_dealloc}, {Py_tp_methods, methods}, {0, NULL}};
static PyType_Spec spec = {"classify.scorer._scanner.Scanner", sizeof(Scanner), 0, Py_TPFLAGS_DEFAULT, slots};

static int add_type(PyObject *module)
{
    PyObject *type = PyType_FromSpec(&spec);
    int failed = !type || PyModule_AddObjectRef(module, "Scanner", type) < 0;
    Py_XDECREF(type);
    return failed ? -1 : 0;
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, add_type}, {0, NULL}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_scanner", NULL, 0, NULL, module_slots};

PyMODINIT_FUNC PyInit__scanner(void) { return PyModuleDef_Init(&definition); }
