/* Eight threads over one model get the answers of one thread, bit for bit: over one shared
 * classifier, and over an embedder of each thread. A thread reads its own messages, and an embedder
 * is closed while it is used.
 * threads MODEL LABELS TEXTS_FILE ROUNDS */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vdsq.h>

#define THREADS 8
#define MOST 256

static const char *texts[MOST];
static size_t count, dimensions, label_count;
static int rounds;
static vdsq_model *model;
static vdsq_classifier *shared;
static vdsq_embedder *closing;
static float *expected_vectors, *expected_probabilities;

static void fail(const char *what) {
  fprintf(stderr, "threads: %s: %s\n", what, vdsq_last_error());
  exit(1);
}

static void classify(float *probabilities, size_t first, size_t number) {
  vdsq_predictions predictions = {.struct_size = sizeof predictions,
                                  .capacity = number,
                                  .top = label_count,
                                  .probabilities = probabilities};
  if (vdsq_classify(shared, texts + first, NULL, number, &predictions)) fail("classify");
}

static void *work(void *argument) {
  size_t index = *(size_t *)argument;
  vdsq_embedder *own;
  if (vdsq_embedder_open(model, NULL, &own)) fail("open");
  float *vectors = malloc(count * dimensions * sizeof *vectors);
  float *probabilities = malloc(count * label_count * sizeof *probabilities);
  for (int round = 0; round < rounds; round++) {
    /* Batches of other sizes than those of one thread. */
    size_t step = 1 + (index + (size_t)round) % 5;
    for (size_t i = 0; i < count; i += step) {
      size_t number = count - i < step ? count - i : step;
      if (vdsq_embed(own, texts + i, NULL, number, vectors + i * dimensions, number * dimensions,
                     NULL))
        fail("embed");
      classify(probabilities + i * label_count, i, number);
    }
    if (memcmp(vectors, expected_vectors, count * dimensions * sizeof *vectors)) fail("vectors");
    if (memcmp(probabilities, expected_probabilities, count * label_count * sizeof *probabilities))
      fail("probabilities");
    char path[64];
    snprintf(path, sizeof path, "/nowhere/%zu.vdsq", index);
    vdsq_model *none;
    if (vdsq_model_open(path, &none) != VDSQ_MISSING_INPUT || !strstr(vdsq_last_error(), path))
      fail("message");
    vdsq_status status = vdsq_embed(closing, texts, NULL, 1, vectors, dimensions, NULL);
    if (status != VDSQ_OK && status != VDSQ_USAGE) fail("closing");
    if (index == 0 && round == rounds / 2) vdsq_embedder_close(closing);
  }
  vdsq_embedder_close(own);
  free(vectors);
  free(probabilities);
  return NULL;
}

int main(int argc, char **argv) {
  if (argc != 5) return VDSQ_USAGE;
  static char lines[MOST][1024];
  FILE *file = fopen(argv[3], "r");
  if (!file) return VDSQ_MISSING_INPUT;
  while (count < MOST && fgets(lines[count], sizeof lines[count], file)) {
    lines[count][strcspn(lines[count], "\n")] = 0;
    texts[count] = lines[count];
    count++;
  }
  fclose(file);
  rounds = atoi(argv[4]);
  if (vdsq_model_open(argv[1], &model)) fail("model");
  vdsq_run_options run = {.struct_size = sizeof run, .concurrency = 3};
  vdsq_classifier_options options = {
      .struct_size = sizeof options, .run = &run, .label_list = argv[2]};
  if (vdsq_classifier_open(model, &options, &shared)) fail("classifier");
  if (vdsq_embedder_open(model, &run, &closing)) fail("embedder");
  dimensions = vdsq_embedder_dimensions(closing);
  label_count = vdsq_classifier_label_count(shared);
  expected_vectors = malloc(count * dimensions * sizeof *expected_vectors);
  expected_probabilities = malloc(count * label_count * sizeof *expected_probabilities);
  if (vdsq_embed(closing, texts, NULL, count, expected_vectors, count * dimensions, NULL))
    fail("embed");
  classify(expected_probabilities, 0, count);

  pthread_t threads[THREADS];
  size_t indices[THREADS];
  for (size_t i = 0; i < THREADS; i++) {
    indices[i] = i;
    pthread_create(&threads[i], NULL, work, &indices[i]);
  }
  for (size_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  free(expected_vectors);
  free(expected_probabilities);
  vdsq_classifier_close(shared);
  vdsq_model_close(model);
  printf("%d threads, %zu texts\n", THREADS, count);
  return 0;
}
