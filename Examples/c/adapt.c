/* Trains an adapter on lines of standard input, each a label, a tab and a text. Then learns the
 * last line again, takes that back, and prints what happened.
 * adapt MODEL ADAPTER.vdsa */
#include <stdio.h>
#include <string.h>
#include <vdsq.h>

#define MOST 1000

int main(int argc, char **argv) {
  if (argc != 3) return fprintf(stderr, "adapt MODEL ADAPTER.vdsa\n"), VDSQ_USAGE;
  static char lines[MOST][4096];
  const char *labels[MOST], *texts[MOST];
  size_t count = 0;
  while (count < MOST && fgets(lines[count], sizeof lines[count], stdin)) {
    lines[count][strcspn(lines[count], "\n")] = 0;
    char *tab = strchr(lines[count], '\t');
    if (!tab) continue;
    *tab = 0;
    labels[count] = lines[count];
    texts[count] = tab + 1;
    count++;
  }
  if (count == 0) return fprintf(stderr, "adapt: no examples\n"), VDSQ_BAD_INPUT;

  vdsq_model *model = NULL;
  vdsq_adapter *adapter = NULL;
  vdsq_learner *learner = NULL;
  vdsq_training_options options = {.struct_size = sizeof options, .freezes_encoder = 1};
  vdsq_learned learned = {.struct_size = sizeof learned};
  vdsq_status status = vdsq_model_open(argv[1], &model);
  if (status == VDSQ_OK)
    status = vdsq_adapter_train(model, &options, texts, NULL, labels, count, &adapter);
  if (status == VDSQ_OK) status = vdsq_adapter_write(adapter, argv[2], 1);
  if (status == VDSQ_OK) status = vdsq_learner_open(model, argv[2], NULL, &learner);
  if (status == VDSQ_OK)
    status = vdsq_learn(learner, texts[count - 1], SIZE_MAX, labels[count - 1], &learned);
  if (status == VDSQ_OK) {
    printf("learned %s; the answer was %s\n", labels[count - 1], learned.predicted);
    const char *undone;
    status = vdsq_learner_undo(learner, &undone);
    if (status == VDSQ_OK) printf("took back %s\n", undone);
  }
  if (status != VDSQ_OK) fprintf(stderr, "adapt: %s\n", vdsq_last_error());
  vdsq_learner_close(learner);
  vdsq_adapter_close(adapter);
  vdsq_model_close(model);
  return status;
}
