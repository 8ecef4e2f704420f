import AllocationCounter
import Glibc
import VDSQFormat
import VDSQInference
import VDSQSemantics
import VDSQStreams

// Classifies standard input as vdsq-run does, and counts every allocation from a given line on:
//
//     allocation-check MODEL POLICY THREADS WARM-UP-LINES [ADAPTER]
//
// Prints the number of texts after the warm-up and the number of their allocations.

func check(_ arguments: [String]) throws(VDSQError) {
  guard arguments.count >= 5, let policy = MemoryPolicy(name: arguments[2]),
    let threads = Int(arguments[3]), let warmup = Int(arguments[4])
  else { throw .usage("allocation-check MODEL POLICY THREADS WARM-UP-LINES [ADAPTER]") }
  let container = try Container(path: arguments[1], kind: .model, decoding: policy.decoding)
  var options = TextEncoder.Options()
  options.threads = threads
  options.policy = policy
  var adapter: Adapter?
  let encoder: TextEncoder
  let labels: LabelSet
  if arguments.count > 5 {
    let learned = try Adapter(path: arguments[5], model: container)
    encoder = try learned.encoder(container, options: options)
    (adapter, labels) = (learned, learned.labels)
  } else {
    encoder = try TextEncoder(container, options: options)
    let parsed = try Label.checked(try Label.parse(list: "hello,world,stop"))
    labels = try LabelSet(parsed, encoder: encoder, template: nil)
  }
  var answers = ClassificationStream.Options()
  answers.json = true
  answers.top = labels.count
  let stream = ClassificationStream(
    encoder: encoder,
    classifier: try Classifier(labels: labels, adapter: adapter, kernels: encoder.kernels),
    template: nil, options: answers,
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
