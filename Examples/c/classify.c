/* Writes the label of each line of standard input and its probability, as vdsq classify does.
 * classify MODEL LABELS, or classify MODEL ADAPTER.vdsa */
#include <stdio.h>
#include <string.h>
#include <vdsq.h>

#define TOGETHER 64

int main(int argc, char **argv) {
  if (argc != 3) return fprintf(stderr, "classify MODEL LABELS|ADAPTER.vdsa\n"), VDSQ_USAGE;
  vdsq_model *model = NULL;
  vdsq_adapter *adapter = NULL;
  vdsq_classifier *classifier = NULL;
  vdsq_classifier_options options = {.struct_size = sizeof options};
  vdsq_status status = vdsq_model_open(argv[1], &model);
  if (status == VDSQ_OK && strstr(argv[2], ".vdsa")) {
    status = vdsq_adapter_open(model, argv[2], &adapter);
    options.adapter = adapter;
  } else {
    options.label_list = argv[2];
  }
  if (status == VDSQ_OK) status = vdsq_classifier_open(model, &options, &classifier);

  static char lines[TOGETHER][4096];
  const char *texts[TOGETHER];
  uint32_t labels[TOGETHER];
  float probabilities[TOGETHER];
  vdsq_predictions predictions = {.struct_size = sizeof predictions,
                                  .capacity = TOGETHER,
                                  .top = 1,
                                  .labels = labels,
                                  .probabilities = probabilities};
  while (status == VDSQ_OK) {
    size_t count = 0;
    while (count < TOGETHER && fgets(lines[count], sizeof lines[count], stdin)) {
      lines[count][strcspn(lines[count], "\n")] = 0;
      texts[count] = lines[count];
      count++;
    }
    if (count == 0) break;
    status = vdsq_classify(classifier, texts, NULL, count, &predictions);
    for (size_t i = 0; i < count && status == VDSQ_OK; i++)
      printf("%s\t%.4f\n", vdsq_classifier_label(classifier, labels[i]), probabilities[i]);
  }
  if (status != VDSQ_OK) fprintf(stderr, "classify: %s\n", vdsq_last_error());
  vdsq_classifier_close(classifier);
  vdsq_adapter_close(adapter);
  vdsq_model_close(model);
  return status;
}
