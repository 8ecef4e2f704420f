// Classifies lines of standard input in several threads over one model.
// classify MODEL LABELS THREADS
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
#include <vdsq.h>

namespace {

void check(vdsq_status status) {
  if (status != VDSQ_OK) throw std::runtime_error(vdsq_last_error());
}

using Model = std::unique_ptr<vdsq_model, decltype(&vdsq_model_close)>;
using Classifier = std::unique_ptr<vdsq_classifier, decltype(&vdsq_classifier_close)>;

Model open_model(const char *path) {
  vdsq_model *model = nullptr;
  check(vdsq_model_open(path, &model));
  return Model(model, vdsq_model_close);
}

Classifier open_classifier(vdsq_model *model, const char *labels, unsigned threads) {
  vdsq_run_options run{};
  run.struct_size = sizeof run;
  run.concurrency = threads;
  vdsq_classifier_options options{};
  options.struct_size = sizeof options;
  options.run = &run;
  options.label_list = labels;
  vdsq_classifier *classifier = nullptr;
  check(vdsq_classifier_open(model, &options, &classifier));
  return Classifier(classifier, vdsq_classifier_close);
}

}  // namespace

int main(int argc, char **argv) try {
  if (argc != 4) throw std::runtime_error("classify MODEL LABELS THREADS");
  const unsigned threads = static_cast<unsigned>(std::strtoul(argv[3], nullptr, 10));
  std::vector<std::string> lines;
  for (std::string line; std::getline(std::cin, line);) lines.push_back(line);

  const Model model = open_model(argv[1]);
  const Classifier classifier = open_classifier(model.get(), argv[2], threads);
  std::vector<std::uint32_t> labels(lines.size());
  std::vector<float> probabilities(lines.size());
  std::vector<std::string> errors(threads);
  std::vector<std::thread> workers;
  for (unsigned worker = 0; worker < threads; worker++) {
    workers.emplace_back([&, worker] {
      // Each thread takes every n-th line.
      for (std::size_t i = worker; i < lines.size(); i += threads) {
        const char *text = lines[i].data();
        const std::size_t length = lines[i].size();
        vdsq_predictions predictions{};
        predictions.struct_size = sizeof predictions;
        predictions.capacity = predictions.top = 1;
        predictions.labels = &labels[i];
        predictions.probabilities = &probabilities[i];
        if (vdsq_classify(classifier.get(), &text, &length, 1, &predictions) != VDSQ_OK) {
          errors[worker] = vdsq_last_error();
          return;
        }
      }
    });
  }
  for (std::thread &worker : workers) worker.join();
  for (const std::string &error : errors)
    if (!error.empty()) throw std::runtime_error(error);
  for (std::size_t i = 0; i < lines.size(); i++)
    std::printf("%s\t%.4f\n", vdsq_classifier_label(classifier.get(), labels[i]), probabilities[i]);
  return 0;
} catch (const std::exception &error) {
  std::fprintf(stderr, "classify: %s\n", error.what());
  return VDSQ_USAGE;
}
