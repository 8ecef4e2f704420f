import CShims
import VDSQ
import VDSQStreams

/// Reads the arguments, classifies standard input line by line, and reports failures by exit codes.
func run() throws(VDSQError) {
  let arguments = try Arguments(try ProcessStart.readArguments())
  switch arguments.request {
  case .classification: break
  case .plan: return try plan(arguments)
  case .help: return try write("\(Arguments.usage)\n")
  case .version: return try write("\(Release.version)\n")
  case .completion(let script): return try write(script.text(options: Arguments.options))
  }
  try ProcessStart.checkStandardOutput(otherThan: arguments.inputs)
  // First of all, so that from here on only the used parts of the program become resident.
  ProcessMemory.releaseCode(piece: 8192)
  let classifier = try classifier(arguments)
  let records = RecordStream(
    LineReader(descriptor: 0, name: "standard input"), options: arguments.records,
    output: OutputBuffer(descriptor: 1), program: "vdsq-run")
  let stream = try ClassificationStream(
    records, classifier: classifier, options: arguments.stream, isJSON: arguments.records.json)
  StreamSignals.watch(reloads: true)
  try stream.run()
  if arguments.statistics { report(records.counts) }
  try records.end(maximumTokens: classifier.maximumTokens)
}

func classifier(_ arguments: Arguments) throws(VDSQError) -> TextClassifier {
  let model = try Model(path: arguments.model)
  var options = arguments.classifier
  options.top = arguments.stream.top
  if !arguments.records.isQuiet { options.onWarning = { tell("vdsq-run: \($0)\n") } }
  options.run.onCutForBudget = { [isQuiet = arguments.records.isQuiet] in
    if !isQuiet { tell("vdsq-run: \($0)\n") }
  }
  guard let adapter = arguments.adapter else {
    return arguments.labels.isEmpty
      ? try TextClassifier(model: model, options: options)
      : try TextClassifier(model: model, labels: arguments.labels, options: options)
  }
  return try TextClassifier(model: model, adapterFile: adapter, options: options)
}

func write(_ text: String) throws(VDSQError) {
  let out = OutputBuffer(descriptor: 1)
  out.write(text)
  try out.flush()
}

/// Writes the parts of the peak memory under each policy. `vdsq plan --for` reads it.
func plan(_ arguments: Arguments) throws(VDSQError) {
  ProcessMemory.releaseCode(piece: 8192)
  let model = try Model(path: arguments.model)
  var options = arguments.classifier.run.encoderOptions()
  var more = 0
  if let path = arguments.adapter {
    let adapter = try Adapter(path: path, model: model.description)
    try adapter.complete(&options)
    // While the file is read again, the previous adapter is still in memory.
    more = Adapter.copiesOfFollowed * adapter.bytes
  } else if !arguments.labels.isEmpty {
    let labels = try arguments.labels.readChoice()
    options.continuations = try TextClassifier.continuations(of: labels, model)
    more = try TextClassifier.bytes(
      of: labels, model, top: arguments.stream.top, isFollowed: arguments.labels.file != nil)
  }
  let run = arguments.classifier.run
  let footprints = try Footprint.each(
    of: model.path, options: options, more: more,
    cutFor: run.maximumTokens == nil ? run.memoryBudget : nil,
    among: MemoryPolicy.among(run.memoryPolicy))
  let out = OutputBuffer(descriptor: 1)
  let json = JSONWriter(out)
  json.array {
    for footprint in footprints {
      json.object {
        json.member("policy", footprint.policy.name)
        json.member("maximum_tokens", footprint.maximumTokens)
        json.member("is_cut", footprint.isCut)
        json.key("parts")
        json.array {
          for part in footprint.parts {
            json.object {
              json.member("name", part.name)
              json.member("bytes", part.bytes)
            }
          }
        }
      }
    }
  }
  out.write("\n")
  try out.flush()
}

func tell(_ message: String) {
  let out = OutputBuffer(descriptor: 2)
  out.write(message)
  // There is no way to report that standard error cannot be written to.
  try? out.flush()
}

func report(_ counts: RecordStream.Counts) {
  let out = OutputBuffer(descriptor: 2)
  out.write(
    "\(counted(counts.texts, "text")), \(counted(counts.tokens, "token")), \(counts.truncated) cut, "
      + "\(counts.replaced) with invalid UTF-8")
  // Unknown without /proc.
  if let peak = ProcessMemory.peakResidentBytes() {
    out.write(", peak RSS ")
    out.write(Float(peak) / 1_048_576, decimals: 1)
    out.write(" MiB")
  }
  out.write("\n")
  try? out.flush()
}

ProcessStart.openStandardDescriptors()
ProcessStart.watchMaps(program: "vdsq-run")
do throws(VDSQError) {
  try run()
  // Some file systems report only now that bytes could not be stored.
  guard vdsq_close_written(1) else {
    throw VDSQError(.internalFault, "the output cannot be written: \(lastErrorText())")
  }
  StreamSignals.endIfStopped()
} catch {
  tell("vdsq-run: \(Arguments.option(of: error))\(error.message)\n")
  exit(error.category.rawValue)
}
