import AllocationCounter
import Glibc
import VDSQStreams
import VDSQ

// Classifies standard input as vdsq-run does, and counts every allocation from a given line on:
//
//     allocation-check MODEL POLICY THREADS WARM-UP-LINES [ADAPTER]
//
// Prints the number of texts after the warm-up and the number of their allocations.

func check(_ arguments: [String]) throws(VDSQError) {
  guard arguments.count >= 5, let policy = MemoryPolicy(name: arguments[2]),
    let threads = Int(arguments[3]), let warmup = Int(arguments[4])
  else { throw .usage("allocation-check MODEL POLICY THREADS WARM-UP-LINES [ADAPTER]") }
  var options = TextClassifier.Options()
  options.run.threads = threads
  options.run.memoryPolicy = policy
  options.run.batch = 1
  let model = try Model(path: arguments[1])
  let classifier =
    arguments.count > 5
    ? try TextClassifier(model: model, adapterFile: arguments[5], options: options)
    : try TextClassifier(
      model: model, labels: try Label.parse(list: "hello,world,stop"), options: options)
  var answers = ClassificationStream.Options()
  answers.json = true
  answers.top = classifier.labels.count
  let stream = try ClassificationStream(
    classifier: classifier, options: answers,
    output: OutputBuffer(descriptor: open("/dev/null", O_WRONLY)))
  let reader = LineReader(descriptor: 0, name: "standard input")
  var texts = 0
  while let line = try reader.next() {
    if line.number == warmup + 1 { allocation_counter_arm() }
    if line.number > warmup { texts += 1 }
    try stream.add(line.bytes, source: line.number, cut: line.cut)
  }
  try stream.flush()
  let allocations = allocation_counter_disarm()
  print("\(texts) \(allocations)")
}

do throws(VDSQError) {
  try check(CommandLine.arguments)
} catch {
  print(error.message)
  exit(error.category.rawValue)
}
