/* The C interface of vdsq: text classification, embeddings, few-shot training, generated texts and
 * analysis with models in .vdsq files. C99, and C++.
 *
 *     vdsq_model *model;
 *     vdsq_embedder *embedder;
 *     const char *texts[] = {"I was charged twice."};
 *     float vector[384];
 *     if (vdsq_model_open("minilm.vdsq", &model) ||
 *         vdsq_embedder_open(model, NULL, &embedder) ||
 *         vdsq_embed(embedder, texts, NULL, 1, vector, 384, NULL))
 *       fprintf(stderr, "%s\n", vdsq_last_error());
 *
 * Status. A function that can fail returns a status: VDSQ_OK, or one of the exit codes of the
 * command line (sysexits.h). vdsq_last_error then says in one line what is wrong and what to do.
 * A call that fails writes nothing through its arguments that a caller may rely on, except that a
 * handle becomes NULL.
 *
 * Handles. A handle refers to an object of the library. Whoever opens a handle owns it and closes
 * it once; NULL may be closed. Handles may be closed in any order: what is open keeps what it
 * needs. A handle that is closed already, or that is of another kind, is refused with
 * VDSQ_USAGE, and closing it does nothing.
 *
 * Threads. Every function may be called from any thread. All handles of a vdsq_model share one map
 * of its file, so that weights are in memory once. Embedders, classifiers, rerankers, generators
 * and scorers serve as many callers at a time as its options' concurrency says (1 by default), each
 * with working memory of its own; further callers wait. So share one handle between n threads with
 * concurrency n, or open one for each thread. Calls with an analyzer or a learner take turns. A
 * handle may be closed while another thread uses it; its memory is freed when that call returns.
 * After fork, a child must open its own handles.
 *
 * Texts. An array of pointers to UTF-8, and an array of their lengths in bytes, or NULL if all of
 * them end with a NUL. Invalid UTF-8 becomes U+FFFD. The library keeps no pointer of its caller's
 * after a call, unless a function says so.
 *
 * Options. A structure of options begins with its own size, which the caller sets to sizeof; all
 * other members may be 0, which is the default. A structure of a later version has more members:
 * this library refuses one whose further members are not 0. NULL stands for all defaults.
 *
 * Floats are IEEE 754 single precision, matrices are row-major without padding. */
#ifndef VDSQ_H
#define VDSQ_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this interface. It grows when functions or members are added, and the soname
 * (libvdsq.so.1) changes when anything is taken away or changes its meaning. */
#define VDSQ_ABI_VERSION 1

/* The result of a call. */
typedef int32_t vdsq_status;
enum {
  VDSQ_OK = 0,
  /* An argument or an option is wrong. */
  VDSQ_USAGE = 64,
  /* A file is damaged, or of a kind that is not supported. */
  VDSQ_BAD_INPUT = 65,
  /* A file does not exist or cannot be read. */
  VDSQ_MISSING_INPUT = 66,
  /* A fault that no input should cause. */
  VDSQ_INTERNAL = 70,
  /* The work does not fit the memory budget. */
  VDSQ_BUDGET = 75
};

/* The version of the interface that the library has; at least VDSQ_ABI_VERSION of the header that
 * a program was built with. */
uint32_t vdsq_abi_version(void);

/* The release of the library, for example "0.1.0". The library owns the string. */
const char *vdsq_version(void);

/* What was wrong with the last call of this thread that failed: one line of UTF-8, "" if none
 * failed. The library owns the string; the next call of this thread that fails overwrites it. */
const char *vdsq_last_error(void);

/* ---- Models ---- */

/* A model's file, mapped once and shared by everything that runs it. */
typedef struct vdsq_model vdsq_model;

/* Opens a model. Weights become resident when something runs it.
 *
 * path: of a .vdsq file.
 * model: receives a handle, which the caller closes.
 * Errors: VDSQ_MISSING_INPUT, VDSQ_BAD_INPUT. */
vdsq_status vdsq_model_open(const char *path, vdsq_model **model);

void vdsq_model_close(vdsq_model *model);

/* The arithmetic of int8 weights. */
enum {
  /* Activations in 8 bits, products in integers. */
  VDSQ_PRECISION_INTEGER = 0,
  /* Activations in floats. Slower, closer to the checkpoint. */
  VDSQ_PRECISION_HIGH = 1
};

/* How the layers of a model are kept in memory. Results are bit-identical. */
enum {
  /* Resident, or the fastest that memory_budget allows. */
  VDSQ_MEMORY_AUTOMATIC = 0,
  VDSQ_MEMORY_RESIDENT = 1,
  /* Mapped, and released behind each pass. */
  VDSQ_MEMORY_RELEASE = 2,
  /* Read into two buffers, ahead of the pass. */
  VDSQ_MEMORY_STREAM = 3
};

/* How a model is run. */
typedef struct vdsq_run_options {
  /* sizeof(vdsq_run_options). */
  size_t struct_size;
  /* Threads that share the work of one call, from 1 to 256; 0 for 1. */
  uint32_t threads;
  /* Callers that are served at a time, from 1 to 4096; 0 for 1. */
  uint32_t concurrency;
  /* VDSQ_PRECISION_... */
  uint32_t precision;
  /* VDSQ_MEMORY_... */
  uint32_t memory_policy;
  /* The limit of the process's peak resident memory in bytes; 0 for none. */
  uint64_t memory_budget;
  /* 1: cut texts if the budget has room for shorter ones only. 0: refuse such a budget. */
  uint32_t cuts_for_budget;
  /* The maximum number of tokens of a text; longer texts are truncated. 0 for the model's longest
   * sequence, at most 2048 for causal models. */
  uint32_t maximum_tokens;
  /* Texts of maximum length in a batch, from 1 to 4096; 0 for enough to keep all threads busy. */
  uint32_t batch;
  /* The number of dimensions that the vectors of a sentence encoder are cut to; they are scaled to
   * length 1 again if the model's are. 0 for all. */
  uint32_t dimensions;
  /* The name of the model's prompt that precedes every text, label words included; NULL for the
   * model's default. */
  const char *prompt;
} vdsq_run_options;

/* What a text was to the model. */
enum {
  /* It was truncated to the longest sequence. */
  VDSQ_TEXT_TRUNCATED = 1,
  /* It has nothing to read. */
  VDSQ_TEXT_BLANK = 2
};

typedef struct vdsq_text_info {
  /* The number of tokens, including those that the model adds. */
  uint32_t tokens;
  /* VDSQ_TEXT_... */
  uint32_t flags;
} vdsq_text_info;

/* ---- Memory ---- */

/* One use of memory, such as "layers" or "arena". */
typedef struct vdsq_plan_part {
  char name[24];
  /* Bytes that are resident at the peak. */
  uint64_t bytes;
} vdsq_plan_part;

/* The peak memory of this process when it runs a model. */
typedef struct vdsq_plan {
  /* sizeof(vdsq_plan). */
  size_t struct_size;
  /* The policy: VDSQ_MEMORY_... */
  uint32_t memory_policy;
  /* The number of tokens that texts are cut to. */
  uint32_t maximum_tokens;
  /* The sum of the parts, in bytes. */
  uint64_t peak_bytes;
  /* The number of parts. They do not overlap. */
  size_t part_count;
  vdsq_plan_part parts[16];
} vdsq_plan;

/* Plans the memory of running a model, without labels and adapters. One short text passes through
 * the model to measure what the process takes; the rest is arithmetic.
 *
 * options: its policy is planned; if it is automatic, the one that its budget leads to.
 * plan: the caller sets struct_size.
 * Errors: VDSQ_BUDGET names the smallest budget that suffices; VDSQ_USAGE, VDSQ_BAD_INPUT. */
vdsq_status vdsq_model_plan(
    vdsq_model *model, const vdsq_run_options *options, vdsq_plan *plan);

/* ---- Embeddings ---- */

/* Computes vectors of texts: embeddings of a sentence encoder, or states of a language model. */
typedef struct vdsq_embedder vdsq_embedder;

/* Errors: VDSQ_USAGE for options out of range, VDSQ_BAD_INPUT for a model that cannot be run,
 * VDSQ_BUDGET. */
vdsq_status vdsq_embedder_open(
    vdsq_model *model, const vdsq_run_options *options, vdsq_embedder **embedder);

void vdsq_embedder_close(vdsq_embedder *embedder);

/* The number of dimensions of a vector; 0 if the handle is not open. */
size_t vdsq_embedder_dimensions(vdsq_embedder *embedder);

/* The maximum number of tokens of a text; 0 if the handle is not open. */
size_t vdsq_embedder_maximum_tokens(vdsq_embedder *embedder);

/* Embeds texts, any number of them.
 *
 * vectors: the caller's; receives [count, dimensions] floats, of length 1 if the model normalizes.
 * capacity: the number of floats that it has room for.
 * info: the caller's, receives count elements; or NULL.
 * Errors: VDSQ_USAGE if capacity does not suffice; VDSQ_BAD_INPUT if weights cannot be read. */
vdsq_status vdsq_embed(
    vdsq_embedder *embedder, const char *const *texts, const size_t *lengths, size_t count,
    float *vectors, size_t capacity, vdsq_text_info *info);

/* The token ids of a text as the model reads it: with its special tokens and its prompt, truncated
 * to the longest sequence.
 *
 * length: of the text in bytes; SIZE_MAX if it ends with a NUL.
 * ids: the caller's; NULL to learn the number only.
 * capacity: the number of ids that it has room for.
 * count: receives the number of ids.
 * Errors: VDSQ_USAGE if capacity does not suffice; count is right then too. */
vdsq_status vdsq_tokens(
    vdsq_embedder *embedder, const char *text, size_t length, int32_t *ids, size_t capacity,
    size_t *count);

/* The text of a token, which may be a part of a UTF-8 sequence, without a NUL; empty for an id that
 * the vocabulary does not have.
 *
 * bytes: the caller's; NULL to learn the length only.
 * capacity: the number of bytes that it has room for.
 * length: receives the number of bytes.
 * Errors: VDSQ_USAGE if capacity does not suffice; length is right then too. */
vdsq_status vdsq_token_text(
    vdsq_embedder *embedder, int32_t id, char *bytes, size_t capacity, size_t *length);

/* ---- Adapters ---- */

/* What training on examples results in, for the model that it was trained on. */
typedef struct vdsq_adapter vdsq_adapter;

/* A label, and the words or phrases that describe it; its name is the only word if there are
 * none. */
typedef struct vdsq_label {
  const char *name;
  const char *const *words;
  size_t word_count;
} vdsq_label;

/* How an adapter is trained. */
typedef struct vdsq_training_options {
  /* sizeof(vdsq_training_options). */
  size_t struct_size;
  /* How the model is run; NULL for the defaults. */
  const vdsq_run_options *run;
  /* The method's name, as for vdsq adapt --method; NULL for "joint". */
  const char *method;
  /* 1: never change the encoder's weights, which takes minutes. */
  uint32_t freezes_encoder;
  /* 1: an example may have several labels, or none. The label of an example is then a list of
   * names with a line end between two. */
  uint32_t is_multi_label;
  /* The labels in the syntax of the command line ("a,b" or "a=word,word;b"), or as an array. NULL
   * and 0 for the labels of the examples. */
  const char *label_list;
  const vdsq_label *labels;
  size_t label_count;
  /* The label of texts that belong to no other; NULL for none. */
  const char *out_of_scope;
  /* A template around label words ("This is about {}.") or around texts ("Topic of {text}:"). NULL
   * for the default ones around label words. */
  const char *text_template;
  /* Seed of random numbers; 0 for 1. */
  uint64_t seed;
  /* Texts without labels to learn from, each with a NUL at its end, as for vdsq adapt
   * --unlabelled. */
  const char *const *unlabelled_texts;
  size_t unlabelled_count;
} vdsq_training_options;

/* Trains an adapter on labelled texts. Texts with nothing to read are left out.
 *
 * labels: the name of each text's label, with a NUL at its end.
 * adapter: receives a handle, which the caller closes.
 * Errors: VDSQ_USAGE for labels and options, VDSQ_BAD_INPUT for an example whose label is not among
 * those of the options, VDSQ_BUDGET. */
vdsq_status vdsq_adapter_train(
    vdsq_model *model, const vdsq_training_options *options, const char *const *texts,
    const size_t *lengths, const char *const *labels, size_t count, vdsq_adapter **adapter);

/* Reads an adapter's file (.vdsa).
 *
 * Errors: VDSQ_MISSING_INPUT, VDSQ_BAD_INPUT, also if it was trained on another model. */
vdsq_status vdsq_adapter_open(vdsq_model *model, const char *path, vdsq_adapter **adapter);

/* Writes an adapter's file. It appears completely or not at all.
 *
 * replaces: 1 if a file of that name may be replaced.
 * Errors: VDSQ_USAGE if it cannot be written, or exists. */
vdsq_status vdsq_adapter_write(vdsq_adapter *adapter, const char *path, uint32_t replaces);

void vdsq_adapter_close(vdsq_adapter *adapter);

/* ---- Classification ---- */

/* Assigns labels to texts. */
typedef struct vdsq_classifier vdsq_classifier;

/* What a classifier assigns. An adapter, or labels, or neither: then the head that the model was
 * trained with. */
typedef struct vdsq_classifier_options {
  /* sizeof(vdsq_classifier_options). */
  size_t struct_size;
  /* How the model is run; NULL for the defaults. */
  const vdsq_run_options *run;
  /* An adapter of the model; NULL for none. */
  vdsq_adapter *adapter;
  /* The labels in the syntax of the command line ("a,b" or "a=word,word;b"), or as an array. NULL
   * and 0 for none. */
  const char *label_list;
  const vdsq_label *labels;
  size_t label_count;
  /* The label of texts that belong to no other, by whose name no text is compared; NULL for
   * none. */
  const char *out_of_scope;
  /* A template around label words or texts, as in vdsq_training_options. */
  const char *text_template;
  /* The softmax temperature; 0 for that of the adapter, 0.05 for cosines, 1 for a language
   * model. */
  float temperature;
  /* 1: labels are hypotheses for a model of natural language inference. */
  uint32_t uses_entailment;
  /* With uses_entailment, 1: each label is right or wrong by itself. */
  uint32_t is_multi_label;
  /* Texts without labels, each with a NUL at its end. What a language model says about them on
   * average is subtracted from its scores. */
  const char *const *reference_texts;
  size_t reference_count;
} vdsq_classifier_options;

/* Errors: VDSQ_USAGE for labels and options, or if the model has no head; VDSQ_BAD_INPUT for a
 * model that cannot be run; VDSQ_BUDGET. */
vdsq_status vdsq_classifier_open(
    vdsq_model *model, const vdsq_classifier_options *options, vdsq_classifier **classifier);

void vdsq_classifier_close(vdsq_classifier *classifier);

/* The number of labels; 0 if the handle is not open. */
size_t vdsq_classifier_label_count(vdsq_classifier *classifier);

/* The name of a label; NULL if there is none of this index. The classifier owns the string, which
 * is valid until it is closed. */
const char *vdsq_classifier_label(vdsq_classifier *classifier, size_t index);

/* Whether a text may have any number of labels: 1 or 0. */
uint32_t vdsq_classifier_is_multi_label(vdsq_classifier *classifier);

/* Where the answers of a classifier go: buffers of the caller, each of which may be NULL. */
typedef struct vdsq_predictions {
  /* sizeof(vdsq_predictions). */
  size_t struct_size;
  /* The number of texts that each buffer has room for. */
  size_t capacity;
  /* The number of labels of a text, from 1 to the number of all. */
  size_t top;
  /* [capacity, top]: the indices of the most probable labels, best first. */
  uint32_t *labels;
  /* [capacity, top]: their probabilities, from 0 to 1; or values, if the model's own head was
   * trained for regression. */
  float *probabilities;
  /* [capacity, top]: the cosines of the text's state to the labels' anchors, or the logits of the
   * model's own head. */
  float *scores;
  /* [capacity, top]: 1 if the text has the label: the most probable one; or, if it may have any
   * number of them, one whose probability reaches its threshold. Otherwise 0. */
  uint8_t *given;
  /* [capacity]. All labels of a blank text are equally probable. */
  vdsq_text_info *info;
} vdsq_predictions;

/* Classifies texts, any number of them.
 *
 * predictions: the caller sets struct_size, capacity, top and the buffers.
 * Errors: VDSQ_USAGE if capacity does not suffice or top is out of range; VDSQ_BAD_INPUT if weights
 * cannot be read. */
vdsq_status vdsq_classify(
    vdsq_classifier *classifier, const char *const *texts, const size_t *lengths, size_t count,
    const vdsq_predictions *predictions);

/* Classifies pairs of texts, such as a premise and a hypothesis, by the model's own head.
 *
 * Errors: as for vdsq_classify; VDSQ_USAGE if the model reads no pairs. */
vdsq_status vdsq_classify_pairs(
    vdsq_classifier *classifier, const char *const *first, const size_t *first_lengths,
    const char *const *second, const size_t *second_lengths, size_t count,
    const vdsq_predictions *predictions);

/* ---- Learning one example after another ---- */

/* Learns an adapter's file one example at a time. Every change replaces the whole file, so that a
 * kill loses at most one; learners of several processes can share a file. */
typedef struct vdsq_learner vdsq_learner;

typedef struct vdsq_learner_options {
  /* sizeof(vdsq_learner_options). */
  size_t struct_size;
  /* How the model is run; NULL for the defaults. */
  const vdsq_run_options *run;
  /* The labels with which a file that does not exist begins, as in vdsq_classifier_options. */
  const char *label_list;
  const vdsq_label *labels;
  size_t label_count;
  const char *out_of_scope;
  const char *text_template;
} vdsq_learner_options;

/* What learning an example resulted in. */
typedef struct vdsq_learned {
  /* sizeof(vdsq_learned). */
  size_t struct_size;
  /* The label that the adapter gave to the text before. The learner owns the string, which is valid
   * until the learner's next change. */
  const char *predicted;
  /* The probability of that label, from 0 to 1. */
  float probability;
  /* The number of examples that the adapter has learned, this one among them. */
  size_t count;
} vdsq_learned;

/* Opens an adapter's file to learn on with, or begins one.
 *
 * path: of a file that vdsq_learner_open or training made; if it does not exist, the options must
 *   have labels, with which it begins.
 * Errors: VDSQ_MISSING_INPUT if it does not exist and there are no labels; VDSQ_USAGE if it exists
 * with other labels, or cannot be written; VDSQ_BAD_INPUT. */
vdsq_status vdsq_learner_open(
    vdsq_model *model, const char *path, const vdsq_learner_options *options,
    vdsq_learner **learner);

void vdsq_learner_close(vdsq_learner *learner);

/* Learns an example.
 *
 * length: of the text in bytes; SIZE_MAX if it ends with a NUL.
 * label: the name of one of the file's labels.
 * learned: the caller sets struct_size; NULL if it is not wanted.
 * Errors: VDSQ_BAD_INPUT if the label is not one of the file's or the text has nothing to read;
 * VDSQ_USAGE if the file cannot be written. */
vdsq_status vdsq_learn(
    vdsq_learner *learner, const char *text, size_t length, const char *label,
    vdsq_learned *learned);

/* Forgets the last example that was learned.
 *
 * label: receives the name of its label, or is NULL. The learner owns the string, which is valid
 *   until the learner's next change.
 * Errors: VDSQ_USAGE if no example is left that could be forgotten. */
vdsq_status vdsq_learner_undo(vdsq_learner *learner, const char **label);

/* Removes a label, and everything that its examples taught.
 *
 * Errors: VDSQ_BAD_INPUT if it is not one of the file's; VDSQ_USAGE if it is the only one. */
vdsq_status vdsq_learner_forget(vdsq_learner *learner, const char *label);

/* ---- Reranking ---- */

/* Scores passages for a query with a cross-encoder. */
typedef struct vdsq_reranker vdsq_reranker;

/* Errors: VDSQ_USAGE if the model is no cross-encoder; VDSQ_BAD_INPUT; VDSQ_BUDGET. */
vdsq_status vdsq_reranker_open(
    vdsq_model *model, const vdsq_run_options *options, vdsq_reranker **reranker);

void vdsq_reranker_close(vdsq_reranker *reranker);

/* The score of each passage, from 0 to 1, or a logit if the checkpoint says so.
 *
 * length: of the query in bytes; SIZE_MAX if it ends with a NUL.
 * scores: the caller's; receives count floats.
 * Errors: VDSQ_BAD_INPUT if weights cannot be read. */
vdsq_status vdsq_rerank(
    vdsq_reranker *reranker, const char *query, size_t length, const char *const *passages,
    const size_t *lengths, size_t count, float *scores);

/* ---- Language models ---- */

/* Generates texts with a causal language model. The maximum_tokens of its run options is that of a
 * prompt with its text, for which there is memory. */
typedef struct vdsq_generator vdsq_generator;

/* Errors: VDSQ_USAGE if the model is no causal language model; VDSQ_BAD_INPUT; VDSQ_BUDGET. */
vdsq_status vdsq_generator_open(
    vdsq_model *model, const vdsq_run_options *options, vdsq_generator **generator);

void vdsq_generator_close(vdsq_generator *generator);

/* What is generated behind a prompt, and when it ends. */
typedef struct vdsq_generation_options {
  /* sizeof(vdsq_generation_options). */
  size_t struct_size;
  /* The maximum number of tokens to generate; 0 for 256. */
  uint32_t maximum_tokens;
  /* The divisor of logits; 0 always takes the likeliest token. */
  float temperature;
  /* The number of likeliest tokens to choose from; 0 for all. */
  uint32_t top_k;
  /* The share of the probability that the tokens to choose from must have together; 0 for 1. */
  float top_p;
  /* The probability, relative to that of the likeliest token, below which tokens are left out. */
  float min_p;
  /* Makes tokens that are in the text already less likely; 0 for 1, which does not. */
  float repetition_penalty;
  /* The seed of the random numbers. */
  uint64_t seed;
  /* Texts that end the generated text, which is without them. Each ends with a NUL. */
  const char *const *stops;
  size_t stop_count;
  /* The text is one of these. Each ends with a NUL. */
  const char *const *choices;
  size_t choice_count;
  /* A regular expression that the text matches as a whole, as of `vdsq generate --regex`; NULL for
   * none. */
  const char *regex;
} vdsq_generation_options;

/* Receives a part of a text as soon as it is known: whole characters, in UTF-8, without a NUL at
 * the end. The last part may end within a character. It is called by the thread that waits for the
 * text. It may neither close the generator nor generate with it: with a concurrency of 1 that waits
 * for ever.
 *
 * context: as it was given.
 * Returns: 0 to go on; anything else ends the text. */
typedef int32_t (*vdsq_text_callback)(const char *text, size_t length, void *context);

/* Why a text ends. */
enum {
  /* At a token with which the model ends texts. */
  VDSQ_FINISH_END = 0,
  /* Before one of the stops. */
  VDSQ_FINISH_STOP = 1,
  /* It is what it must be, and nothing could follow. */
  VDSQ_FINISH_COMPLETE = 2,
  /* There is no room for more, or the callback ended it. */
  VDSQ_FINISH_LENGTH = 3
};

/* A generated text, which the callback has received. */
typedef struct vdsq_generated {
  /* sizeof(vdsq_generated). */
  size_t struct_size;
  /* VDSQ_FINISH_... */
  uint32_t finish;
  /* Tokens of the prompt, and generated ones, that of the end included. */
  uint32_t prompt_tokens;
  uint32_t tokens;
  /* The natural logarithm of the probability that the model gives the generated tokens. */
  double log_probability;
} vdsq_generated;

/* Generates text behind a prompt.
 *
 * length: of the prompt in bytes; SIZE_MAX if it ends with a NUL.
 * options: NULL for the defaults.
 * receive: NULL if the text is not wanted.
 * generated: the caller sets struct_size; NULL if it is not wanted.
 * Errors: VDSQ_BAD_INPUT if the prompt leaves no room for a text, or weights cannot be read. */
vdsq_status vdsq_generate(
    vdsq_generator *generator, const char *prompt, size_t length,
    const vdsq_generation_options *options, vdsq_text_callback receive, void *context,
    vdsq_generated *generated);

/* A message of a chat. */
typedef struct vdsq_message {
  /* "system", "user" or "assistant". */
  const char *role;
  /* UTF-8 that ends with a NUL. */
  const char *content;
} vdsq_message;

/* Answers a chat, which is written as the model's chat template says. Its last message is the
 * user's.
 *
 * Errors: VDSQ_USAGE if the model has no chat template, or the template no such order of roles; as
 * for vdsq_generate. */
vdsq_status vdsq_generate_answer(
    vdsq_generator *generator, const vdsq_message *messages, size_t count,
    const vdsq_generation_options *options, vdsq_text_callback receive, void *context,
    vdsq_generated *generated);

/* Tells how likely a causal language model finds texts, by the conventions of
 * lm-evaluation-harness. */
typedef struct vdsq_scorer vdsq_scorer;

/* Errors: as for vdsq_generator_open. */
vdsq_status vdsq_scorer_open(
    vdsq_model *model, const vdsq_run_options *options, vdsq_scorer **scorer);

void vdsq_scorer_close(vdsq_scorer *scorer);

enum {
  /* Greedy decoding would give the text. */
  VDSQ_SCORE_GREEDY = 1,
  /* The beginning of the context was left out, because both together are too long. */
  VDSQ_SCORE_CONTEXT_CUT = 2
};

/* How likely a text is. */
typedef struct vdsq_text_score {
  /* The natural logarithm of its probability: the sum over its tokens. */
  double log_probability;
  uint32_t tokens;
  /* VDSQ_SCORE_... */
  uint32_t flags;
} vdsq_text_score;

/* Scores texts, each behind its context or by itself.
 *
 * contexts, context_lengths: as texts and lengths; contexts is NULL to score whole texts, which may
 *   be of any length.
 * scores: the caller's; receives count elements.
 * Errors: VDSQ_BAD_INPUT if a text behind a context has no tokens or too many, or weights cannot be
 * read. */
vdsq_status vdsq_score(
    vdsq_scorer *scorer, const char *const *contexts, const size_t *context_lengths,
    const char *const *texts, const size_t *lengths, size_t count, vdsq_text_score *scores);

/* ---- Analysis ---- */

/* Compares hidden states of a model with its whole vocabulary. */
typedef struct vdsq_analyzer vdsq_analyzer;

/* What states are compared with. */
enum {
  /* Cosines to the bases of the vocabulary (disentangled logits). */
  VDSQ_VIEW_BASES = 0,
  /* The logits of the LM head. */
  VDSQ_VIEW_HEAD = 1
};

/* Errors: VDSQ_BAD_INPUT for a model that cannot be run; VDSQ_BUDGET. */
vdsq_status vdsq_analyzer_open(
    vdsq_model *model, const vdsq_run_options *options, vdsq_analyzer **analyzer);

void vdsq_analyzer_close(vdsq_analyzer *analyzer);

/* The sizes of an analyzer's arrays. */
typedef struct vdsq_analyzer_shape {
  /* sizeof(vdsq_analyzer_shape). */
  size_t struct_size;
  /* Tokens of the vocabulary. */
  size_t vocabulary;
  /* Layers, the embeddings not counted. */
  size_t layers;
  /* Dimensions of the state of a layer. */
  size_t hidden;
  /* The maximum number of tokens of a text. */
  size_t maximum_tokens;
} vdsq_analyzer_shape;

/* shape: the caller sets struct_size. */
vdsq_status vdsq_analyzer_get_shape(vdsq_analyzer *analyzer, vdsq_analyzer_shape *shape);

/* The values of all tokens of the vocabulary for the state of each text.
 *
 * view: VDSQ_VIEW_...
 * values: the caller's; receives [count, vocabulary] floats.
 * capacity: the number of floats that it has room for.
 * Errors: VDSQ_USAGE if capacity does not suffice; VDSQ_BAD_INPUT if the model has no bases or no
 * LM head. */
vdsq_status vdsq_vocabulary_scores(
    vdsq_analyzer *analyzer, uint32_t view, const char *const *texts, const size_t *lengths,
    size_t count, float *values, size_t capacity);

/* The hidden states of one text behind the embeddings and behind every layer, at each token: those
 * of causal models before the final norm, and behind the last layer after it.
 *
 * length: of the text in bytes; SIZE_MAX if it ends with a NUL.
 * ids: the caller's; receives the ids of the tokens; or NULL.
 * states: the caller's; receives [layers + 1, tokens, hidden] floats. NULL to learn the tokens
 *   only, without running the model.
 * capacity: the number of tokens that ids and states have room for.
 * tokens: receives the number of tokens.
 * Errors: VDSQ_USAGE if capacity does not suffice; tokens is right then too. */
vdsq_status vdsq_hidden_states(
    vdsq_analyzer *analyzer, const char *text, size_t length, int32_t *ids, float *states,
    size_t capacity, size_t *tokens);

/* Where a lens's answers go: buffers of the caller, each of which may be NULL. Rows are layers, the
 * embeddings first; columns are tokens of the text. */
typedef struct vdsq_lens {
  /* sizeof(vdsq_lens). */
  size_t struct_size;
  /* The number of tokens of the text that each buffer has room for. */
  size_t capacity;
  /* The number of tokens of the vocabulary that are named for each state, from 1 to 100. */
  size_t top;
  /* The softmax temperature of cosines; 0 for that of the bases, or 0.05. */
  float temperature;
  /* Receives [tokens]: the ids of the text's tokens. */
  int32_t *text_ids;
  /* Receives [layers + 1, tokens, top]: the ids of the tokens with the highest values. */
  int32_t *ids;
  /* Receives [layers + 1, tokens, top]: their values. */
  float *values;
  /* Receives [layers + 1, tokens, top]: their probabilities over the vocabulary. */
  float *probabilities;
  /* Receives [layers + 1, tokens]: the entropy of the probabilities in nats. */
  float *entropies;
  /* Receives [layers + 1, tokens]: the Kullback-Leibler divergence from the last layer's
   * probabilities in nats. */
  float *divergences;
} vdsq_lens;

/* What every layer says at each token of a text, as the vocabulary is seen from there.
 *
 * length: of the text in bytes; SIZE_MAX if it ends with a NUL.
 * view: VDSQ_VIEW_...
 * lens: the caller sets struct_size, capacity, top and the buffers.
 * tokens: receives the number of tokens.
 * Errors: VDSQ_USAGE if capacity does not suffice; VDSQ_BAD_INPUT if the model has no bases or no
 * LM head. */
vdsq_status vdsq_lens_run(
    vdsq_analyzer *analyzer, const char *text, size_t length, uint32_t view, const vdsq_lens *lens,
    size_t *tokens);

#ifdef __cplusplus
}
#endif

#endif
