import AllocationCounter
import Glibc
import VDSQStreams
import VDSQ

// Classifies standard input as vdsq-run does, and counts every allocation from a given line on:
//
//     allocation-check MODEL POLICY THREADS WARM-UP-LINES [ADAPTER|- [FIELD]]
//
// Prints the number of texts after the warm-up and the number of their allocations.

func check(_ arguments: [String]) throws(VDSQError) {
  guard arguments.count >= 5, let policy = MemoryPolicy(name: arguments[2]),
    let threads = Int(arguments[3]), let warmup = Int(arguments[4])
  else { throw .usage("allocation-check MODEL POLICY THREADS WARM-UP-LINES [ADAPTER|- [FIELD]]") }
  var options = TextClassifier.Options()
  options.run.threads = threads
  options.run.memoryPolicy = policy
  options.run.batch = 1
  let model = try Model(path: arguments[1])
  let classifier =
    arguments.count > 5 && arguments[5] != "-"
    ? try TextClassifier(model: model, adapterFile: arguments[5], options: options)
    : try TextClassifier(
      model: model, labels: try Label.parse(list: "hello,world,stop"), options: options)
  var answers = ClassificationStream.Options()
  answers.top = classifier.labels.count
  var reading = RecordStream.Options()
  reading.json = true
  reading.echoes = true
  if let field = arguments.count > 6 ? arguments[6] : nil {
    reading.reading.field = try FieldPath(field)
    reading.reading.pass = try FieldPath.list("id,meta.id")
  }
  let records = RecordStream(
    LineReader(descriptor: 0, name: "standard input"), options: reading,
    output: OutputBuffer(descriptor: open("/dev/null", O_WRONLY)), program: "allocation-check")
  let stream = try ClassificationStream(
    records, classifier: classifier, options: answers, isJSON: true)
  var texts = 0
  try records.forEach(
    { (record) throws(VDSQError) in
      if record.line == warmup + 1 { allocation_counter_arm() }
      if record.line > warmup { texts += 1 }
      try stream.add(record)
    }, pause: { () throws(VDSQError) in try stream.flush() })
  let allocations = allocation_counter_disarm()
  print("\(texts) \(allocations)")
}

do throws(VDSQError) {
  try check(CommandLine.arguments)
} catch {
  print(error.message)
  exit(error.category.rawValue)
}
