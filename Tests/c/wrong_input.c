/* Wrong input of every kind leads to a status and a message, never to a crash.
 * wrong_input MODEL LANGUAGE_MODEL SCRATCH_FOLDER */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vdsq.h>

static int failures;

/* Expects a status, and a message that contains a part. */
static void expect(int line, vdsq_status status, vdsq_status wanted, const char *part) {
  const char *message = status == VDSQ_OK ? "" : vdsq_last_error();
  if (status == wanted && strstr(message, part) && (status == VDSQ_OK || *message)) return;
  fprintf(stderr, "line %d: %d (%s), not %d (%s)\n", line, status, message, wanted, part);
  failures++;
}

#define EXPECT(call, wanted, part) expect(__LINE__, (call), (wanted), (part))
#define CHECK(condition) \
  do { \
    if (!(condition)) { \
      fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
      failures++; \
    } \
  } while (0)

/* A handle that was never given out. */
#define FORGED(type) ((type *)(void *)&failures)

static void models(const char *path, const char *scratch) {
  vdsq_model *model = FORGED(vdsq_model);
  EXPECT(vdsq_model_open(NULL, &model), VDSQ_USAGE, "path is NULL");
  CHECK(model == NULL);
  EXPECT(vdsq_model_open(path, NULL), VDSQ_USAGE, "NULL");
  EXPECT(vdsq_model_open("\xff", &model), VDSQ_USAGE, "UTF-8");
  EXPECT(vdsq_model_open("/nowhere.vdsq", &model), VDSQ_MISSING_INPUT, "/nowhere.vdsq");
  EXPECT(vdsq_model_open(scratch, &model), VDSQ_BAD_INPUT, "");
  char name[4096];
  snprintf(name, sizeof name, "%s/text.vdsq", scratch);
  FILE *file = fopen(name, "w");
  fputs("no model", file);
  fclose(file);
  EXPECT(vdsq_model_open(name, &model), VDSQ_BAD_INPUT, name);
  /* Every prefix of a model is refused. */
  FILE *whole = fopen(path, "rb");
  static char bytes[1 << 16];
  size_t length = fread(bytes, 1, sizeof bytes, whole);
  fclose(whole);
  for (size_t cut = 0; cut < length; cut += 1 + length / 16) {
    file = fopen(name, "wb");
    fwrite(bytes, 1, cut, file);
    fclose(file);
    EXPECT(vdsq_model_open(name, &model), VDSQ_BAD_INPUT, name);
  }
  vdsq_model_close(NULL);
  vdsq_model_close(FORGED(vdsq_model));
}

static void embedders(vdsq_model *model) {
  vdsq_embedder *embedder = NULL;
  EXPECT(vdsq_embedder_open(NULL, NULL, &embedder), VDSQ_USAGE, "NULL");
  EXPECT(vdsq_embedder_open(FORGED(vdsq_model), NULL, &embedder), VDSQ_USAGE, "not a model");
  EXPECT(vdsq_embedder_open(model, NULL, NULL), VDSQ_USAGE, "NULL");
  struct {
    vdsq_run_options own;
    uint64_t later;
  } options = {.own = {.struct_size = 0}};
  vdsq_run_options *run = &options.own;
  EXPECT(vdsq_embedder_open(model, run, &embedder), VDSQ_USAGE, "sizeof(vdsq_run_options)");
  run->struct_size = SIZE_MAX;
  EXPECT(vdsq_embedder_open(model, run, &embedder), VDSQ_USAGE, "struct_size");
  /* A later version's members are refused by name, unless they are 0. */
  run->struct_size = sizeof options;
  options.later = 1;
  EXPECT(vdsq_embedder_open(model, run, &embedder), VDSQ_USAGE, "does not know");
  options.later = 0;
  EXPECT(vdsq_embedder_open(model, run, &embedder), VDSQ_OK, "");
  vdsq_embedder_close(embedder);
  run->struct_size = sizeof *run;
  run->threads = 257;
  EXPECT(vdsq_embedder_open(model, run, &embedder), VDSQ_USAGE, "threads");
  run->threads = 0;
  run->concurrency = 5000;
  EXPECT(vdsq_embedder_open(model, run, &embedder), VDSQ_USAGE, "callers");
  run->concurrency = 0;
  run->precision = 7;
  EXPECT(vdsq_embedder_open(model, run, &embedder), VDSQ_USAGE, "precision");
  run->precision = 0;
  run->memory_policy = 7;
  EXPECT(vdsq_embedder_open(model, run, &embedder), VDSQ_USAGE, "memory_policy");
  run->memory_policy = 0;
  run->memory_budget = 1000;
  EXPECT(vdsq_embedder_open(model, run, &embedder), VDSQ_BUDGET, "memory_budget");
  run->memory_budget = 0;
  run->cuts_for_budget = 2;
  EXPECT(vdsq_embedder_open(model, run, &embedder), VDSQ_USAGE, "cuts_for_budget");
  run->cuts_for_budget = 0;
  run->maximum_tokens = 1;
  EXPECT(vdsq_embedder_open(model, run, &embedder), VDSQ_USAGE, "maximum_tokens");
  run->maximum_tokens = 0;
  run->batch = 5000;
  EXPECT(vdsq_embedder_open(model, run, &embedder), VDSQ_USAGE, "batch");
  run->batch = 0;
  run->dimensions = 1000000;
  EXPECT(vdsq_embedder_open(model, run, &embedder), VDSQ_USAGE, "dimensions");
  run->dimensions = 0;
  run->prompt = "no such prompt";
  EXPECT(vdsq_embedder_open(model, run, &embedder), VDSQ_USAGE, "prompt");
  CHECK(embedder == NULL);

  EXPECT(vdsq_embedder_open(model, NULL, &embedder), VDSQ_OK, "");
  size_t d = vdsq_embedder_dimensions(embedder);
  CHECK(d > 0 && vdsq_embedder_maximum_tokens(embedder) > 0);
  float *vectors = malloc(2 * d * sizeof *vectors);
  const char *texts[] = {"hello", NULL};
  size_t lengths[] = {5, SIZE_MAX - 1};
  EXPECT(vdsq_embed(NULL, texts, NULL, 1, vectors, d, NULL), VDSQ_USAGE, "NULL");
  EXPECT(vdsq_embed(embedder, NULL, NULL, 1, vectors, d, NULL), VDSQ_USAGE, "texts is NULL");
  EXPECT(vdsq_embed(embedder, texts, NULL, 2, vectors, 2 * d, NULL), VDSQ_USAGE, "texts[1]");
  EXPECT(vdsq_embed(embedder, texts, NULL, 1, NULL, d, NULL), VDSQ_USAGE, "vectors is NULL");
  EXPECT(vdsq_embed(embedder, texts, NULL, 1, vectors, d - 1, NULL), VDSQ_USAGE, "capacity");
  EXPECT(vdsq_embed(embedder, texts, NULL, SIZE_MAX, vectors, d, NULL), VDSQ_USAGE, "too many");
  texts[1] = "world";
  EXPECT(vdsq_embed(embedder, texts, lengths, 2, vectors, 2 * d, NULL), VDSQ_USAGE, "bytes");
  EXPECT(vdsq_embed(embedder, NULL, NULL, 0, NULL, 0, NULL), VDSQ_OK, "");
  /* Invalid UTF-8, a NUL inside a text, an empty text. */
  const char *odd[] = {"\xff\xfe", "a\0b", ""};
  size_t odd_lengths[] = {2, 3, 0};
  vdsq_text_info info[3];
  float *more = malloc(3 * d * sizeof *more);
  EXPECT(vdsq_embed(embedder, odd, odd_lengths, 3, more, 3 * d, info), VDSQ_OK, "");
  CHECK(info[2].flags == VDSQ_TEXT_BLANK && info[1].tokens > 0);
  free(more);

  size_t count = 0;
  int32_t ids[64];
  EXPECT(vdsq_tokens(embedder, "hello", SIZE_MAX, NULL, 0, &count), VDSQ_OK, "");
  size_t needed = count;
  CHECK(needed > 1);
  count = 0;
  EXPECT(vdsq_tokens(embedder, "hello", 5, ids, needed - 1, &count), VDSQ_USAGE, "capacity");
  CHECK(count == needed);
  EXPECT(vdsq_tokens(embedder, "hello", 5, ids, 64, NULL), VDSQ_USAGE, "NULL");
  EXPECT(vdsq_tokens(embedder, NULL, 5, ids, 64, &count), VDSQ_USAGE, "text is NULL");
  char text[64];
  EXPECT(vdsq_token_text(embedder, -1, text, sizeof text, &count), VDSQ_OK, "");
  CHECK(count == 0);
  EXPECT(vdsq_token_text(embedder, INT32_MAX, text, sizeof text, &count), VDSQ_OK, "");
  vdsq_plan plan = {.struct_size = 1};
  EXPECT(vdsq_model_plan(model, NULL, &plan), VDSQ_USAGE, "sizeof(vdsq_plan)");
  EXPECT(vdsq_model_plan(model, NULL, NULL), VDSQ_USAGE, "NULL");

  vdsq_embedder_close(embedder);
  vdsq_embedder_close(embedder);
  EXPECT(vdsq_embed(embedder, texts, NULL, 1, vectors, d, NULL), VDSQ_USAGE, "open");
  CHECK(vdsq_embedder_dimensions(embedder) == 0);
  /* A model is no embedder. */
  EXPECT(vdsq_embed((vdsq_embedder *)(void *)model, texts, NULL, 1, vectors, d, NULL), VDSQ_USAGE,
         "not an embedder");
  vdsq_embedder_close((vdsq_embedder *)(void *)model);
  free(vectors);
}

static void classifiers(vdsq_model *model, vdsq_model *other, const char *scratch) {
  vdsq_classifier *classifier = NULL;
  vdsq_classifier_options options = {.struct_size = sizeof options};
  EXPECT(vdsq_classifier_open(model, NULL, &classifier), VDSQ_USAGE, "head");
  options.label_list = "one";
  EXPECT(vdsq_classifier_open(model, &options, &classifier), VDSQ_USAGE, "two or more");
  options.label_list = "a,a";
  EXPECT(vdsq_classifier_open(model, &options, &classifier), VDSQ_USAGE, "twice");
  vdsq_label labels[] = {{.name = "hello"}, {.name = NULL}};
  options.labels = labels;
  options.label_count = 2;
  EXPECT(vdsq_classifier_open(model, &options, &classifier), VDSQ_USAGE, "not both");
  options.label_list = NULL;
  EXPECT(vdsq_classifier_open(model, &options, &classifier), VDSQ_USAGE, "name of a label");
  labels[1].name = "stop";
  labels[1].word_count = 1;
  EXPECT(vdsq_classifier_open(model, &options, &classifier), VDSQ_USAGE, "words is NULL");
  labels[1].word_count = 0;
  options.text_template = "no place";
  EXPECT(vdsq_classifier_open(model, &options, &classifier), VDSQ_USAGE, "text_template");
  options.text_template = NULL;
  options.temperature = -1;
  EXPECT(vdsq_classifier_open(model, &options, &classifier), VDSQ_USAGE, "temperature");
  options.temperature = 0;
  options.uses_entailment = 1;
  EXPECT(vdsq_classifier_open(model, &options, &classifier), VDSQ_USAGE, "");
  options.uses_entailment = 0;
  options.is_multi_label = 1;
  EXPECT(vdsq_classifier_open(model, &options, &classifier), VDSQ_USAGE, "uses_entailment");
  options.is_multi_label = 0;
  EXPECT(vdsq_classifier_open(model, &options, &classifier), VDSQ_OK, "");
  CHECK(vdsq_classifier_label_count(classifier) == 2);
  CHECK(strcmp(vdsq_classifier_label(classifier, 1), "stop") == 0);
  CHECK(vdsq_classifier_label(classifier, 2) == NULL);
  CHECK(vdsq_classifier_label(classifier, SIZE_MAX) == NULL);

  const char *texts[] = {"hello"};
  vdsq_predictions predictions = {.struct_size = sizeof predictions, .capacity = 1, .top = 3};
  EXPECT(vdsq_classify(classifier, texts, NULL, 1, NULL), VDSQ_USAGE, "NULL");
  EXPECT(vdsq_classify(classifier, texts, NULL, 1, &predictions), VDSQ_USAGE, "top is 3");
  predictions.top = 0;
  EXPECT(vdsq_classify(classifier, texts, NULL, 1, &predictions), VDSQ_USAGE, "top is 0");
  predictions.top = 1;
  predictions.capacity = 0;
  EXPECT(vdsq_classify(classifier, texts, NULL, 1, &predictions), VDSQ_USAGE, "capacity");
  predictions.capacity = 1;
  EXPECT(vdsq_classify(classifier, texts, NULL, 1, &predictions), VDSQ_OK, "");
  EXPECT(vdsq_classify_pairs(classifier, texts, NULL, texts, NULL, 1, &predictions), VDSQ_USAGE,
         "pairs");
  vdsq_classifier_close(classifier);
  CHECK(vdsq_classifier_label(classifier, 0) == NULL);

  vdsq_adapter *adapter = NULL;
  vdsq_training_options training = {.struct_size = sizeof training, .method = "no such method"};
  const char *examples[] = {"hello", "stop"}, *names[] = {"greeting", "order"};
  EXPECT(vdsq_adapter_train(model, &training, examples, NULL, names, 2, &adapter), VDSQ_USAGE,
         "method");
  training.method = "frozen";
  EXPECT(vdsq_adapter_train(model, &training, examples, NULL, NULL, 2, &adapter), VDSQ_USAGE,
         "labels is NULL");
  training.label_list = "a,b";
  EXPECT(vdsq_adapter_train(model, &training, examples, NULL, names, 2, &adapter), VDSQ_BAD_INPUT,
         "greeting");
  training.label_list = NULL;
  EXPECT(vdsq_adapter_train(model, &training, NULL, NULL, NULL, 0, &adapter), VDSQ_USAGE, "");
  EXPECT(vdsq_adapter_train(model, &training, examples, NULL, names, 2, &adapter), VDSQ_OK, "");
  char path[4096];
  snprintf(path, sizeof path, "%s/wrong.vdsa", scratch);
  EXPECT(vdsq_adapter_write(adapter, "/nowhere/a.vdsa", 0), VDSQ_USAGE, "/nowhere");
  EXPECT(vdsq_adapter_write(adapter, path, 0), VDSQ_OK, "");
  EXPECT(vdsq_adapter_write(adapter, path, 0), VDSQ_USAGE, "replaces");
  EXPECT(vdsq_adapter_write(adapter, path, 1), VDSQ_OK, "");
  options = (vdsq_classifier_options){.struct_size = sizeof options, .adapter = adapter};
  EXPECT(vdsq_classifier_open(other, &options, &classifier), VDSQ_BAD_INPUT, "another model");
  options.label_list = "a,b";
  EXPECT(vdsq_classifier_open(model, &options, &classifier), VDSQ_USAGE, "own labels");
  vdsq_adapter_close(adapter);
  options.label_list = NULL;
  EXPECT(vdsq_classifier_open(model, &options, &classifier), VDSQ_USAGE, "not an adapter");
  EXPECT(vdsq_adapter_open(other, path, &adapter), VDSQ_BAD_INPUT, "another model");
  EXPECT(vdsq_adapter_open(model, "/nowhere.vdsa", &adapter), VDSQ_MISSING_INPUT, "/nowhere");

  vdsq_learner *learner = NULL;
  EXPECT(vdsq_learner_open(model, "/nowhere.vdsa", NULL, &learner), VDSQ_MISSING_INPUT, "labels");
  snprintf(path, sizeof path, "%s/learned.vdsa", scratch);
  vdsq_learner_options beginning = {.struct_size = sizeof beginning, .label_list = "hello,stop"};
  EXPECT(vdsq_learner_open(model, path, &beginning, &learner), VDSQ_OK, "");
  vdsq_learned learned = {.struct_size = 0};
  EXPECT(vdsq_learn(learner, "hello", SIZE_MAX, "hello", &learned), VDSQ_USAGE, "vdsq_learned");
  learned.struct_size = sizeof learned;
  EXPECT(vdsq_learn(learner, "hello", SIZE_MAX, "other", &learned), VDSQ_BAD_INPUT, "other");
  EXPECT(vdsq_learn(learner, "", SIZE_MAX, "hello", &learned), VDSQ_BAD_INPUT, "nothing to read");
  EXPECT(vdsq_learner_undo(learner, NULL), VDSQ_USAGE, "take back");
  EXPECT(vdsq_learn(learner, "hello", SIZE_MAX, "hello", &learned), VDSQ_OK, "");
  CHECK(learned.count == 1 && learned.predicted && learned.probability > 0);
  EXPECT(vdsq_learner_forget(learner, "other"), VDSQ_BAD_INPUT, "other");
  vdsq_learner_close(learner);
  beginning.label_list = "hello,other";
  EXPECT(vdsq_learner_open(model, path, &beginning, &learner), VDSQ_USAGE, "other labels");

  vdsq_reranker *reranker = NULL;
  EXPECT(vdsq_reranker_open(model, NULL, &reranker), VDSQ_USAGE, "head");
  float score;
  EXPECT(vdsq_rerank(reranker, "a", SIZE_MAX, texts, NULL, 1, &score), VDSQ_USAGE, "NULL");
}

static int32_t count_bytes(const char *text, size_t length, void *context) {
  CHECK(text != NULL && length > 0);
  *(size_t *)context += length;
  return 0;
}

static int32_t end_text(const char *text, size_t length, void *context) {
  (void)text, (void)length, (void)context;
  return 1;
}

static void language_models(vdsq_model *model, vdsq_model *language) {
  vdsq_generator *generator = NULL;
  EXPECT(vdsq_generator_open(model, NULL, &generator), VDSQ_USAGE, "causal");
  EXPECT(vdsq_generator_open(language, NULL, &generator), VDSQ_OK, "");
  vdsq_generation_options wanted = {.struct_size = 0};
  EXPECT(vdsq_generate(generator, "a", 1, &wanted, NULL, NULL, NULL), VDSQ_USAGE, "sizeof");
  wanted.struct_size = sizeof wanted;
  wanted.maximum_tokens = 4;
  EXPECT(vdsq_generate(generator, NULL, 1, &wanted, NULL, NULL, NULL), VDSQ_USAGE, "prompt");
  EXPECT(vdsq_generate(NULL, "a", 1, &wanted, NULL, NULL, NULL), VDSQ_USAGE, "NULL");
  wanted.temperature = -1;
  EXPECT(vdsq_generate(generator, "a", 1, &wanted, NULL, NULL, NULL), VDSQ_USAGE, "temperature");
  wanted.temperature = 0;
  wanted.top_p = 2;
  EXPECT(vdsq_generate(generator, "a", 1, &wanted, NULL, NULL, NULL), VDSQ_USAGE, "top-p");
  wanted.top_p = 0;
  wanted.regex = "(";
  EXPECT(vdsq_generate(generator, "a", 1, &wanted, NULL, NULL, NULL), VDSQ_USAGE, "expression");
  wanted.regex = NULL;
  const char *none[] = {""};
  wanted.stops = none;
  wanted.stop_count = 1;
  EXPECT(vdsq_generate(generator, "a", 1, &wanted, NULL, NULL, NULL), VDSQ_USAGE, "empty");
  wanted.stop_count = 0;
  vdsq_generated generated = {.struct_size = 1};
  EXPECT(vdsq_generate(generator, "a", 1, &wanted, NULL, NULL, &generated), VDSQ_USAGE, "sizeof");
  generated.struct_size = sizeof generated;
  size_t received = 0;
  EXPECT(vdsq_generate(generator, "hello", SIZE_MAX, &wanted, count_bytes, &received, &generated), VDSQ_OK, "");
  CHECK(received > 0 && generated.tokens == 4 && generated.prompt_tokens > 0);
  CHECK(generated.finish == VDSQ_FINISH_LENGTH && generated.log_probability < 0);
  /* A callback that returns 1 ends the text. */
  EXPECT(vdsq_generate(generator, "hello", SIZE_MAX, &wanted, end_text, NULL, &generated), VDSQ_OK, "");
  CHECK(generated.tokens < 4 && generated.finish == VDSQ_FINISH_LENGTH);
  vdsq_message message = {"user", "hello"};
  EXPECT(vdsq_generate_answer(generator, &message, 1, NULL, NULL, NULL, NULL), VDSQ_USAGE, "template");
  EXPECT(vdsq_generate_answer(generator, &message, 0, NULL, NULL, NULL, NULL), VDSQ_USAGE, "messages");
  message.role = "robot";
  EXPECT(vdsq_generate_answer(generator, &message, 1, NULL, NULL, NULL, NULL), VDSQ_USAGE, "robot");
  vdsq_generator_close(generator);
  EXPECT(vdsq_generate(generator, "a", 1, NULL, NULL, NULL, NULL), VDSQ_USAGE, "not a generator");
  vdsq_scorer *scorer = NULL;
  vdsq_text_score text_scores[2];
  const char *contexts[] = {"hello", "stop"}, *continuations[] = {" world", ""};
  EXPECT(vdsq_scorer_open(model, NULL, &scorer), VDSQ_USAGE, "causal");
  EXPECT(vdsq_scorer_open(language, NULL, &scorer), VDSQ_OK, "");
  EXPECT(vdsq_score(scorer, contexts, NULL, continuations, NULL, 2, text_scores), VDSQ_BAD_INPUT, "tokens");
  EXPECT(vdsq_score(scorer, contexts, NULL, continuations, NULL, 1, NULL), VDSQ_USAGE, "NULL");
  EXPECT(vdsq_score(scorer, contexts, NULL, continuations, NULL, 1, text_scores), VDSQ_OK, "");
  CHECK(text_scores[0].log_probability < 0 && text_scores[0].tokens > 0);
  EXPECT(vdsq_score(scorer, NULL, NULL, contexts, NULL, 2, text_scores), VDSQ_OK, "");
  vdsq_scorer_close(scorer);
}

static void analyzers(vdsq_model *model, vdsq_model *language) {
  vdsq_analyzer *analyzer = NULL;
  EXPECT(vdsq_analyzer_open(language, NULL, &analyzer), VDSQ_OK, "");
  vdsq_analyzer_shape shape = {.struct_size = sizeof shape};
  EXPECT(vdsq_analyzer_get_shape(analyzer, &shape), VDSQ_OK, "");
  CHECK(shape.layers > 0 && shape.hidden > 0 && shape.vocabulary > 0);
  const char *texts[] = {"hello"};
  float *values = malloc(shape.vocabulary * sizeof *values);
  EXPECT(vdsq_vocabulary_scores(analyzer, 9, texts, NULL, 1, values, shape.vocabulary), VDSQ_USAGE,
         "view");
  EXPECT(vdsq_vocabulary_scores(analyzer, VDSQ_VIEW_HEAD, texts, NULL, 1, values,
                                shape.vocabulary - 1),
         VDSQ_USAGE, "capacity");
  EXPECT(vdsq_vocabulary_scores(analyzer, VDSQ_VIEW_HEAD, texts, NULL, 1, values,
                                shape.vocabulary),
         VDSQ_OK, "");
  EXPECT(vdsq_vocabulary_scores(analyzer, VDSQ_VIEW_BASES, texts, NULL, 1, values,
                                shape.vocabulary),
         VDSQ_OK, "");
  free(values);
  size_t tokens = 0;
  EXPECT(vdsq_hidden_states(analyzer, "hello", SIZE_MAX, NULL, NULL, 0, &tokens), VDSQ_OK, "");
  CHECK(tokens > 0);
  float one;
  EXPECT(vdsq_hidden_states(analyzer, "hello", SIZE_MAX, NULL, &one, 0, &tokens), VDSQ_USAGE,
         "capacity");
  vdsq_lens lens = {.struct_size = sizeof lens, .top = 1, .capacity = 0};
  EXPECT(vdsq_lens_run(analyzer, "hello", SIZE_MAX, VDSQ_VIEW_HEAD, &lens, &tokens), VDSQ_USAGE,
         "capacity");
  lens.top = 101;
  EXPECT(vdsq_lens_run(analyzer, "hello", SIZE_MAX, VDSQ_VIEW_HEAD, &lens, &tokens), VDSQ_USAGE,
         "top");
  lens.top = 2;
  lens.capacity = tokens;
  EXPECT(vdsq_lens_run(analyzer, "hello", SIZE_MAX, VDSQ_VIEW_HEAD, &lens, NULL), VDSQ_USAGE,
         "NULL");
  lens.entropies = malloc((shape.layers + 1) * tokens * sizeof *lens.entropies);
  EXPECT(vdsq_lens_run(analyzer, "hello", SIZE_MAX, VDSQ_VIEW_HEAD, &lens, &tokens), VDSQ_OK, "");
  CHECK(lens.entropies[0] > 0);
  free(lens.entropies);
  vdsq_analyzer_close(analyzer);
  EXPECT(vdsq_analyzer_open(model, NULL, &analyzer), VDSQ_OK, "");
  EXPECT(vdsq_vocabulary_scores(analyzer, VDSQ_VIEW_HEAD, texts, NULL, 1, &one, 1), VDSQ_BAD_INPUT,
         "no LM head");
  vdsq_analyzer_close(analyzer);
}

int main(int argc, char **argv) {
  if (argc != 4) return 64;
  CHECK(vdsq_abi_version() >= VDSQ_ABI_VERSION);
  CHECK(*vdsq_version() && *vdsq_last_error() == 0);
  models(argv[1], argv[3]);
  vdsq_model *model = NULL, *language = NULL;
  EXPECT(vdsq_model_open(argv[1], &model), VDSQ_OK, "");
  EXPECT(vdsq_model_open(argv[2], &language), VDSQ_OK, "");
  embedders(model);
  classifiers(model, language, argv[3]);
  language_models(model, language);
  analyzers(model, language);
  vdsq_model_close(model);
  vdsq_model_close(language);
  return failures > 0;
}
