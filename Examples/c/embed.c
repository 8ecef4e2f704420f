/* Prints the cosines of a query to the lines of standard input, the closest first.
 * embed MODEL QUERY */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vdsq.h>

#define MOST 1000

struct line {
  char text[4096];
  float cosine;
};

static int by_cosine(const void *a, const void *b) {
  float x = ((const struct line *)a)->cosine, y = ((const struct line *)b)->cosine;
  return (x < y) - (x > y);
}

int main(int argc, char **argv) {
  if (argc != 3) return fprintf(stderr, "embed MODEL QUERY\n"), VDSQ_USAGE;
  static struct line lines[MOST];
  const char *texts[MOST + 1] = {argv[2]};
  size_t count = 0;
  while (count < MOST && fgets(lines[count].text, sizeof lines[count].text, stdin)) {
    lines[count].text[strcspn(lines[count].text, "\n")] = 0;
    texts[count + 1] = lines[count].text;
    count++;
  }

  vdsq_model *model = NULL;
  vdsq_embedder *embedder = NULL;
  float *vectors = NULL;
  vdsq_run_options options = {.struct_size = sizeof options, .threads = 2};
  vdsq_status status = vdsq_model_open(argv[1], &model);
  if (status == VDSQ_OK) status = vdsq_embedder_open(model, &options, &embedder);
  size_t d = vdsq_embedder_dimensions(embedder);
  if (status == VDSQ_OK) {
    vectors = malloc((count + 1) * d * sizeof *vectors);
    if (!vectors) return VDSQ_INTERNAL;
    status = vdsq_embed(embedder, texts, NULL, count + 1, vectors, (count + 1) * d, NULL);
  }
  if (status == VDSQ_OK) {
    /* The vectors of a sentence encoder that normalizes have length 1. */
    for (size_t i = 0; i < count; i++)
      for (size_t j = 0; j < d; j++) lines[i].cosine += vectors[j] * vectors[(i + 1) * d + j];
    qsort(lines, count, sizeof *lines, by_cosine);
    for (size_t i = 0; i < count; i++) printf("%.4f\t%s\n", lines[i].cosine, lines[i].text);
  } else {
    fprintf(stderr, "embed: %s\n", vdsq_last_error());
  }
  free(vectors);
  vdsq_embedder_close(embedder);
  vdsq_model_close(model);
  return status;
}
